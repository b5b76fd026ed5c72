package dev.flotilla.protocol;

import dev.flotilla.config.Surroundings;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** Messages about devices and the size of the group, fixed and random ones. */
final class PlacementMessages {
  private PlacementMessages() {}

  static Object sample(FrameType type) {
    return switch (type) {
      case NODE_REPORT ->
          new ToCoordinator.NodeReport(
              SampleMessages.NODE,
              12,
              "10.0.0.7",
              8,
              SampleMessages.TERM,
              5,
              4,
              List.of(new Lease(SampleMessages.RANK, 5, List.of(0, 1), true, false)),
              Map.of("cores", "64"));
      case LEASE_REFUSED ->
          new ToCoordinator.LeaseRefused(
              SampleMessages.NODE, 6, SampleMessages.RANK, "2 devices are free, not 4");
      case ENGINE_ENDED ->
          new ToCoordinator.EngineEnded(
              SampleMessages.NODE, SampleMessages.RANK, "was killed by SIGKILL (exit code 137)");
      case RESERVE -> new ToNode.Reserve(SampleMessages.TERM, 6, SampleMessages.RANK, 2, 10_000);
      case PLACE ->
          new ToNode.Place(
              SampleMessages.TERM,
              6,
              SampleMessages.RANK,
              "{\"rank\":3}",
              new Surroundings(List.of("NAME=value"), List.of("-Xmx4g")));
      case RETIRE -> new ToNode.Retire(SampleMessages.TERM, 7, SampleMessages.RANK);
      case SETTLE -> new ToNode.Settle(SampleMessages.TERM, 7, 4, List.of(SampleMessages.RANK));
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  static Object random(FrameType type, RandomMessages some, RandomGenerator random) {
    return switch (type) {
      case NODE_REPORT ->
          new ToCoordinator.NodeReport(
              some.node(),
              random.nextLong(),
              some.text(),
              random.nextInt(),
              some.term(),
              random.nextLong(),
              random.nextInt(),
              some.list(3, _ -> lease(some, random)),
              Map.of(some.text(), some.text()));
      case LEASE_REFUSED ->
          new ToCoordinator.LeaseRefused(some.node(), random.nextLong(), some.rank(), some.text());
      case ENGINE_ENDED -> new ToCoordinator.EngineEnded(some.node(), some.rank(), some.text());
      case RESERVE ->
          new ToNode.Reserve(
              some.term(), random.nextLong(), some.rank(), random.nextInt(), random.nextLong());
      case PLACE ->
          new ToNode.Place(
              some.term(),
              random.nextLong(),
              some.rank(),
              some.text(),
              new Surroundings(List.of("NAME=" + some.text()), List.of(some.text())));
      case RETIRE -> new ToNode.Retire(some.term(), random.nextLong(), some.rank());
      case SETTLE ->
          new ToNode.Settle(
              some.term(), random.nextLong(), random.nextInt(), some.list(3, _ -> some.rank()));
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static Lease lease(RandomMessages some, RandomGenerator random) {
    return new Lease(
        some.rank(),
        random.nextLong(),
        some.list(3, _ -> random.nextInt()),
        random.nextBoolean(),
        random.nextBoolean());
  }
}
