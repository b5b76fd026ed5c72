package dev.flotilla.config;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How a front-end chooses the engine of a request.
 *
 * @param policy by what rule
 * @param in who applies it
 * @param header whether each answer says in {@code X-Flotilla-Decision} why its engine was chosen
 */
public record ChoiceConfig(LoadBalancing policy, Place in, boolean header) {

  /** What is not set. */
  public static final ChoiceConfig DEFAULT =
      new ChoiceConfig(LoadBalancing.FLOTILLA, Place.FRONTEND, false);

  /** The values of {@code --balance-in}. */
  public enum Place {
    /** Each front-end for itself, which costs no hop and needs no coordinator. */
    @JsonProperty("frontend")
    FRONTEND,
    /** The coordinator for all, each front-end for itself where that does not answer in time. */
    @JsonProperty("coordinator")
    COORDINATOR;

    /** The value of the flag. */
    @Override
    public String toString() {
      return this == FRONTEND ? "frontend" : "coordinator";
    }
  }
}
