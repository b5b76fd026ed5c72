package dev.flotilla.protocol;

/**
 * Marks a pure decision core: its state moves only by the events given to it, time enters as an
 * event, chance as a seed, and what it wants done comes back as data. No machine, nor anything it
 * reaches, may use {@code io.vertx}, a clock, a thread or unseeded randomness ({@code
 * ArchitectureTest}).
 */
public interface Machine {}
