package dev.flotilla.coordinator;

import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.List;
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
   */
  public record Gone(Incarnation incarnation, @Nullable Rank rank, Epoch epoch, boolean forGood) {}

  /** Keeps a private copy. */
  public Departed {
    all = List.copyOf(all);
  }

  @Nullable Gone of(Incarnation incarnation) {
    for (Gone gone : all) {
      if (gone.incarnation().equals(incarnation)) {
        return gone;
      }
    }
    return null;
  }

  Departed with(Gone gone) {
    List<Gone> next = new ArrayList<>(all);
    next.removeIf(g -> g.incarnation().equals(gone.incarnation()));
    next.add(gone);
    return new Departed(next.size() > KEPT ? next.subList(1, next.size()) : next);
  }
}
