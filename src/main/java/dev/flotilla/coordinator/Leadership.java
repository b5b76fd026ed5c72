package dev.flotilla.coordinator;

import dev.flotilla.config.Candidacy;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Term;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When one coordinator of several leads: the oldest that stands by takes over when the leader's
 * node is gone, anybody when nothing was heard of a leader for long. Only a hint of the cluster
 * manager and some patience keep two from leading at once; that this does no harm rests on terms,
 * which every receiver checks.
 *
 * @param highest term that was seen or told, or led
 * @param led the last leader that was heard of or replaced; null: none yet
 * @param dueNanos when this one leads unless it hears of a leader before
 * @param nodes of the cluster; empty: not told
 * @param standingBy nodes with a coordinator, the oldest first
 */
public record Leadership(
    NodeId self,
    Candidacy candidacy,
    Term highest,
    @Nullable Term led,
    boolean leading,
    long dueNanos,
    long tickedNanos,
    List<NodeId> nodes,
    List<NodeId> standingBy)
    implements Machine {

  /** What can happen. */
  public sealed interface Event {
    /** Time passes; comes many times within the listening time. */
    record Tick(long nowNanos) implements Event {}

    /** The cluster manager's list. */
    record Nodes(long nowNanos, List<NodeId> all, List<NodeId> standingBy) implements Event {
      /** Keeps private copies. */
      public Nodes {
        all = List.copyOf(all);
        standingBy = List.copyOf(standingBy);
      }
    }

    /** Another coordinator says that it leads. */
    record Heard(long nowNanos, Term term) implements Event {}

    /** Some message bore this term, or the own leadership has gone above others to it. */
    record Seen(Term term) implements Event {}

    /** The own leadership has ended. */
    record Resigned(long nowNanos) implements Event {}
  }

  /** What is to be done. */
  public sealed interface Effect {
    /** Lead under this term from now on. */
    record Lead(Term term, String reason) implements Effect {}

    /** The cluster manager does not list this node any more. */
    record Left(NodeId node) implements Effect {}
  }

  /** The next state and what is to be done. */
  public record Step(Leadership next, List<Effect> effects) {
    /** Keeps a private copy. */
    public Step {
      effects = List.copyOf(effects);
    }
  }

  /** A leader says so every 250 ms; whoever founds a cluster listens for longer than that. */
  static final long LISTEN_NANOS = 600_000_000L;

  /** Silence after which nobody leads, though the leader's node is there. */
  static final long PATIENCE_NANOS = 2_000_000_000L;

  /** How much longer each younger one waits for its elders. */
  static final long STAGGER_NANOS = 500_000_000L;

  /** A tick that comes later than this means that this one stood still itself. */
  private static final long TICK_GAP_NANOS = 400_000_000L;

  private static final long NEVER = Long.MAX_VALUE;

  /** Keeps private copies. */
  public Leadership {
    nodes = List.copyOf(nodes);
    standingBy = List.copyOf(standingBy);
  }

  /** Knows nobody yet. */
  public static Leadership start(NodeId self, Candidacy candidacy, long nowNanos) {
    long due =
        switch (candidacy) {
          case AT_ONCE -> nowNanos;
          case FOUNDER -> nowNanos + LISTEN_NANOS;
          case SUCCESSOR -> NEVER;
        };
    return new Leadership(
        self, candidacy, Term.NONE, null, false, due, nowNanos, List.of(), List.of());
  }

  /** The only way forward. */
  public Step on(Event event) {
    return switch (event) {
      case Event.Tick(long now) -> tick(now);
      case Event.Nodes nodes -> nodes(nodes);
      case Event.Heard(long now, Term term) -> heard(now, term);
      case Event.Seen(Term term) -> stay(seen(term));
      case Event.Resigned(long now) -> stay(with(highest, led, false, patience(now)));
    };
  }

  private Step tick(long now) {
    long gap = now - tickedNanos;
    long due = gap > TICK_GAP_NANOS && dueNanos != NEVER ? dueNanos + gap : dueNanos;
    Leadership next =
        new Leadership(
            self,
            candidacy,
            highest,
            led,
            leading,
            due,
            Math.max(now, tickedNanos),
            nodes,
            standingBy);
    return next.decide(now);
  }

  private Step heard(long now, Term term) {
    if (term.node().equals(self) || term.compareTo(highest) < 0 || term.last()) {
      return stay(this); // Its own, or of one that will hear of a higher one.
    }
    return stay(with(term, term, leading, patience(now)));
  }

  private Leadership seen(Term term) {
    return term.last() ? this : with(highest.max(term), led, leading, dueNanos);
  }

  private Step nodes(Event.Nodes told) {
    long now = told.nowNanos();
    List<Effect> effects = new ArrayList<>();
    for (NodeId node : nodes) {
      if (!told.all().contains(node)) {
        effects.add(new Effect.Left(node));
      }
    }
    boolean knewLeader = led != null && (nodes.isEmpty() || nodes.contains(led.node()));
    Leadership next =
        new Leadership(
            self,
            candidacy,
            highest,
            led,
            leading,
            dueNanos,
            tickedNanos,
            told.all(),
            told.standingBy());
    long due = dueNanos;
    if (led == null && candidacy == Candidacy.FOUNDER && told.standingBy().equals(List.of(self))) {
      due = now; // Nobody else could lead.
    } else if (led != null && knewLeader && !told.all().contains(led.node())) {
      due = Math.min(due, now + next.place() * STAGGER_NANOS);
    }
    Step step = next.with(highest, led, leading, due).decide(now);
    effects.addAll(step.effects());
    return new Step(step.next(), effects);
  }

  private Step decide(long now) {
    if (leading || now < dueNanos || highest.next(self).last()) {
      return stay(this);
    }
    Term term = highest.next(self);
    String reason =
        led == null
            ? "nobody leads"
            : nodes.isEmpty() || nodes.contains(led.node())
                ? "nothing is heard of the leader of term " + led
                : "the node of the leader of term " + led + " is gone";
    return new Step(with(term, term, true, NEVER), List.of(new Effect.Lead(term, reason)));
  }

  private long patience(long now) {
    return now + PATIENCE_NANOS + place() * STAGGER_NANOS;
  }

  /** How many older ones stand by. */
  private int place() {
    int place = standingBy.indexOf(self);
    return place < 0 ? standingBy.size() : place;
  }

  private Leadership with(Term seen, @Nullable Term leader, boolean leads, long due) {
    return new Leadership(
        self, candidacy, seen, leader, leads, due, tickedNanos, nodes, standingBy);
  }

  private static Step stay(Leadership next) {
    return new Step(next, List.of());
  }
}
