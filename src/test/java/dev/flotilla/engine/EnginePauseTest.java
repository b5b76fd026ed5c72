package dev.flotilla.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.flotilla.engine.EnginePause.Effect;
import dev.flotilla.engine.EnginePause.Event;
import dev.flotilla.engine.EnginePause.Level;
import dev.flotilla.engine.EnginePause.Order;
import dev.flotilla.protocol.PauseMode;
import java.util.List;
import org.junit.jupiter.api.Test;

class EnginePauseTest {
  private static final Level RUNS = new Level(0, null, false);

  private EnginePause pause = EnginePause.NEVER;

  private List<Effect> on(Event event) {
    EnginePause.Step step = pause.on(event);
    pause = step.next();
    return step.effects();
  }

  private static Order keep(long number) {
    return new Order(number, PauseMode.KEEP, false);
  }

  private static Effect tell(long number, boolean resting) {
    return new Effect.Tell(new Level(number, PauseMode.KEEP, resting));
  }

  @Test
  void tellsThatItObeysWhenItsLoopHasObeyed_andThatItRestsWhenNothingRuns() {
    assertEquals(
        List.of(new Effect.Tell(RUNS), new Effect.Obey(keep(7))), on(new Event.Ordered(keep(7))));
    assertEquals(List.of(), on(new Event.Rests(true)), "the loop has not obeyed yet");
    assertEquals(List.of(tell(7, false)), on(new Event.Obeyed(7, 100)));
    assertEquals(List.of(), on(new Event.Rests(false)));
    assertEquals(List.of(tell(7, true)), on(new Event.Rests(true)));
    assertEquals(List.of(), on(new Event.Rests(true)), "a level is told when it changes");
    assertEquals(List.of(tell(7, true)), on(new Event.Beat(60_000)));
  }

  @Test
  void obeysAnOrderOnce_andTheHighestOnly() {
    on(new Event.Ordered(keep(7)));
    assertEquals(List.of(new Effect.Tell(RUNS)), on(new Event.Ordered(keep(7))), "it is asked");
    on(new Event.Obeyed(7, 0));
    assertEquals(List.of(tell(7, false)), on(new Event.Ordered(keep(7))));
    assertEquals(List.of(tell(7, false)), on(new Event.Ordered(new Order(6, null, false))));
    Order resume = new Order(8, null, false);
    assertEquals(List.of(tell(7, false), new Effect.Obey(resume)), on(new Event.Ordered(resume)));
    assertEquals(List.of(), on(new Event.Obeyed(7, 0)), "that came late");
    Effect runs = new Effect.Tell(new Level(8, null, false));
    assertEquals(List.of(runs), on(new Event.Obeyed(8, 1_000)));
    assertEquals(List.of(runs), on(new Event.Beat(30_999)));
    assertEquals(List.of(), on(new Event.Beat(31_000)), "everybody knows by now");
  }

  @Test
  void asksItsLoopAgainIfThereWasNoRoom() {
    on(new Event.Ordered(keep(7)));
    on(new Event.Unasked());
    assertEquals(
        List.of(new Effect.Tell(RUNS), new Effect.Obey(keep(7))), on(new Event.Ordered(keep(7))));
  }

  @Test
  void restsOnlyWhenItsCachesAreForgotten() {
    Order order = new Order(7, PauseMode.WAIT, true);
    on(new Event.Ordered(order));
    on(new Event.Obeyed(7, 0));
    assertEquals(List.of(new Effect.Clear(7)), on(new Event.Rests(true)));
    assertEquals(List.of(), on(new Event.Rests(true)), "it is asked once");
    assertEquals(List.of(), on(new Event.Cleared(7)));
    Effect rests = new Effect.Tell(new Level(7, PauseMode.WAIT, true));
    assertEquals(List.of(rests), on(new Event.Rests(true)));
  }
}
