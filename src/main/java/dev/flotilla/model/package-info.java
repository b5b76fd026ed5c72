/**
 * What is computed: architecture, weights, batch, and the {@code Executor} port that computes it.
 */
@NullMarked
package dev.flotilla.model;

import org.jspecify.annotations.NullMarked;
