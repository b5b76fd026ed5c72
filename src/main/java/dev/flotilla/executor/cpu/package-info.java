/** Runs a batch with the Vector API; holds the plain reference implementation too. */
@NullMarked
package dev.flotilla.executor.cpu;

import org.jspecify.annotations.NullMarked;
