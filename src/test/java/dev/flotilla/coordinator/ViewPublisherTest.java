package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.coordinator.ViewPublisher.Event;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ViewPublisherTest {
  private ViewPublisher publisher = ViewPublisher.start(20, 1_000, 7, 0);

  private OptionalLong on(Event event) {
    ViewPublisher.Step step = publisher.on(event);
    publisher = step.next();
    return step.publish();
  }

  @Test
  void publishesAtTheFirstTick() {
    assertEquals(OptionalLong.of(7), on(new Event.Tick(1)));
  }

  @Test
  void publishesAChangeAtOnceAfterAQuietTime() {
    on(new Event.Tick(0));
    assertEquals(OptionalLong.empty(), on(new Event.Tick(19)));
    assertEquals(OptionalLong.of(8), on(new Event.Changed(20)));
  }

  @Test
  void holdsAChangeForTheShortestTime() {
    on(new Event.Tick(0));
    assertEquals(OptionalLong.empty(), on(new Event.Changed(5)));
    assertEquals(OptionalLong.empty(), on(new Event.Tick(19)));
    assertEquals(OptionalLong.of(8), on(new Event.Tick(20)));
    assertEquals(OptionalLong.empty(), on(new Event.Tick(40)));
  }

  @Test
  void publishesAfterTheLongestTimeWithoutAChange() {
    on(new Event.Tick(0));
    assertEquals(OptionalLong.empty(), on(new Event.Tick(999)));
    assertEquals(OptionalLong.of(8), on(new Event.Tick(1_000)));
  }

  @Test
  void endlessInputNeitherStarvesNorFloodsIt() {
    int published = 0;
    for (long now = 0; now < 1_000; now++) {
      published += on(new Event.Changed(now)).isPresent() ? 1 : 0;
    }
    assertTrue(published >= 49 && published <= 51, "published " + published);
  }
}
