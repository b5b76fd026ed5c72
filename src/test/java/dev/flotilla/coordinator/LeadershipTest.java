package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.Candidacy;
import dev.flotilla.coordinator.Leadership.Effect;
import dev.flotilla.coordinator.Leadership.Event;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Term;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Who leads when, on a clock of milliseconds. */
class LeadershipTest {
  private static final long MS = 1_000_000;
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");
  private static final NodeId C = new NodeId("c");
  private static final NodeId ENGINES = new NodeId("engines");

  private Leadership leadership = Leadership.start(B, Candidacy.SUCCESSOR, 0);
  private List<Effect> effects = List.of();
  private long now;

  private void on(Event event) {
    Leadership.Step step = leadership.on(event);
    leadership = step.next();
    effects = step.effects();
  }

  private void start(Candidacy candidacy) {
    leadership = Leadership.start(B, candidacy, now);
  }

  private void hear(int number, NodeId node) {
    on(new Event.Heard(now, new Term(number, node)));
  }

  private void list(List<NodeId> all, NodeId... standingBy) {
    on(new Event.Nodes(now, all, List.of(standingBy)));
  }

  /** The term that it leads from within so long, if it does. */
  private Optional<Term> passMs(long ms) {
    for (long left = ms; left > 0; left -= 50) {
      now += 50 * MS;
      on(new Event.Tick(now));
      if (led().isPresent()) {
        return led();
      }
    }
    return Optional.empty();
  }

  private Optional<Term> led() {
    return effects.stream()
        .filter(Effect.Lead.class::isInstance)
        .map(e -> ((Effect.Lead) e).term())
        .findFirst();
  }

  @Test
  void anOnlyCoordinatorLeadsAtOnce() {
    start(Candidacy.AT_ONCE);
    on(new Event.Tick(0));
    assertEquals(Optional.of(new Term(1, B)), led());
  }

  @Test
  void aFounderLeadsAtOnceWhereNobodyElseCould() {
    start(Candidacy.FOUNDER);
    list(List.of(B, ENGINES), B);
    assertEquals(Optional.of(new Term(1, B)), led());
  }

  @Test
  void aFounderListensWhereOthersStandBy() {
    start(Candidacy.FOUNDER);
    list(List.of(A, B), A, B);
    assertEquals(Optional.empty(), passMs(500));
    hear(4, A);
    assertEquals(Optional.empty(), passMs(1_000), "somebody leads");
  }

  @Test
  void aFounderLeadsWhenNobodyIsHeard() {
    start(Candidacy.FOUNDER);
    list(List.of(A, B), A, B);
    assertEquals(Optional.of(new Term(1, B)), passMs(700), "the elder knows no plan");
  }

  @Test
  void aSuccessorNeverLeadsBeforeSomebodyHas() {
    list(List.of(B), B);
    assertEquals(Optional.empty(), passMs(60_000));
  }

  @Test
  void theEldestTakesOverAtOnceWhenTheLeadersNodeIsGone() {
    list(List.of(A, B, C, ENGINES), A, B, C);
    hear(3, A);
    list(List.of(B, C, ENGINES), B, C);
    assertEquals(Optional.of(new Term(4, B)), led());
    assertTrue(effects.contains(new Effect.Left(A)));
  }

  @Test
  void aYoungerOneGivesItsEldersTimeAndThenDoesNotWaitForThem() {
    list(List.of(A, C, B), A, C, B);
    hear(3, A);
    list(List.of(C, B), C, B);
    assertEquals(Optional.empty(), led());
    assertEquals(Optional.empty(), passMs(400));
    hear(4, C);
    assertEquals(Optional.empty(), passMs(1_000), "the elder leads");
    assertEquals(Optional.of(new Term(5, B)), passMs(3_000), "the elder has fallen silent");
  }

  @Test
  void goesAboveEveryTermThatItHasSeen() {
    list(List.of(A, B), A, B);
    hear(3, A);
    on(new Event.Seen(new Term(7, C)));
    on(new Event.Seen(new Term(Integer.MAX_VALUE, C)));
    list(List.of(B), B);
    assertEquals(Optional.of(new Term(8, B)), led());
  }

  @Test
  void standsByAgainAfterItHasResigned() {
    start(Candidacy.AT_ONCE);
    on(new Event.Tick(0));
    hear(1, C); // Of one number, told apart by node.
    on(new Event.Resigned(now));
    assertFalse(leadership.leading());
    assertEquals(Optional.empty(), passMs(1_900));
    assertEquals(Optional.of(new Term(2, B)), passMs(1_000));
  }

  @Test
  void doesNotBlameALeaderForItsOwnStandstill() {
    list(List.of(A, B), B, A);
    hear(3, A);
    now += 10_000 * MS;
    on(new Event.Tick(now));
    assertEquals(Optional.empty(), led());
    hear(3, A);
    assertEquals(Optional.empty(), passMs(1_900));
  }

  @Test
  void oldClaimsAreNoSignOfLife() {
    list(List.of(A, B, C), A, B, C);
    hear(3, A);
    assertEquals(Optional.empty(), passMs(2_000));
    hear(2, C);
    assertEquals(Optional.of(new Term(4, B)), passMs(1_000));
  }
}
