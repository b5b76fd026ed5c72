package dev.flotilla.engine;

import dev.flotilla.protocol.Endpoint;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import org.jspecify.annotations.Nullable;

/**
 * Who the engine is before it has a rank.
 *
 * @param rank null: any
 * @param handshakeMs how long a coordinator is looked for
 * @param endpoint the socket it has bound for a lockstep group over several JVMs; null: none
 */
record Identity(
    Incarnation incarnation,
    @Nullable Rank rank,
    boolean local,
    boolean headless,
    String configHash,
    long handshakeMs,
    @Nullable Endpoint endpoint) {}
