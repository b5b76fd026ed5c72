package dev.flotilla.config;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The values of {@code --load-balancing-policy}. */
public enum LoadBalancing {
  /** One engine after the other, whatever they have to do. */
  ROUND_ROBIN,
  /** The engine with the fewest requests that this client has sent and that have not ended. */
  LEAST_IN_FLIGHT,
  /** The original's until July 2026: four times the waiting plus the running, from snapshots. */
  VLLM_CLASSIC,
  /** The original's since: with the client's own requests as floor and a price of a full cache. */
  VLLM,
  /** The engine that will have computed the prompt first. */
  FLOTILLA;

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
