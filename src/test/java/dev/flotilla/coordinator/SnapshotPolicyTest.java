package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.config.Balancing;
import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.coordinator.Membership.Effect;
import dev.flotilla.coordinator.Membership.Event;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What front-ends are told, and when, under the original's two policies. */
class SnapshotPolicyTest extends MembershipScript {
  private static final long TICK_MS = 10;

  private final List<Long> published = new ArrayList<>(); // when, in milliseconds
  private final List<ClusterView> views = new ArrayList<>();
  private StepSnapshot snapshot = StepSnapshot.NONE;
  private ViewPublisher publisher = ViewPublisher.start(1, 1, 1, 0);
  private boolean lockstep;
  private long sequence;

  private void start(LoadBalancing policy, boolean together) {
    lockstep = together;
    CoordinatorConfig config = CoordinatorConfig.ofSize(2).under(policy);
    assertEquals(100, config.publishMinMs());
    assertEquals(5_000, config.publishMaxMs());
    Expected expected = new Expected(Balancing.INTERNAL, policy, null, together, null, null);
    membership =
        Membership.start(
            new Membership.Limits(2, 60_000 * MS, 80_000 * MS, 0, expected), TERM, now);
    publisher = ViewPublisher.start(config.publishMinMs() * MS, config.publishMaxMs() * MS, 1, now);
    for (String name : List.of("a", "b")) {
      tell(
          new ToCoordinator.Hello(
              inc(name), null, NODE, true, false, together ? "x" : "", Epoch.NONE));
    }
    for (int rank = 0; rank < 2; rank++) {
      tell(
          new ToCoordinator.Ready(
              new Rank(rank), inc(rank == 0 ? "a" : "b"), epoch(rank), facts(), null));
    }
    passUntil(now / MS + 6_000);
    published.clear();
    views.clear();
  }

  private dev.flotilla.protocol.EngineFacts facts() {
    return new dev.flotilla.protocol.EngineFacts(
        "m", "scripted", 64, 16, 4096, 256, 2048, "0", 1, lockstep ? "x" : "");
  }

  private Epoch epoch(int rank) {
    return shown(rank).epoch();
  }

  /** Time passes as in the verticle: a tick, then whatever is due. */
  private void passUntil(long ms) {
    while (now / MS < ms) {
      now += TICK_MS * MS;
      on(new Event.Tick(now));
      publish(publisher.on(new ViewPublisher.Event.Tick(now)));
    }
  }

  private void report(int rank, int waiting, int running, long step) {
    LoadReport load =
        new LoadReport(
            new Rank(rank),
            inc(rank == 0 ? "a" : "b"),
            epoch(rank),
            ++sequence,
            waiting,
            running,
            0,
            0,
            0,
            64,
            step,
            0,
            true,
            0,
            List.of(),
            null);
    if (lockstep) {
      snapshot = snapshot.reported(load, membership.view(1).engines());
    }
    tell(new ToCoordinator.Load(load));
    if (effects.contains(new Effect.Changed())) {
      if (lockstep) {
        passUntil(now / MS + TICK_MS);
      }
      publish(publisher.on(new ViewPublisher.Event.Changed(now)));
    }
  }

  private void publish(ViewPublisher.Step step) {
    publisher = step.next();
    if (step.publish().isPresent()) {
      ClusterView view = membership.view(step.publish().getAsLong());
      StepSnapshot.Published shown = snapshot.published(view.engines());
      snapshot = shown.next();
      views.add(view.withEngines(shown.engines()));
      published.add(now / MS);
      if (shown.more()) {
        publish(publisher.on(new ViewPublisher.Event.Changed(now)));
      }
    }
  }

  private static int running(ClusterView view, int rank) {
    LoadReport load = view.engine(new Rank(rank)).orElseThrow().load();
    assertNotNull(load);
    return load.running();
  }

  @ParameterizedTest
  @EnumSource(names = {"VLLM", "VLLM_CLASSIC"})
  @Scenario("A29")
  void aChangeIsSeenSoonAndTheNextOneNotBefore100MsAfterIt(LoadBalancing policy) {
    start(policy, false);
    long first = now / MS;
    report(0, 0, 3, 1);
    passUntil(first + 10);
    report(0, 0, 4, 2);
    passUntil(first + 1_000);
    assertEquals(2, published.size(), published::toString);
    assertTrue(published.get(0) - first <= 150, published::toString);
    long gap = published.get(1) - published.get(0);
    assertTrue(gap >= 100 && gap <= 150, published::toString);
    assertEquals(3, running(views.get(0), 0));
    assertEquals(4, running(views.get(1), 0));
  }

  @ParameterizedTest
  @EnumSource(names = {"VLLM", "VLLM_CLASSIC"})
  @Scenario("A30")
  void withoutAChangeAViewComesEveryFiveSecondsThoughEnginesReport(LoadBalancing policy) {
    start(policy, false);
    report(0, 0, 3, 1);
    report(1, 0, 0, 0);
    passUntil(now / MS + 200);
    published.clear();
    long end = now / MS + 20_000;
    for (long at = now / MS; at < end; at += 250) {
      passUntil(at);
      report(0, 0, 3, 1);
      report(1, 0, 0, 0);
    }
    assertEquals(4, published.size(), 1, published::toString);
    for (int i = 1; i < published.size(); i++) {
      assertEquals(5_000.0, (double) (published.get(i) - published.get(i - 1)), 50);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"VLLM", "VLLM_CLASSIC"})
  @Scenario("A32")
  void ranksThatStepTogetherAreShownAsOfOneStep(LoadBalancing policy) {
    start(policy, true);
    report(0, 0, 1, 1);
    passUntil(now / MS + 500); // Published; the next publication is free to come at once.
    views.clear();
    report(1, 0, 1, 1);
    report(0, 0, 2, 2);
    passUntil(now / MS + 500);
    assertTrue(views.size() >= 2, () -> "views: " + views.size());
    ClusterView step1 = views.get(views.size() - 2);
    assertEquals(1, running(step1, 0), "rank 0 as of step 1, as rank 1 is");
    assertEquals(1, running(step1, 1));
    assertEquals(2, running(views.getLast(), 0), "what came later follows");
  }

  @ParameterizedTest
  @EnumSource(LoadBalancing.class)
  void whatTheEnginesAreToldOfThePolicyIsWhatTheySendBy(LoadBalancing policy) {
    Expected expected = new Expected(Balancing.INTERNAL, policy, null, false, null, null);
    membership =
        Membership.start(
            new Membership.Limits(2, 60_000 * MS, 80_000 * MS, 0, expected), TERM, now);
    tell(hello("a", 0));
    assertEquals(policy, only(ToEngine.Init.class).parallel().policy());
  }
}
