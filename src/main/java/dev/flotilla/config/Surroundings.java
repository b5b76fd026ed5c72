package dev.flotilla.config;

import java.util.List;

/**
 * What engines on any node get of the head's process, as far as they run in JVMs of their own.
 *
 * @param environment variables, each {@code NAME=value}
 * @param jvmFlags in place of a node's own of the same name
 */
public record Surroundings(List<String> environment, List<String> jvmFlags) {
  /** Nothing. */
  public static final Surroundings DEFAULT = new Surroundings(List.of(), List.of());

  /** Keeps private copies; a variable without a value is refused. */
  public Surroundings {
    environment = List.copyOf(environment);
    jvmFlags = List.copyOf(jvmFlags);
    for (String variable : environment) {
      Check.that(
          variable.indexOf('=') > 0, "environment must be NAME=value each, not '%s'", variable);
    }
  }
}
