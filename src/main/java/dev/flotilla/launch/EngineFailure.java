package dev.flotilla.launch;

/** What the end of one engine means for the others: {@code --on-engine-failure}. */
public enum EngineFailure {
  /** The others serve on; the rank is awaited again. */
  CONTINUE,
  /** Everything stops, as in the original. */
  STOP
}
