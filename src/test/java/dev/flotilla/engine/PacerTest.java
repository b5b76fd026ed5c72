package dev.flotilla.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PacerTest {
  @Test
  void performsAtOnceAndThenOnceForAllOfAGap() {
    AtomicInteger performed = new AtomicInteger();
    List<Runnable> timers = new ArrayList<>();
    AtomicLong now = new AtomicLong();
    Pacer pacer =
        new Pacer(
            60_000,
            performed::incrementAndGet,
            (ms, action) -> {
              assertEquals(60_000, ms);
              timers.add(action);
            },
            now::get);
    pacer.request();
    assertEquals(1, performed.get());
    pacer.request();
    pacer.request();
    assertEquals(1, performed.get());
    assertEquals(1, timers.size());
    now.set(60_000_000_000L);
    timers.getFirst().run();
    assertEquals(2, performed.get());
    pacer.request();
    assertEquals(2, timers.size(), "the gap starts anew");
  }
}
