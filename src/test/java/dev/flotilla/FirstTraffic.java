package dev.flotilla;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Looks again and again how soon engines that have become ready do their first step. */
final class FirstTraffic implements AutoCloseable {
  private static final long LOOK_MS = 25;
  private static final long NONE = -1;

  private final ScheduledExecutorService looking =
      Executors.newSingleThreadScheduledExecutor(Thread.ofVirtual().factory());
  private final Map<String, Long> readyNanos = new ConcurrentHashMap<>(); // By incarnation.
  private final Map<String, Long> stepMs = new ConcurrentHashMap<>(); // NONE: not yet.
  private final URI base;
  private volatile String present = "";

  private FirstTraffic(URI base) {
    this.base = base;
  }

  /** Those that are there now do not count. */
  static FirstTraffic watch(URI base) throws Exception {
    FirstTraffic traffic = new FirstTraffic(base);
    traffic.look();
    traffic.stepMs.clear();
    var _ =
        traffic.looking.scheduleWithFixedDelay(
            traffic::tryLook, LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
    return traffic;
  }

  private void tryLook() {
    try {
      look();
    } catch (Exception e) {
      present = e.toString(); // The next look may succeed.
    }
  }

  private void look() throws Exception {
    String engines = FlotillaProcess.get(base, "/engines").body();
    long now = System.nanoTime();
    present = engines;
    for (JsonNode engine : FlotillaProcess.json(engines).path("engines")) {
      String incarnation = engine.path("incarnation").asText();
      if (!engine.path("state").asText().equals("READY")) {
        continue;
      }
      if (readyNanos.putIfAbsent(incarnation, now) == null) {
        stepMs.put(incarnation, NONE);
      }
      if (engine.path("step").asLong() > 0) {
        stepMs.replace(incarnation, NONE, (now - readyNanos.get(incarnation)) / 1_000_000);
      }
    }
  }

  /** Waits until each of those that are there has done a step. */
  void awaitAll(Duration limit) {
    await("all new ranks step")
        .atMost(limit)
        .until(
            () ->
                stepMs.entrySet().stream()
                    .noneMatch(e -> e.getValue() == NONE && present.contains(e.getKey())));
  }

  /** From READY to the first step, of each that has done one. */
  List<Long> delaysMs() {
    List<Long> delays = new ArrayList<>(stepMs.values());
    delays.removeIf(ms -> ms == NONE);
    delays.sort(null);
    return delays;
  }

  @Override
  public String toString() {
    return "first steps after " + delaysMs() + " ms; now " + present;
  }

  @Override
  public void close() {
    looking.shutdownNow();
  }
}
