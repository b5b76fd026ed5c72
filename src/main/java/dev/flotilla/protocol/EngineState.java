package dev.flotilla.protocol;

/** Where a rank stands, as the coordinator sees it. */
public enum EngineState {
  /** Expected, nobody has come. */
  NEW,
  /** Said Hello and got Init. */
  CONNECTED,
  /** Serves. */
  READY,
  /** Finishes what it has and takes nothing new. */
  DRAINING,
  /** Gone, and awaited again. */
  DEAD
}
