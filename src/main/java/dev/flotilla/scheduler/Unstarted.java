package dev.flotilla.scheduler;

import dev.flotilla.protocol.ToEngine;

/**
 * A waiting request of which nothing was ever computed here, so that it can go elsewhere.
 *
 * @param submit as it came
 * @param cachedTokens of its tokens, those that the prefix cache holds now
 */
public record Unstarted(ToEngine.Submit submit, int cachedTokens) {}
