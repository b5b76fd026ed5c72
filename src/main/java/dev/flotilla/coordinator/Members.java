package dev.flotilla.coordinator;

import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The ranks that engines hold, in rank order, each once. */
public record Members(List<Member> all) {
  static final Members NONE = new Members(List.of());

  /** Keeps a private copy. */
  public Members {
    all = List.copyOf(all);
  }

  @Nullable Member of(Rank rank) {
    int at = position(rank);
    return at < 0 ? null : all.get(at);
  }

  @Nullable Member of(Incarnation incarnation) {
    for (Member member : all) {
      if (member.incarnation().equals(incarnation)) {
        return member;
      }
    }
    return null;
  }

  /** Whether a lockstep group of that size may serve: all are here, or were once. */
  boolean begun(int size) {
    return all.size() >= size || all.stream().anyMatch(Member::grouped);
  }

  /** The lowest rank below the size that nobody holds and that suits. */
  @Nullable Rank lowestFree(int size, Predicate<Rank> suits) {
    int next = 0; // Of the members, which are in rank order.
    for (int value = 0; value < size; value++) {
      if (next < all.size() && all.get(next).rank().value() == value) {
        next++;
      } else {
        Rank free = new Rank(value);
        if (suits.test(free)) {
          return free;
        }
      }
    }
    return null;
  }

  /** Who was given the lowest epoch; null: nobody is here. */
  @Nullable Member first() {
    Member first = null;
    for (Member member : all) {
      if (first == null || member.epoch().compareTo(first.epoch()) < 0) {
        first = member;
      }
    }
    return first;
  }

  /** Whether another one serves. */
  boolean serveBeside(Member one) {
    return all().stream()
        .anyMatch(m -> m.state() == EngineState.READY && !m.rank().equals(one.rank()));
  }

  /** With this member in place of whoever holds its rank. */
  Members with(Member member) {
    List<Member> next = new ArrayList<>(all);
    int at = position(member.rank());
    if (at >= 0) {
      next.set(at, member);
    } else {
      next.add(-at - 1, member);
    }
    return new Members(next);
  }

  Members without(Predicate<Member> gone) {
    List<Member> next = new ArrayList<>(all);
    return next.removeIf(gone) ? new Members(next) : this;
  }

  private int position(Rank rank) {
    int low = 0;
    int high = all.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int order = all.get(middle).rank().compareTo(rank);
      if (order == 0) {
        return middle;
      }
      if (order < 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -low - 1;
  }
}
