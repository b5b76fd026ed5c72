/** Chooses an engine for a request from a load view. Pure: no clock, no thread, no bus. */
@NullMarked
package dev.flotilla.balancer;

import org.jspecify.annotations.NullMarked;
