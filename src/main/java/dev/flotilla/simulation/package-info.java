/** Virtual time and a simulated cluster around the real state machines. */
@NullMarked
package dev.flotilla.simulation;

import org.jspecify.annotations.NullMarked;
