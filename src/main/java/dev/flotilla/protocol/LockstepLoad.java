package dev.flotilla.protocol;

/**
 * Where a rank stands in the group that it steps together with. Its wave is in the report.
 *
 * @param generation number of the member list that it means
 * @param running whether it takes steps, with work or without
 * @param dummySteps steps without work since the engine's start
 * @param waitedMs time since the engine's start in which it only waited for others, or exchanged
 */
public record LockstepLoad(long generation, boolean running, long dummySteps, long waitedMs) {}
