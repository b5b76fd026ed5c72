package dev.flotilla.config;

import com.fasterxml.jackson.annotation.JsonProperty;

/** In which order an engine computes what waits. */
public enum SchedulingPolicy {
  /** First come, first served. */
  @JsonProperty("fcfs")
  FCFS,
  /** Smaller priority first; waiting five seconds is worth one level. */
  @JsonProperty("priority")
  PRIORITY
}
