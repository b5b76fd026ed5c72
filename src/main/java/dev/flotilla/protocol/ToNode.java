package dev.flotilla.protocol;

/** Everything a node agent can be told. */
public sealed interface ToNode {

  /**
   * Start an engine here.
   *
   * @param config the engine's configuration as JSON
   */
  record StartEngine(String config) implements ToNode {}

  /** Stop the engine, which may finish what runs within the time. */
  record StopEngine(Rank rank, Incarnation incarnation, long timeoutMs) implements ToNode {}
}
