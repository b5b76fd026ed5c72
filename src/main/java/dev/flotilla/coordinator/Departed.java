package dev.flotilla.coordinator;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The engines that went last, so that their late messages are known for what they are. Oldest
 * first; bounded, since a message is late by seconds, not by hours.
 */
public record Departed(List<Gone> all) {
  static final Departed NONE = new Departed(List.of());
  private static final int KEPT = 256;

  /**
   * One that went.
   *
   * @param rank that it held last; null: none
   * @param epoch the last that it was given
   * @param forGood it said so itself, so that no late message brings it back; one that only fell
   *     silent may return
   * @param shown as what it is shown while its rank is awaited again; null: it had none
   */
  public record Gone(
      Incarnation incarnation,
      @Nullable Rank rank,
      Epoch epoch,
      boolean forGood,
      ClusterView.@Nullable Engine shown) {

    /** One that held a rank. */
    static Gone of(Member member, boolean forGood) {
      return new Gone(
          member.incarnation(), member.rank(), member.epoch(), forGood, member.shownDead());
    }
  }

  /** Keeps a private copy. */
  public Departed {
    all = List.copyOf(all);
  }

  /**
   * The engines that were gone in a view, and those of nodes that are.
   *
   * @param nodes that are there; empty: not known
   */
  static List<Gone> after(ClusterView last, List<NodeId> nodes) {
    List<Gone> gone = new ArrayList<>();
    for (ClusterView.Engine engine : last.engines()) {
      if (engine.state() == EngineState.DEAD
          || (!nodes.isEmpty() && !nodes.contains(engine.node()))) {
        ClusterView.Engine dead = Member.dead(engine);
        gone.add(new Gone(engine.incarnation(), engine.rank(), engine.epoch(), false, dead));
      }
    }
    return gone;
  }

  @Nullable Gone of(Incarnation incarnation) {
    for (Gone gone : all) {
      if (gone.incarnation().equals(incarnation)) {
        return gone;
      }
    }
    return null;
  }

  /** One that is no member says that it goes, perhaps for the second time. */
  Gone forGood(Incarnation incarnation) {
    Gone known = of(incarnation);
    return known == null
        ? new Gone(incarnation, null, Epoch.NONE, true, null)
        : new Gone(incarnation, known.rank(), known.epoch(), true, known.shown());
  }

  /** The last engine of each rank below the size that nobody holds now, in rank order. */
  List<ClusterView.Engine> dead(Members members, int size) {
    SortedMap<Rank, ClusterView.Engine> last = new TreeMap<>();
    for (Gone gone : all) {
      ClusterView.Engine shown = gone.shown();
      if (shown != null
          && shown.rank().value() < size
          && members.of(shown.rank()) == null
          && members.of(gone.incarnation()) == null) {
        last.merge(shown.rank(), shown, (a, b) -> a.epoch().compareTo(b.epoch()) >= 0 ? a : b);
      }
    }
    return List.copyOf(last.values());
  }

  Departed with(Gone gone) {
    List<Gone> next = new ArrayList<>(all);
    next.removeIf(g -> g.incarnation().equals(gone.incarnation()));
    next.add(gone);
    return new Departed(next.size() > KEPT ? next.subList(1, next.size()) : next);
  }
}
