package dev.flotilla.placement;

import dev.flotilla.config.ConfigException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How ranks exchange tokens of experts: {@code --all2all-backend}, with the original's names. For
 * placement only one thing counts: whether every node must have equally many ranks.
 */
public enum AllToAll {
  /** One rank after the other tells all. */
  NAIVE(false),
  /** Gathers all, and scatters what was reduced. */
  ALLGATHER_REDUCESCATTER(false),
  /** Kernels of Perplexity. */
  PPLX(false),
  /** DeepEP for large batches. */
  DEEPEP_HIGH_THROUGHPUT(true),
  /** DeepEP for small batches. */
  DEEPEP_LOW_LATENCY(true),
  /** FlashInfer. */
  FLASHINFER_ALL2ALLV(false);

  private final boolean aligned;

  AllToAll(boolean aligned) {
    this.aligned = aligned;
  }

  /**
   * The backend of a flag.
   *
   * @throws ConfigException for one that does not exist; names those that do
   */
  public static AllToAll of(String name) {
    for (AllToAll backend : values()) {
      if (backend.toString().equals(name.strip().toLowerCase(Locale.ROOT))) {
        return backend;
      }
    }
    throw new ConfigException(
        "--all2all-backend must be one of %s, not '%s'"
            .formatted(
                Arrays.stream(values()).map(AllToAll::toString).collect(Collectors.joining(", ")),
                name));
  }

  /** Whether every node must have equally many ranks. */
  public boolean aligned() {
    return aligned;
  }

  /** As the flag names it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
