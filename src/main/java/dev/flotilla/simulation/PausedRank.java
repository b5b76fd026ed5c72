package dev.flotilla.simulation;

import dev.flotilla.engine.EnginePause;
import dev.flotilla.engine.EnginePause.Effect;
import dev.flotilla.engine.EnginePause.Event;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.PauseMode;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A rank of a simulated group: the real {@link EnginePause} beside a loop that takes steps, and
 * obeys only between two of them. In a group that steps together it takes part in every step of a
 * wave, which anyone who has work asks for.
 */
final class PausedRank extends SimulatedNetwork.Actor {
  private static final long MS = 1_000_000;
  private static final int RUNNING_MAX = 3;

  final Rank rank;
  final Incarnation incarnation;
  private final VirtualTime time;
  private final SimulatedNetwork network;
  private final RandomGenerator random;
  private final Wave wave;
  private final Deque<Runnable> inbox = new ArrayDeque<>();
  private final List<Integer> running = new ArrayList<>(); // steps left, of each request
  private EnginePause pause = EnginePause.NEVER;
  private Term term = Term.NONE;
  private @Nullable PauseMode mode; // in effect in the loop
  private int waiting;
  private boolean stepping;
  private long frozenAt;

  /** What ranks share. */
  interface Wave {
    /** Whether they step together. */
    boolean lockstep();

    /** Whether a wave is under way. */
    boolean running();

    /** A rank has work while none is. */
    void want();

    /** The rank is about to compute something. */
    void working(PausedRank rank);
  }

  PausedRank(
      Rank rank,
      Incarnation incarnation,
      Wave wave,
      VirtualTime time,
      SimulatedNetwork network,
      RandomGenerator random) {
    super("rank " + rank + "/" + incarnation);
    this.rank = rank;
    this.incarnation = incarnation;
    this.wave = wave;
    this.time = time;
    this.network = network;
    this.random = random;
    network.consume(Addresses.engine(rank, incarnation), this);
    beat();
  }

  @Override
  void receive(Object message) {
    if (message instanceof ToEngine.Pacing order && term.admits(order.term())) {
      term = order.term();
      on(new Event.Ordered(EnginePause.Order.of(order)));
    }
  }

  /** A request has come. */
  void submit() {
    call(() -> waiting++);
  }

  /** Stands still for so long. */
  void stall(long nanos) {
    frozenAt = time.now();
    freeze(time.now() + nanos);
  }

  /** Since when it stands still; -1: it does not. */
  long frozenSince() {
    return frozenUntil() > time.now() ? frozenAt : -1;
  }

  /** What is in effect in the loop. */
  @Nullable PauseMode mode() {
    return mode;
  }

  boolean idle() {
    return waiting == 0 && running.isEmpty() && inbox.isEmpty() && !stepping;
  }

  /** Whether a step would compute something. */
  boolean work() {
    boolean begins = mode == null && waiting > 0;
    return mode != PauseMode.KEEP && (begins || !running.isEmpty());
  }

  /** Whether it has nothing to do with a step. */
  boolean done() {
    return !stepping && !work() && inbox.isEmpty();
  }

  private boolean resting() {
    return done() && !wave.running();
  }

  private void step() {
    wave.working(this);
    stepping = true;
    rests();
    long end = time.now() + (5 + random.nextLong(30)) * MS;
    network.plan(this, end, "step ends", this::stepped);
  }

  private void stepped() {
    stepping = false;
    running.replaceAll(left -> left - 1);
    running.removeIf(left -> left <= 0);
    obey();
    next();
  }

  private void obey() {
    for (Runnable call = inbox.poll(); call != null; call = inbox.poll()) {
      call.run();
    }
  }

  private void next() {
    if (work() && (!wave.lockstep() || wave.running())) {
      while (mode == null && waiting > 0 && running.size() < RUNNING_MAX) {
        waiting--;
        running.add(1 + random.nextInt(20));
      }
      step();
      return;
    }
    rests();
    if (work()) {
      wave.want();
    }
  }

  /** Something lies in the inbox. */
  void wake() {
    network.plan(
        this,
        time.now() + random.nextLong(2) * MS,
        "wakes",
        () -> {
          if (!stepping) {
            obey();
            next();
          }
        });
  }

  /** The port sees how the loop stands. */
  private void rests() {
    on(new Event.Rests(resting()));
  }

  private void beat() {
    on(new Event.Rests(resting()));
    on(new Event.Beat(time.now() / MS));
    network.plan(this, time.now() + 250 * MS, "beat", this::beat);
  }

  private void on(Event event) {
    EnginePause.Step step = pause.on(event);
    pause = step.next();
    for (Effect effect : step.effects()) {
      switch (effect) {
        case Effect.Obey(EnginePause.Order order) ->
            call(
                () -> {
                  set(order.mode());
                  on(new Event.Obeyed(order.number(), time.now() / MS));
                });
        case Effect.Clear(long number) -> call(() -> on(new Event.Cleared(number)));
        case Effect.Tell(EnginePause.Level level) ->
            network.send(
                this,
                Addresses.COORDINATOR,
                new ToCoordinator.Paused(
                    rank, incarnation, level.number(), level.mode(), level.resting()));
      }
    }
  }

  private void call(Runnable work) {
    inbox.add(work);
    wake();
  }

  private void set(@Nullable PauseMode now) {
    mode = now;
    if (now == PauseMode.ABORT) {
      waiting = 0;
      running.clear();
    }
  }
}
