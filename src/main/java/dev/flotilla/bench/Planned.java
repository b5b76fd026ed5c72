package dev.flotilla.bench;

import java.util.function.Supplier;

/**
 * One request of a run.
 *
 * @param dueNanos intended start after the run's start
 * @param prompt made when the request is sent: a long trace would not fit in memory
 * @param inputTokens -1 if only the server knows
 * @param outputTokens asked for
 */
record Planned(long dueNanos, Supplier<Prompt> prompt, int inputTokens, int outputTokens) {}
