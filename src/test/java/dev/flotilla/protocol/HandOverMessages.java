package dev.flotilla.protocol;

import java.util.List;

/**
 * Messages of handing queued requests over, for {@link SampleMessages} and {@link RandomMessages}.
 */
final class HandOverMessages {
  private HandOverMessages() {}

  static Object sample(FrameType type) {
    EngineAt idler = new EngineAt(new Rank(0), new Incarnation("aa"), new Epoch(2, 1));
    return switch (type) {
      case HAND_OVER ->
          new ToEngine.HandOver(
              SampleMessages.INCARNATION,
              SampleMessages.EPOCH,
              77,
              idler,
              41.5,
              StepCost.DEFAULT,
              4_096,
              12);
      case DECLINE -> new ToEngine.Decline(SampleMessages.REQUEST, 2);
      case OFFER ->
          new ToFrontend.Offer(
              new EngineAt(SampleMessages.RANK, SampleMessages.INCARNATION, SampleMessages.EPOCH),
              idler,
              List.of(new ToFrontend.Attempt(SampleMessages.REQUEST, 2)));
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  static Object random(FrameType type, RandomMessages some) {
    return switch (type) {
      case HAND_OVER ->
          new ToEngine.HandOver(
              some.incarnation(),
              some.epoch(),
              some.random.nextLong(),
              at(some),
              some.random.nextDouble(),
              StepCost.DEFAULT.times(1 + some.random.nextInt(9)),
              some.random.nextLong(),
              some.random.nextInt());
      case DECLINE -> new ToEngine.Decline(some.request(), some.random.nextInt());
      case OFFER ->
          new ToFrontend.Offer(
              at(some),
              at(some),
              List.of(new ToFrontend.Attempt(some.request(), some.random.nextInt())));
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static EngineAt at(RandomMessages some) {
    return new EngineAt(some.rank(), some.incarnation(), some.epoch());
  }
}
