package dev.flotilla.coordinator;

import dev.flotilla.protocol.Endpoint;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.LockstepLoad;
import dev.flotilla.protocol.Rank;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The ranks that could step together, ascending, and where each stands; part of {@link Waves}.
 *
 * @param all one start of each rank at most
 */
public record Seats(List<Seat> all) {
  static final Seats NONE = new Seats(List.of());

  /**
   * A rank that serves.
   *
   * @param endpoint its socket for exchanges; null: it has none
   * @param suspect whether it has been silent for some time: a new generation does without it
   * @param load its last report; null: none came
   */
  public record Candidate(
      Rank rank,
      Incarnation incarnation,
      @Nullable Endpoint endpoint,
      boolean suspect,
      @Nullable LoadReport load) {}

  /**
   * Where a rank stood in its last report.
   *
   * @param sequence of the report
   * @param step steps since its start
   */
  public record Level(
      long sequence, long generation, long wave, boolean running, long step, long heardNanos) {

    static @Nullable Level of(@Nullable LoadReport load, long now) {
      LockstepLoad lockstep = load == null ? null : load.lockstep();
      return load == null || lockstep == null
          ? null
          : new Level(
              load.sequence(),
              lockstep.generation(),
              load.wave(),
              lockstep.running(),
              load.step(),
              now);
    }

    Level atRest(long now) {
      return new Level(sequence, generation, wave, false, step, now);
    }

    boolean sameAs(Level other) {
      return generation == other.generation
          && wave == other.wave
          && running == other.running
          && step == other.step;
    }
  }

  /**
   * A rank that serves, and what is known of it.
   *
   * @param level null: not heard of yet
   * @param toldNanos when it last got an order
   * @param leftOut others waited for it in vain; until it reports to be at rest, groups do without
   */
  public record Seat(
      Rank rank,
      Incarnation incarnation,
      @Nullable Endpoint endpoint,
      boolean suspect,
      @Nullable Level level,
      long toldNanos,
      boolean leftOut) {

    Seat with(Level heard) {
      return new Seat(
          rank, incarnation, endpoint, suspect, heard, toldNanos, leftOut && heard.running());
    }

    Seat told(long now) {
      return new Seat(rank, incarnation, endpoint, suspect, level, now, leftOut);
    }

    Seat out() {
      return new Seat(rank, incarnation, endpoint, suspect, level, toldNanos, true);
    }

    boolean at(long number) {
      return level != null && level.generation() == number;
    }

    boolean runs(Generation of, long wave) {
      return level != null
          && level.generation() == of.number()
          && level.running()
          && level.wave() == wave;
    }

    /** Whether it rests in a wave of a generation, or in one before. */
    boolean rests(Generation of, long wave) {
      return level != null
          && level.generation() == of.number()
          && !level.running()
          && level.wave() <= wave;
    }

    boolean available() {
      return !suspect && !leftOut;
    }

    /** Whether this very start of the rank is a member. */
    boolean in(Generation of) {
      int index = of.indexOf(rank);
      return index >= 0 && of.members().get(index).incarnation().equals(incarnation);
    }

    Generation.Member member() {
      return new Generation.Member(rank, incarnation, endpoint);
    }
  }

  /** Keeps a private copy. */
  public Seats {
    all = List.copyOf(all);
  }

  /** Those that serve now, with what was known of them. */
  Seats serving(List<Candidate> now, long nanos) {
    List<Seat> next = new ArrayList<>();
    for (Candidate one : now) {
      Seat before = of(one.rank(), one.incarnation());
      next.add(
          new Seat(
              one.rank(),
              one.incarnation(),
              one.endpoint(),
              one.suspect(),
              before == null ? Level.of(one.load(), nanos) : before.level(),
              before == null ? Waves.NEVER : before.toldNanos(),
              before != null && before.leftOut()));
    }
    next.sort(Comparator.comparing(Seat::rank));
    return new Seats(next);
  }

  @Nullable Seat of(Rank rank, Incarnation incarnation) {
    for (Seat seat : all) {
      if (seat.rank().equals(rank) && seat.incarnation().equals(incarnation)) {
        return seat;
      }
    }
    return null;
  }

  Seats with(Seat changed) {
    List<Seat> next = new ArrayList<>(all);
    next.replaceAll(s -> s.rank().equals(changed.rank()) ? changed : s);
    return new Seats(next);
  }

  Seats each(Predicate<Seat> which, UnaryOperator<Seat> change) {
    List<Seat> next = new ArrayList<>(all);
    next.replaceAll(s -> which.test(s) ? change.apply(s) : s);
    return new Seats(next);
  }

  List<Seat> in(Generation of) {
    return all.stream().filter(s -> s.in(of)).toList();
  }

  List<Seat> available() {
    return all.stream().filter(Seat::available).toList();
  }

  /** Whether somebody could be a member who is none. */
  boolean hasMore(Generation of) {
    for (Seat seat : all) {
      if (seat.available() && !seat.in(of)) {
        return true;
      }
    }
    return false;
  }

  /** Whether each member still serves. */
  boolean whole(Generation of) {
    int members = 0;
    for (Seat seat : all) {
      members += seat.in(of) ? 1 : 0;
    }
    return members == of.size();
  }

  /** Whether all members have come to it. */
  boolean formed(Generation of) {
    int come = 0;
    for (Seat seat : all) {
      come += seat.in(of) && seat.at(of.number()) ? 1 : 0;
    }
    return come == of.size();
  }

  /** Whether a member reports to run the wave. */
  boolean runs(Generation of, long wave) {
    for (Seat seat : all) {
      if (seat.runs(of, wave)) {
        return true;
      }
    }
    return false;
  }

  /** Whether all members have come, and rest in that very wave. */
  boolean rest(Generation of, long wave) {
    int resting = 0;
    for (Seat seat : all) {
      Level level = seat.level();
      boolean rests = level != null && !level.running() && level.wave() == wave;
      resting += rests && seat.in(of) && seat.at(of.number()) ? 1 : 0;
    }
    return resting == of.size();
  }

  /** Whether a member reported after that moment to rest in an earlier wave. */
  boolean behind(Generation of, long wave, long sinceNanos) {
    for (Seat seat : all) {
      Level level = seat.level();
      if (level != null
          && !level.running()
          && level.wave() < wave
          && (sinceNanos == Waves.NEVER || level.heardNanos() - sinceNanos >= 0)
          && seat.in(of)) {
        return true;
      }
    }
    return false;
  }

  /** Whether anybody runs that wave or a later one, in any generation. */
  boolean anyoneRuns(long wave) {
    for (Seat seat : all) {
      Level level = seat.level();
      if (level != null && level.running() && level.wave() >= wave) {
        return true;
      }
    }
    return false;
  }
}
