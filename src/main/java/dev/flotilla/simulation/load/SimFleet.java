package dev.flotilla.simulation.load;

import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.RequestId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/**
 * Engines, front-ends and a coordinator in virtual time, with messages that take a fixed delay and
 * keep their order. Deterministic: the same trace and settings give the same result. One thread.
 */
public final class SimFleet {
  private static final double SAMPLE_MS = 100;

  private final SimSettings settings;
  private final EventQueue events = new EventQueue();
  private final List<Rank> ranks = new ArrayList<>();
  private final List<SimEngine> engines = new ArrayList<>();
  private final List<SimReporter> reporters = new ArrayList<>();
  private final List<SimFrontend> frontends = new ArrayList<>();
  private final Map<FrontendId, SimFrontend> byId = new HashMap<>();
  private final Map<Incarnation, SimEngine> byIncarnation = new HashMap<>();
  private final SimCoordinator coordinator;
  private final List<SimRequest> requests = new ArrayList<>();
  private final @Nullable SimLockstep lockstep;
  private final boolean[] stepping;
  private final long delayNanos;
  private int alive;
  private int open;
  private int moved;
  private double imbalanceSum;
  private int imbalanceSamples;

  private SimFleet(Trace trace, SimSettings settings) {
    this.settings = settings;
    delayNanos = Math.round(settings.delayMs() * 1e6);
    stepping = new boolean[settings.engines()];
    for (int i = 0; i < settings.engines(); i++) {
      ranks.add(new Rank(i));
      SimEngine engine = new SimEngine(this, i);
      engines.add(engine);
      byIncarnation.put(engine.incarnation(), engine);
      reporters.add(new SimReporter(this, engine));
    }
    lockstep = settings.lockstep() ? new SimLockstep(this) : null;
    coordinator = new SimCoordinator(this);
    for (int i = 0; i < settings.frontends(); i++) {
      SimFrontend frontend = new SimFrontend(this, i);
      frontends.add(frontend);
      byId.put(frontend.id(), frontend);
      reporters.forEach(reporter -> reporter.add(frontend.id()));
    }
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(settings.seed());
    List<PrefixChain> chains =
        settings.engine().prefixCaching() && settings.policy() == LoadBalancing.FLOTILLA
            ? Prompts.chains(trace, settings.engine().blockTokens())
            : Collections.nCopies(trace.requests().size(), PrefixChain.NONE);
    for (int i = 0; i < trace.requests().size(); i++) {
      SimFrontend frontend = frontends.get(random.nextInt(frontends.size()));
      RequestId id = new RequestId(frontend.id(), i);
      requests.add(new SimRequest(trace.requests().get(i), id, frontend, chains.get(i)));
    }
    open = requests.size();
    alive = engines.size();
    coordinator.start();
  }

  /** Runs a trace to its end. */
  public static SimResult run(Trace trace, SimSettings settings) {
    return new SimFleet(trace, settings).run();
  }

  private SimResult run() {
    plan(nanos(requests.getFirst().arrival.ms()), () -> arrive(0));
    for (SimSettings.Kill kill : settings.kills()) {
      plan(nanos(kill.ms()), () -> kill(kill.rank()));
    }
    plan(nanos(SAMPLE_MS), this::sample);
    boolean more = true;
    while (open > 0 && alive > 0 && more) {
      more = events.advance();
    }
    return SimResult.of(settings, requests, moved, imbalanceSum / Math.max(1, imbalanceSamples));
  }

  private void arrive(int index) {
    SimRequest request = requests.get(index);
    if (index + 1 < requests.size()) {
      plan(nanos(requests.get(index + 1).arrival.ms()), () -> arrive(index + 1));
    }
    request.frontend.accept(request);
  }

  private void kill(int rank) {
    SimEngine engine = engines.get(rank);
    if (engine.dead()) {
      return;
    }
    engine.die();
    alive--;
    if (lockstep != null) {
      lockstep.lost();
    }
    plan(
        now() + nanos(settings.detectMs()),
        () -> {
          coordinator.lost(engine);
        });
  }

  /** How uneven the engines' requests are, now and then. */
  private void sample() {
    long sum = 0;
    long most = 0;
    for (SimEngine engine : engines) {
      if (!engine.dead()) {
        long load = (long) engine.counters().waiting() + engine.counters().running();
        sum += load;
        most = Math.max(most, load);
      }
    }
    if (sum > 0) {
      imbalanceSum += (double) most * alive / sum;
      imbalanceSamples++;
    }
    if (!done()) {
      plan(now() + nanos(SAMPLE_MS), this::sample);
    }
  }

  private static long nanos(double ms) {
    return Math.round(ms * 1e6);
  }

  SimSettings settings() {
    return settings;
  }

  long now() {
    return events.now();
  }

  void plan(long at, Runnable action) {
    events.plan(at, action);
  }

  /** Lets a message arrive. */
  void send(Runnable arrival) {
    events.plan(events.now() + delayNanos, arrival);
  }

  Rank rank(int value) {
    return ranks.get(value);
  }

  List<SimEngine> engines() {
    return engines;
  }

  SimEngine engine(int rank) {
    return engines.get(rank);
  }

  SimEngine engine(Incarnation incarnation) {
    return Objects.requireNonNull(byIncarnation.get(incarnation));
  }

  SimReporter reporter(int rank) {
    return reporters.get(rank);
  }

  List<SimFrontend> frontends() {
    return frontends;
  }

  SimFrontend frontend(FrontendId id) {
    return Objects.requireNonNull(byId.get(id));
  }

  SimCoordinator coordinator() {
    return coordinator;
  }

  SimRequest request(RequestId id) {
    return requests.get((int) id.counter());
  }

  boolean done() {
    return open == 0;
  }

  void countEnd() {
    open--;
  }

  void countMove() {
    moved++;
  }

  /** A view leaves the coordinator. */
  void publish(ClusterView view) {
    send(() -> frontends.forEach(frontend -> frontend.view(view)));
  }

  /** An engine has got work. */
  void wake(SimEngine engine) {
    if (engine.dead()) {
      return; // It was told to look again when it still lived.
    }
    if (lockstep != null) {
      lockstep.wake();
    } else if (!stepping[engine.rank()] && !engine.resting()) {
      step(engine);
    }
  }

  private void step(SimEngine engine) {
    stepping[engine.rank()] = true;
    long nanos = engine.begin();
    plan(
        now() + nanos,
        () -> {
          engine.end();
          stepping[engine.rank()] = false;
          if (!engine.dead() && !engine.resting()) {
            step(engine);
          }
        });
  }
}
