package dev.flotilla.config;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The values of {@code --load-balancing-policy}. */
public enum LoadBalancing {
  /** One engine after the other, whatever they have to do. */
  @JsonProperty("round-robin")
  ROUND_ROBIN,
  /** The engine with the fewest requests that this client has sent and that have not ended. */
  @JsonProperty("least-in-flight")
  LEAST_IN_FLIGHT,
  /** The original's until July 2026: four times the waiting plus the running, from snapshots. */
  @JsonProperty("vllm-classic")
  VLLM_CLASSIC,
  /** The original's since: with the client's own requests as floor and a price of a full cache. */
  @JsonProperty("vllm")
  VLLM,
  /** The engine that will have computed the prompt first. */
  @JsonProperty("flotilla")
  FLOTILLA;

  /**
   * Whether it sees counts only, as of the last step of each engine and as the coordinator's last
   * snapshot has them: the original's view.
   */
  public boolean bySnapshots() {
    return this == VLLM_CLASSIC || this == VLLM;
  }

  /** The name on the command line. */
  public String flag() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The policy of a name. */
  public static LoadBalancing of(String flag) {
    for (LoadBalancing policy : values()) {
      if (policy.flag().equals(flag.strip().toLowerCase(Locale.ROOT))) {
        return policy;
      }
    }
    throw new ConfigException(
        "load-balancing-policy must be one of %s, not '%s'"
            .formatted(
                Arrays.stream(values()).map(LoadBalancing::flag).collect(Collectors.joining(", ")),
                flag));
  }
}
