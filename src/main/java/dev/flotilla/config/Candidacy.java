package dev.flotilla.config;

import com.fasterxml.jackson.annotation.JsonProperty;

/** When a coordinator leads. */
public enum Candidacy {
  /** As soon as it starts: the only one of its cluster, as far as it is told. */
  @JsonProperty("at-once")
  AT_ONCE,
  /** When nobody leads; it knows the plan of the launch. */
  @JsonProperty("founder")
  FOUNDER,
  /** When whoever led is gone, by that one's plan; never before somebody has led. */
  @JsonProperty("successor")
  SUCCESSOR
}
