package dev.flotilla.config;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What computes the batches. */
public enum ExecutorKind {
  /** The Vector API. */
  @JsonProperty("cpu")
  CPU,
  /** An NVIDIA GPU. */
  @JsonProperty("cuda")
  CUDA,
  /** A deterministic engine without weights. */
  @JsonProperty("scripted")
  SCRIPTED
}
