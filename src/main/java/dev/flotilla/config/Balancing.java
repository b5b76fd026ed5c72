package dev.flotilla.config;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Who chooses the rank of a request: the load-balancing modes of the original. */
public enum Balancing {
  /** Every front-end, among all ranks. */
  @JsonProperty("internal")
  INTERNAL,
  /** Something outside chooses the node, the node's front-ends one of its ranks. */
  @JsonProperty("hybrid")
  HYBRID,
  /** Something outside chooses the rank: each has a front-end of its own. */
  @JsonProperty("external")
  EXTERNAL
}
