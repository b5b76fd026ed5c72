/** Who exists, in which state and epoch: handshake, membership, published view. */
@NullMarked
package dev.flotilla.coordinator;

import org.jspecify.annotations.NullMarked;
