/**
 * Lets ranks step together: the {@code Collective} port over the memory of one JVM and over
 * sockets. Knows neither models nor requests.
 */
@NullMarked
package dev.flotilla.collective;

import org.jspecify.annotations.NullMarked;
