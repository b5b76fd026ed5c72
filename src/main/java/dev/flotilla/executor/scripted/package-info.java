/**
 * Computes batches without weights: tokens are hashes, time is a cost model. For load tests, demos
 * and the simulator; it never stands in for a real executor in results about models.
 */
@NullMarked
package dev.flotilla.executor.scripted;

import org.jspecify.annotations.NullMarked;
