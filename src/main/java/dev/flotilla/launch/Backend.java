package dev.flotilla.launch;

import dev.flotilla.config.ConfigException;

/** What {@code --data-parallel-backend} names: where the engines of a node run. */
public enum Backend {
  /** Worker verticles of this JVM. */
  VERTICLE,
  /** One child JVM per rank, so that a crash takes one rank only. */
  PROCESS,
  /** Wherever the coordinator places them, by the agents of the nodes. */
  CLUSTER;

  /**
   * The backend of a flag.
   *
   * @throws ConfigException for one that does not exist, or not yet
   */
  static Backend of(String name) {
    return switch (name) {
      case "verticle" -> VERTICLE;
      case "process", "mp" -> PROCESS;
      case "ray" ->
          throw new ConfigException(
              "--data-parallel-backend ray: there is no Ray here; take cluster, and bring other nodes with flotilla join");
      case "cluster" -> CLUSTER;
      default ->
          throw new ConfigException(
              "--data-parallel-backend must be verticle, process (or mp) or cluster, not '%s'"
                  .formatted(name));
    };
  }
}
