package dev.flotilla.coordinator;

import dev.flotilla.coordinator.Seats.Candidate;
import dev.flotilla.coordinator.Seats.Level;
import dev.flotilla.coordinator.Seats.Seat;
import dev.flotilla.coordinator.Waves.Counts;
import dev.flotilla.coordinator.Waves.Effect;
import dev.flotilla.coordinator.Waves.Event;
import dev.flotilla.coordinator.Waves.Failure;
import dev.flotilla.coordinator.Waves.Limits;
import dev.flotilla.coordinator.Waves.Start;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator.FromMember;
import dev.flotilla.protocol.ToCoordinator.GroupBroken;
import dev.flotilla.protocol.ToCoordinator.WantWave;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One move of {@link Waves}: a copy of its state that an event changes. Used once. */
final class WavesStep {
  private static final int DOUBLINGS_MAX = 4;

  private final List<Effect> effects = new ArrayList<>();
  private Limits limits;
  private Term term;
  private int given;
  private long highest;
  private Seats seats;
  private @Nullable Generation generation;
  private long wave;
  private long waveNanos;
  private Start start;
  private @Nullable Failure failure;
  private int failures;
  private long firstNanos;
  private long progressNanos;
  private Counts counts;

  WavesStep(Waves from) {
    limits = from.limits();
    term = from.term();
    given = from.given();
    highest = from.highest();
    seats = from.seats();
    generation = from.generation();
    wave = from.wave();
    waveNanos = from.waveNanos();
    start = from.start();
    failure = from.failure();
    failures = from.failures();
    firstNanos = from.firstNanos();
    progressNanos = from.progressNanos();
    counts = from.counts();
  }

  Waves next() {
    return new Waves(
        limits,
        term,
        given,
        highest,
        seats,
        generation,
        wave,
        waveNanos,
        start,
        failure,
        failures,
        firstNanos,
        progressNanos,
        counts);
  }

  List<Effect> effects() {
    return effects;
  }

  void on(Event event) {
    switch (event) {
      case Event.Tick(long now) -> tick(now);
      case Event.Seen(long now, int size, var serving) -> seen(now, size, serving);
      case Event.Reported(long now, var load) -> reported(now, load);
      case Event.Told(long now, WantWave want) -> want(now, want);
      case Event.Told(long now, GroupBroken broken) -> broken(now, broken);
      case Event.Leads(Term leads) -> {
        given = leads.number() == term.number() ? given : 0;
        term = leads;
      }
    }
  }

  private void tick(long now) {
    review(now);
    Generation of = generation;
    if (of == null || failure != null) {
      return;
    }
    long number = of.number();
    if (!seats.formed(of)) {
      for (Seat seat : seats.in(of)) {
        if (!seat.at(number) && over(now, seat.toldNanos(), limits.repeatNanos())) {
          counts = counts.repeated();
          send(seat, new ToEngine.Regroup(term, of, wave), now);
        }
      }
    } else if (seats.runs(of, wave)) {
      for (Seat seat : seats.in(of)) {
        if (seat.rests(of, wave) && over(now, seat.toldNanos(), limits.repeatNanos())) {
          counts = counts.repeated();
          send(seat, new ToEngine.StartWave(term, number, wave), now);
        }
      }
    } else if (uneven(of, now)) {
      start(of, now);
    }
    watch(of, now);
  }

  /** The ranks that serve; who comes or goes changes the group at once. */
  private void seen(long now, int size, List<Candidate> serving) {
    limits = limits.ofSize(size);
    Seats known = seats;
    seats = known.serving(serving, now);
    for (Seat seat : seats.all()) {
      Level level = seat.level();
      if (level != null && known.of(seat.rank(), seat.incarnation()) == null) {
        learn(now, level);
      }
    }
    if (firstNanos == Waves.NEVER && !seats.all().isEmpty()) {
      firstNanos = now;
    }
    review(now);
  }

  private void reported(long now, LoadReport load) {
    Seat seat = seats.of(load.rank(), load.incarnation());
    Level level = Level.of(load, now);
    if (seat == null || level == null) {
      return;
    }
    Level before = seat.level();
    if (before != null && level.sequence() <= before.sequence()) {
      return;
    }
    if (before == null || !before.sameAs(level)) {
      progressNanos = now;
    }
    seats = seats.with(seat.with(level));
    learn(now, level);
    review(now);
  }

  /** A wave that anyone has reached is the present one, whoever else is behind. */
  private void learn(long now, Level level) {
    highest = Math.max(highest, level.generation());
    if (level.wave() > wave) {
      Generation of = generation;
      if (of != null && level.generation() == of.number()) {
        failures = 0;
        counts = counts.ended(level.wave() - wave);
      }
      wave = level.wave();
      waveNanos = now;
    }
  }

  private void want(long now, WantWave want) {
    Generation of = generation;
    Seat seat = member(want);
    if (of == null || seat == null || failure != null || stale(want)) {
      return;
    }
    arrived(now, seat, want.wave());
    long wanted = Math.max(wave, want.wave());
    if (wanted > start.wanted()) {
      start = new Start(wanted, now, start.started(), start.startedNanos());
    }
    review(now);
    if (!of.equals(generation) || !seats.formed(of)) {
      return;
    }
    if (seats.runs(of, wave)) {
      Seat asking = seats.of(want.rank(), want.incarnation());
      if (asking != null && over(now, asking.toldNanos(), limits.repeatNanos())) {
        counts = counts.repeated();
        send(asking, new ToEngine.StartWave(term, of.number(), wave), now);
      }
    } else if (start.started() < wave || over(now, start.startedNanos(), limits.repeatNanos())) {
      start(of, now);
      if (now - start.wantedNanos() > limits.stuckNanos()) {
        stuck(now, of, "wave %d was asked for and does not run".formatted(wave));
      }
    }
  }

  /** That wave is over, and its start has answered what was asked before it ran. */
  private boolean stale(WantWave want) {
    return want.wave() < wave && want.wave() <= start.started();
  }

  /** Who asks for a wave of the generation has come to it, and rests in that wave. */
  private void arrived(long now, Seat seat, long at) {
    Level level = seat.level();
    Generation of = generation;
    if (of != null && !seat.at(of.number())) {
      long sequence = level == null ? 0 : level.sequence();
      long step = level == null ? 0 : level.step();
      seats = seats.with(seat.with(new Level(sequence, of.number(), at, false, step, now)));
      progressNanos = now;
    }
    if (at > wave) {
      learn(now, new Level(0, of == null ? 0 : of.number(), at, false, 0, now));
    }
  }

  private void broken(long now, GroupBroken word) {
    Generation of = generation;
    Seat seat = member(word);
    if (of == null || seat == null) {
      return; // A former generation's; its members have been told of the present one.
    }
    Level level = seat.level();
    if (level != null && level.running() && seat.at(of.number())) {
      seats = seats.with(seat.with(level.atRest(now)));
    }
    Failure one = new Failure(now, Set.copyOf(word.missing()), Set.of(word.rank()), word.reason());
    Failure known = failure;
    if (known == null) {
      failures++;
      counts = counts.failed();
    }
    failure = known == null ? one : known.and(one);
    review(now);
  }

  /** Forms another generation if this one is over, or others than its members serve. */
  private void review(long now) {
    Generation of = generation;
    if (of == null) {
      first(now);
      return;
    }
    Failure known = failure;
    boolean lost = !seats.whole(of);
    if (known != null && (lost || settled(of, known, now))) {
      leaveOut(of, known);
      form(now, known.reason());
    } else if (known == null && lost) {
      form(now, "a member is gone");
    } else if (known == null && seats.hasMore(of)) {
      form(now, "a rank has come");
    } else if (highest > of.number()) {
      form(now, "another leader gave generation " + highest);
    } else if (known == null
        && seats.formed(of)
        && start.wanted() >= wave
        && start.started() < wave) {
      start(of, now); // It was asked for before all had come.
    }
  }

  /** All ranks are awaited for some time; if they are in one generation already, it goes on. */
  private void first(long now) {
    List<Seat> here = seats.all();
    boolean all = here.size() >= limits.size() && here.stream().allMatch(s -> s.level() != null);
    // Those of a group that runs need one soon; those that have just started can wait.
    long patience = highest > 0 ? limits.graceNanos() : limits.launchNanos();
    if (here.isEmpty() || !(all || over(now, firstNanos, patience))) {
      return;
    }
    Level one = here.getFirst().level();
    long number = all && one != null ? one.generation() : 0;
    if (number == 0 || !here.stream().allMatch(s -> s.at(number))) {
      form(now, "%d of %d ranks serve".formatted(here.size(), limits.size()));
      return;
    }
    Generation found = new Generation(number, here.stream().map(Seat::member).toList());
    generation = found;
    progressNanos = now;
    boolean runs = seats.runs(found, wave);
    start = new Start(-1, Waves.NEVER, runs ? wave : -1, runs ? now : Waves.NEVER);
    effects.add(new Effect.Moved("group goes on as " + Waves.text(found)));
  }

  /** Whether nobody else is to be heard about a failure: all have said it, or time is over. */
  private boolean settled(Generation of, Failure known, long now) {
    long patience = limits.settleNanos() << Math.clamp(failures - 1L, 0, DOUBLINGS_MAX);
    return over(now, known.sinceNanos(), patience) || (failures <= 1 && known.heardFrom(of));
  }

  /** Whoever was awaited in vain, and was not heard since to be at rest, is not awaited again. */
  private void leaveOut(Generation of, Failure known) {
    seats =
        seats.each(
            s -> s.in(of) && known.vanished(s.rank()),
            s -> {
              Level level = s.level();
              boolean heard =
                  level != null && !level.running() && level.heardNanos() - known.sinceNanos() > 0;
              return heard ? s : s.out();
            });
  }

  private void form(long now, String reason) {
    List<Seat> members = seats.available();
    Epoch top = Epoch.of(highest);
    if (members.isEmpty() || top.term() > term.number()) {
      return; // Until somebody is there, or this leader is above whoever gave that generation.
    }
    given = top.term() == term.number() ? Math.max(given, top.count()) + 1 : given + 1;
    if (start.started() >= wave || seats.anyoneRuns(wave)) {
      wave = Math.max(wave, start.started()) + 1; // What was open is closed.
      waveNanos = now;
    }
    Generation next =
        new Generation(
            new Epoch(term.number(), given).packed(), members.stream().map(Seat::member).toList());
    generation = next;
    highest = next.number();
    start = Start.NONE;
    failure = null;
    progressNanos = now;
    counts = counts.formed();
    effects.add(
        new Effect.Moved("group is now %s, wave %d: %s".formatted(Waves.text(next), wave, reason)));
    members.forEach(m -> send(m, new ToEngine.Regroup(term, next, wave), now));
  }

  private void start(Generation of, long now) {
    if (start.started() >= wave) {
      counts = counts.repeated();
    } else {
      counts = counts.started();
    }
    start = new Start(start.wanted(), start.wantedNanos(), wave, now);
    for (Seat seat : seats.in(of)) {
      send(seat, new ToEngine.StartWave(term, of.number(), wave), now);
    }
  }

  /** Members rest in different waves, and not only because their last reports are on the way. */
  private boolean uneven(Generation of, long now) {
    long since = waveNanos == Waves.NEVER ? Waves.NEVER : waveNanos + limits.repeatNanos();
    return over(now, start.startedNanos(), limits.repeatNanos()) && seats.behind(of, wave, since);
  }

  /** A group that neither rests nor goes on is formed anew. */
  private void watch(Generation of, long now) {
    boolean nobody = seats.all().isEmpty();
    if (nobody || seats.rest(of, wave) || progressNanos == Waves.NEVER) {
      progressNanos = now;
    } else if (now - progressNanos > limits.stuckNanos()) {
      String what = seats.formed(of) ? "runs" : "was formed";
      stuck(now, of, "wave %d of %s %s without any progress".formatted(wave, Waves.text(of), what));
    }
  }

  private void stuck(long now, Generation of, String what) {
    counts = counts.gotStuck();
    effects.add(
        new Effect.Stuck(
            "%s for %d ms: %s; the group is formed anew"
                .formatted(what, limits.stuckNanos() / 1_000_000, seats)));
    if (!seats.formed(of)) {
      seats = seats.each(s -> s.in(of) && !s.at(of.number()), Seat::out);
    }
    form(now, "nothing went on");
  }

  /** Who speaks of the present generation, of which it is a member; null: it is not. */
  private @Nullable Seat member(FromMember word) {
    Generation of = generation;
    Seat seat = seats.of(word.rank(), word.incarnation());
    return of != null && seat != null && word.generation() == of.number() && seat.in(of)
        ? seat
        : null;
  }

  private void send(Seat to, ToEngine.GroupOrder order, long now) {
    effects.add(new Effect.Send(to.rank(), to.incarnation(), order));
    seats = seats.with(to.told(now));
  }

  private static boolean over(long now, long since, long limit) {
    return since == Waves.NEVER || now - since >= limit;
  }
}
