package dev.flotilla.simulation.load;

import static dev.flotilla.config.LoadBalancing.FLOTILLA;
import static dev.flotilla.config.LoadBalancing.VLLM;
import static dev.flotilla.config.LoadBalancing.VLLM_CLASSIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.LoadBalancing;
import dev.flotilla.simulation.load.SimSettings.EngineModel;
import dev.flotilla.simulation.load.SimSettings.Kill;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole traces, against an independent simulator's figures and the goals. */
class SimFleetTest {
  static Trace resource(String name) throws IOException {
    try (InputStream in =
        new GZIPInputStream(
            Objects.requireNonNull(
                SimFleetTest.class.getResourceAsStream("/traces/" + name + ".jsonl.gz")))) {
      return Trace.parse(in, name);
    }
  }

  /** The fleet that the goals are stated for. */
  static SimSettings settings(Trace trace, LoadBalancing policy, long seed) {
    return settings(8, policy, seed, List.of(), false, List.of(), EngineModel.of(trace.prefixes()));
  }

  private static SimSettings settings(
      int engines,
      LoadBalancing policy,
      long seed,
      List<Double> factors,
      boolean lockstep,
      List<Kill> kills,
      EngineModel engine) {
    return new SimSettings(
        engines, 4, policy, factors, lockstep, 0.5, kills, seed, 0, true, 100, engine);
  }

  /** Poisson arrivals of log-normal lengths, unlike any shipped trace. */
  private static Trace synthetic(int count, double perSecond, long seed) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    List<Trace.Arrival> arrivals = new ArrayList<>();
    double ms = 0;
    for (int i = 0; i < count; i++) {
      ms += -Math.log(1 - random.nextDouble()) * 1000 / perSecond;
      int input = (int) Math.clamp(Math.exp(5.5 + 1.4 * random.nextGaussian()), 4, 60_000);
      int output = (int) Math.clamp(Math.exp(4.3 + 0.9 * random.nextGaussian()), 2, 2000);
      arrivals.add(new Trace.Arrival(ms, input, output, List.of()));
    }
    return new Trace(arrivals);
  }

  @ParameterizedTest
  @CsvSource({"poisson, 1", "burst, 1", "heavy, 3"}) // Five of each in AllTracesTest.
  void agreesWithTheReferenceAndMeetsTheGoals(String name, int seeds) throws IOException {
    Acceptance.of(name).check(resource(name), seeds);
  }

  @Test
  void agreesWithTheReferenceAndMeetsTheGoalsOnSharedPrefixes() throws IOException {
    Acceptance.of("agentic").check(resource("agentic"), 1);
  }

  @Test
  void aRunOfAzureConvTakesLessThanTwentySecondsOfOneCore() throws IOException {
    long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    Acceptance.of("azure_conv").check(resource("azure_conv"), 1);
    double seconds = (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start) / 1e9;
    assertTrue(seconds < 3 * 20, "three runs took " + seconds + " s");
  }

  @ParameterizedTest
  @EnumSource
  void theSameSeedGivesTheSameFigures(LoadBalancing policy) {
    Trace trace = synthetic(600, 80, 3);
    SimResult first = SimFleet.run(trace, settings(trace, policy, 5));
    assertEquals(first, SimFleet.run(trace, settings(trace, policy, 5)));
    assertEquals(600, first.completed());
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 5, 12})
  void winsOnOtherTracesAndEngineCounts(int engines) {
    Trace raw = synthetic(4000, 100, engines);
    EngineModel engine = EngineModel.of(false);
    Trace trace = Utilisation.scale(raw, engine, engines, 0.9);
    List<SimResult> results = new ArrayList<>();
    for (LoadBalancing policy : List.of(VLLM_CLASSIC, VLLM, FLOTILLA)) {
      results.add(
          SimFleet.run(trace, settings(engines, policy, 1, List.of(), false, List.of(), engine)));
    }
    double best = Math.min(results.get(0).ttftP99Ms(), results.get(1).ttftP99Ms());
    assertTrue(results.get(2).ttftP99Ms() < 0.75 * best, results::toString);
    assertTrue(results.get(2).tpotP99Ms() < 1.1 * results.get(0).tpotP99Ms(), results::toString);
  }

  @Test
  void givesASlowEngineLess() throws IOException {
    Trace trace = resource("heavy");
    EngineModel engine = EngineModel.of(false);
    List<Double> slow = List.of(2.0);
    SimResult classic =
        SimFleet.run(trace, settings(8, VLLM_CLASSIC, 1, slow, false, List.of(), engine));
    SimResult flotilla =
        SimFleet.run(trace, settings(8, FLOTILLA, 1, slow, false, List.of(), engine));
    assertTrue(flotilla.ttftP99Ms() < 0.33 * classic.ttftP99Ms(), () -> classic + " " + flotilla);
  }

  @Test
  void ranksInLockstepAreKeptEven() throws IOException {
    EngineModel engine = EngineModel.of(false);
    Trace trace = Utilisation.scale(resource("poisson"), engine, 8, 0.5);
    SimResult classic =
        SimFleet.run(trace, settings(8, VLLM_CLASSIC, 1, List.of(), true, List.of(), engine));
    SimResult flotilla =
        SimFleet.run(trace, settings(8, FLOTILLA, 1, List.of(), true, List.of(), engine));
    assertTrue(flotilla.ttftP99Ms() < 0.7 * classic.ttftP99Ms(), () -> classic + " " + flotilla);
    assertEquals(8000, flotilla.completed());
  }

  @ParameterizedTest
  @EnumSource
  void requestsOfAnEngineThatDiesGoOnElsewhere(LoadBalancing policy) {
    Trace trace = synthetic(1500, 70, 9);
    // Not three: a request that three engines have failed ends, as it does when it is served.
    List<Kill> kills = List.of(new Kill(1, 4000), new Kill(6, 4050));
    for (boolean lockstep : List.of(false, true)) {
      SimResult result =
          SimFleet.run(
              trace, settings(8, policy, 2, List.of(), lockstep, kills, EngineModel.of(false)));
      assertEquals(1500, result.completed());
      assertEquals(0, result.lost());
    }
  }

  @Test
  void whatNoEngineIsLeftForIsLost() {
    Trace trace = synthetic(300, 50, 4);
    SimResult result =
        SimFleet.run(
            trace,
            settings(
                2,
                FLOTILLA,
                1,
                List.of(),
                false,
                List.of(new Kill(0, 2000), new Kill(1, 3000)),
                EngineModel.of(false)));
    assertTrue(result.lost() > 0 && result.completed() > 0, result::toString);
    assertEquals(300, result.lost() + result.completed());
  }

  @Test
  void aRequestThatFitsNowhereIsLost() {
    Trace trace =
        new Trace(
            List.of(
                new Trace.Arrival(0, 500_000, 5, List.of()),
                new Trace.Arrival(1, 50, 5, List.of())));
    SimResult result = SimFleet.run(trace, settings(trace, FLOTILLA, 1));
    assertEquals(1, result.lost());
    assertEquals(1, result.completed());
  }

  @Test
  void theSharedTracesAskForAboutNineTenths() throws IOException {
    for (String name : List.of("azure_conv", "poisson", "heavy", "burst")) {
      assertEquals(0.9, Utilisation.of(resource(name), EngineModel.of(false), 8), 0.1, name);
    }
  }
}
