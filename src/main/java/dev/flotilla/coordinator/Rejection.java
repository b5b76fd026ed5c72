package dev.flotilla.coordinator;

import dev.flotilla.config.Balancing;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;

/**
 * Why one engine's message was not accepted; it concerns that engine alone. In the original each of
 * these ends the launch of all.
 */
public sealed interface Rejection {
  /** For a person: what was expected, what came, what to do. */
  String sentence();

  /** A rank that the group does not have. */
  record UnexpectedRank(Rank rank, int size) implements Rejection {
    @Override
    public String sentence() {
      return "rank %s is not one of 0 to %d, since data-parallel-size is %d here"
          .formatted(rank, size - 1, size);
    }
  }

  /** An engine of another place than its rank is expected at. */
  record WrongPlace(Rank rank, String status, boolean local) implements Rejection {
    @Override
    public String sentence() {
      return "%s of rank %s says that it is %s, but that rank is expected %s; check --data-parallel-size-local and --data-parallel-start-rank"
          .formatted(
              status,
              rank,
              local ? "local" : "remote",
              local ? "on another node" : "on the head's node");
    }
  }

  /** A remote engine whose node has an API server though the head's balance alone, or has none. */
  record WrongMode(Rank rank, Balancing balancing) implements Rejection {
    @Override
    public String sentence() {
      return balancing == Balancing.INTERNAL
          ? "remote rank %s must be headless under internal load balancing; start its node with --headless"
              .formatted(rank)
          : "remote rank %s must not be headless under %s load balancing; start its node without --headless"
              .formatted(rank, balancing == Balancing.HYBRID ? "hybrid" : "external");
    }
  }

  /** A message that the rank's state has no place for. */
  record WrongState(Rank rank, String status, EngineState state) implements Rejection {
    @Override
    public String sentence() {
      return "%s of rank %s came while that rank is %s; the engine must say Hello first"
          .formatted(status, rank, state);
    }
  }

  /** Other settings than the group's, which steps together. */
  record OtherConfiguration(Rank rank, String status, String expected, String actual)
      implements Rejection {
    @Override
    public String sentence() {
      return "%s of rank %s has configuration hash %s, but the group's is '%s'; start all ranks with the same settings"
          .formatted(status, rank, actual.isEmpty() ? "none" : "'" + actual + "'", expected);
    }
  }

  /** An engine that follows another coordinator. */
  record OtherCoordinator(Rank rank, NodeId own, NodeId named) implements Rejection {
    @Override
    public String sentence() {
      return "Ready of rank %s names the coordinator on node %s, but this one is on node %s; stop one of the two"
          .formatted(rank, named, own);
    }
  }

  /** A rank that another engine holds and shows that it lives. */
  record RankHeld(Rank rank, String holder) implements Rejection {
    @Override
    public String sentence() {
      return "rank %s is held by %s, which lives; choose another rank or stop that engine first"
          .formatted(rank, holder);
    }
  }

  /** More engines than ranks. */
  record NoRankFree(int size) implements Rejection {
    @Override
    public String sentence() {
      return "all %d ranks are taken; start with a larger --data-parallel-size".formatted(size);
    }
  }

  /** An epoch above which there is none. */
  record NoSuccessor(Epoch epoch) implements Rejection {
    @Override
    public String sentence() {
      return "epoch %s has no successor; start the engine afresh".formatted(epoch);
    }
  }
}
