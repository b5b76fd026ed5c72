package dev.flotilla.config;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What the label {@code engine} of the metrics tells apart. */
public enum EngineLabel {
  /** Each rank has its own series, as in vLLM. */
  @JsonProperty("per-engine")
  PER_ENGINE,
  /** One series over all ranks, for readers that take one series only. */
  @JsonProperty("sum")
  SUM;

  /** The value of the flag. */
  @Override
  public String toString() {
    return this == PER_ENGINE ? "per-engine" : "sum";
  }
}
