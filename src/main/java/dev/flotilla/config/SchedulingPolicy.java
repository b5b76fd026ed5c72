package dev.flotilla.config;

/** In which order an engine computes what waits. */
public enum SchedulingPolicy {
  /** First come, first served. */
  FCFS,
  /** Smaller priority first; waiting five seconds is worth one level. */
  PRIORITY
}
