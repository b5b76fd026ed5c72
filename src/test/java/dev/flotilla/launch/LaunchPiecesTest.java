package dev.flotilla.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.ConfigException;
import dev.flotilla.launch.RestartPolicy.Decision;
import dev.flotilla.launch.RestartPolicy.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Restarts, device slices and callbacks. */
class LaunchPiecesTest {
  private static Decision last(long... deathsMs) {
    RestartPolicy policy = RestartPolicy.FRESH;
    Decision decision = new Decision.None();
    for (long at : deathsMs) {
      RestartPolicy.Step step = policy.on(new Event.Died(at));
      policy = step.next();
      decision = step.decision();
    }
    return decision;
  }

  @Test
  void restartsAtOnceThenLaterAndLater() {
    List<Long> waits = new ArrayList<>();
    RestartPolicy policy = RestartPolicy.FRESH;
    for (int i = 0; i < 9; i++) {
      RestartPolicy.Step step = policy.on(new Event.Died(i * 31_000L));
      policy = step.next();
      waits.add(((Decision.Restart) step.decision()).afterMs());
    }
    assertEquals(
        List.of(0L, 1_000L, 2_000L, 4_000L, 8_000L, 16_000L, 32_000L, 60_000L, 60_000L), waits);
  }

  @Test
  void threeDeathsWithinAMinuteOpenTheCircuit() {
    assertEquals(new Decision.Restart(1_000), last(0, 30_000));
    assertEquals(
        new Decision.GiveUp(
            "it died 3 times within 60 s and is given up; it is tried again in 60 s", 60_000),
        last(0, 30_000, 59_999));
    assertEquals(new Decision.Restart(2_000), last(0, 30_000, 60_000));
    assertEquals(new Decision.None(), last(0, 1, 2, 100_000));
  }

  @Test
  void aLongLifeOrAResetBeginsAnew() {
    assertEquals(new Decision.Restart(0), last(0, 1_000, 61_000));
    RestartPolicy open = RestartPolicy.FRESH;
    for (int i = 0; i < 3; i++) {
      open = open.on(new Event.Died(i)).next();
    }
    assertTrue(open.givenUp());
    assertEquals(RestartPolicy.FRESH, open.on(new Event.Reset()).next());
  }

  @Test
  void anOpenCircuitIsTriedAfterLongerAndLongerTimesUntilTheEngineLives() {
    RestartPolicy policy = RestartPolicy.FRESH;
    for (int i = 0; i < 3; i++) {
      policy = policy.on(new Event.Died(i)).next();
    }
    List<Long> trials = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      policy = policy.on(new Event.Tried(i * 1_000_000L)).next();
      RestartPolicy.Step step = policy.on(new Event.Died(i * 1_000_000L + 59_999));
      policy = step.next();
      trials.add(((Decision.GiveUp) step.decision()).trialMs());
    }
    assertEquals(List.of(120_000L, 240_000L, 480_000L, 960_000L, 960_000L, 960_000L), trials);

    policy = policy.on(new Event.Tried(9_000_000)).next();
    RestartPolicy.Step lived = policy.on(new Event.Died(9_060_000));
    assertEquals(new Decision.Restart(0), lived.decision(), "its life was long enough");
    assertFalse(lived.next().givenUp());
  }

  @Test
  @Scenario("A82")
  void eachLocalRankGetsItsSliceOfTheDevices() {
    assertEquals(List.of("2", "3"), DeviceSlice.of(null, null, 2).of(1));
    assertEquals(List.of("6", "7"), DeviceSlice.of(null, "4,5,6,7", 2).of(1));
    assertEquals(List.of("GPU-b"), DeviceSlice.of(null, "GPU-a, GPU-b", 1).of(1));
    assertEquals(List.of("5", "9"), DeviceSlice.of("1,3,5,9", null, 2).of(1));
    var tooShort =
        assertThrows(ConfigException.class, () -> DeviceSlice.of("4,5,6", null, 2).of(1));
    assertEquals(
        "--device-ids lists 3 devices, but local rank 1 needs those of [2, 4)",
        tooShort.getMessage());
    var hidden = assertThrows(ConfigException.class, () -> DeviceSlice.of(null, "0", 1).of(1));
    assertEquals(
        "CUDA_VISIBLE_DEVICES lists 1 devices, but local rank 1 needs those of [1, 2)",
        hidden.getMessage());
    assertThrows(ConfigException.class, () -> DeviceSlice.of("0,x", null, 1));
    assertThrows(ConfigException.class, () -> DeviceSlice.of("0,0", null, 1));
    assertFalse(DeviceSlice.of(null, "", 1).set());
  }

  @Test
  @Scenario("A79")
  void theEndOfAChildNamesItWithItsCodeOrSignal() {
    assertEquals(
        "EngineCore_DP1 ended with exit code 3: no memory",
        new EngineEnd("EngineCore_DP1", 3, "no memory").sentence());
    assertEquals(
        "EngineCore_DP1 was killed by SIGKILL (exit code 137)",
        new EngineEnd("EngineCore_DP1", 137, "").sentence());
  }

  @Test
  @Scenario("A80")
  void aCallbackRunsOnceAndNotAfterItWasStopped() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    Thread caller = Thread.currentThread();
    SignalCallback twice =
        SignalCallback.start(
            "twice",
            () -> {
              assertFalse(Thread.currentThread().equals(caller));
              calls.incrementAndGet();
            });
    assertTrue(twice.trigger());
    assertFalse(twice.trigger());
    twice.join();
    assertEquals(1, calls.get());

    SignalCallback stopped = SignalCallback.start("stopped", calls::incrementAndGet);
    stopped.stop();
    assertFalse(stopped.trigger());
    stopped.join();
    assertEquals(1, calls.get());
  }
}
