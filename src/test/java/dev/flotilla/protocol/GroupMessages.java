package dev.flotilla.protocol;

import java.util.List;

/** Messages of lockstep groups, for {@link SampleMessages} and {@link RandomMessages}. */
final class GroupMessages {
  private GroupMessages() {}

  static Object sample(FrameType type, Generation generation) {
    long number = new Epoch(2, 3).packed();
    return switch (type) {
      case START_WAVE -> new ToEngine.StartWave(SampleMessages.TERM, number, 41);
      case REGROUP -> new ToEngine.Regroup(SampleMessages.TERM, generation, 41);
      case WANT_WAVE ->
          new ToCoordinator.WantWave(SampleMessages.RANK, SampleMessages.INCARNATION, number, 41);
      case GROUP_BROKEN ->
          new ToCoordinator.GroupBroken(
              SampleMessages.RANK,
              SampleMessages.INCARNATION,
              number,
              List.of(new Rank(0)),
              "rank 0 did not take part within 2000 ms");
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  static Object random(FrameType type, RandomMessages some) {
    return switch (type) {
      case START_WAVE ->
          new ToEngine.StartWave(some.term(), some.random.nextLong(), some.random.nextLong());
      case REGROUP -> new ToEngine.Regroup(some.term(), some.generation(), some.random.nextLong());
      case WANT_WAVE ->
          new ToCoordinator.WantWave(
              some.rank(), some.incarnation(), some.random.nextLong(), some.random.nextLong());
      case GROUP_BROKEN ->
          new ToCoordinator.GroupBroken(
              some.rank(),
              some.incarnation(),
              some.random.nextLong(),
              some.list(3, _ -> some.rank()),
              some.text());
      default -> throw new IllegalArgumentException(type.toString());
    };
  }
}
