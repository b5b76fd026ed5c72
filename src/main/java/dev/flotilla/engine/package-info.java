/** One rank: life cycle, port, step loop. */
@NullMarked
package dev.flotilla.engine;

import org.jspecify.annotations.NullMarked;
