package dev.flotilla.protocol;

import java.util.List;

/** Messages of pausing, for {@link SampleMessages} and {@link RandomMessages}. */
final class PauseMessages {
  private PauseMessages() {}

  static Object sample(FrameType type) {
    return switch (type) {
      case PAUSE -> new ToEngine.Pause(SampleMessages.TERM, (2L << 32) + 1, PauseMode.KEEP, true);
      case RESUME -> new ToEngine.Resume(SampleMessages.TERM, (2L << 32) + 2);
      case PAUSED ->
          new ToCoordinator.Paused(
              SampleMessages.RANK,
              SampleMessages.INCARNATION,
              (2L << 32) + 1,
              PauseMode.KEEP,
              false);
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  static Object random(FrameType type, RandomMessages some) {
    PauseMode mode = List.of(PauseMode.values()).get(some.random.nextInt(3));
    return switch (type) {
      case PAUSE ->
          new ToEngine.Pause(some.term(), some.random.nextLong(), mode, some.random.nextBoolean());
      case RESUME -> new ToEngine.Resume(some.term(), some.random.nextLong());
      case PAUSED ->
          new ToCoordinator.Paused(
              some.rank(),
              some.incarnation(),
              some.random.nextLong(),
              some.random.nextBoolean() ? null : mode,
              some.random.nextBoolean());
      default -> throw new IllegalArgumentException(type.toString());
    };
  }
}
