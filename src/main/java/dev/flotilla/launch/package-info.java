/** What starts where: the engines of a node, their supervision and shutdown; the node agent. */
@NullMarked
package dev.flotilla.launch;

import org.jspecify.annotations.NullMarked;
