/** Every message, every address, every codec: what two nodes must agree on. */
@NullMarked
package dev.flotilla.protocol;

import org.jspecify.annotations.NullMarked;
