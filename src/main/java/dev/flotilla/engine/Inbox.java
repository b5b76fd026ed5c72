package dev.flotilla.engine;

import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.scheduler.Scheduler;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The bounded queue from the port to the step loop. Wakes the loop when it sleeps, and only then.
 * Submits are refused while room is still left for aborts, which must not be lost to a burst of
 * submits.
 */
final class Inbox {
  /** Room that submits leave: aborts and stops of a burst between two steps. */
  private static final int RESERVE = 4096;

  /** What the step loop can be told. */
  sealed interface Command {
    /** A request, and when it came. */
    record Submit(ToEngine.Submit submit, long receivedNanos) implements Command {}

    record Abort(RequestId request, int attempt) implements Command {}

    /** The owner declines an offer of this attempt. */
    record Release(RequestId request, int attempt) implements Command {}

    record AbortFrontend(FrontendId frontend) implements Command {}

    /**
     * Do something with the scheduler, between two steps; throws nothing, and gives the ends of the
     * requests that it ended.
     */
    record Call(Function<Scheduler, List<ToFrontend.Delta>> work) implements Command {
      /** One that ends no request. */
      static Call of(Consumer<Scheduler> work) {
        return new Call(
            scheduler -> {
              work.accept(scheduler);
              return List.of();
            });
      }
    }

    /** The group that this rank steps together with is this one from now on. */
    record Regroup(Generation generation, long wave) implements Command {}

    /** The group runs this wave. */
    record StartWave(long generation, long wave) implements Command {}

    /** End everything; nothing comes after it. */
    record Stop() implements Command {}

    /** Whether it neither compiles a grammar nor needs that no step is under way. */
    default boolean quick() {
      return switch (this) {
        case Submit(var submit, long _) -> submit.sampling().grammar() == null;
        case Abort _, AbortFrontend _, Release _ -> true;
        case Call _, Regroup _, StartWave _, Stop _ -> false;
      };
    }
  }

  private final int submitsMax;
  private final BlockingQueue<Command> queue;
  private final AtomicInteger submits = new AtomicInteger();
  private final AtomicBoolean awake = new AtomicBoolean();
  private final Runnable wake;

  /**
   * An empty one, its loop asleep.
   *
   * @param submitsMax most submits between two steps
   * @param wake starts the loop; called by the thread that offers
   */
  Inbox(int submitsMax, Runnable wake) {
    this.submitsMax = submitsMax;
    this.queue = new ArrayBlockingQueue<>(submitsMax + RESERVE);
    this.wake = wake;
  }

  /** What a submit adds to the queued tokens. */
  static int tokens(ToEngine.Submit submit) {
    return submit.prompt().size() + submit.delivered().size();
  }

  /** Hands a command over; false if there is no room. */
  boolean offer(Command command) {
    boolean submit = command instanceof Command.Submit;
    if (submit && submits.get() >= submitsMax) {
      return false;
    }
    if (submit) {
      submits.incrementAndGet();
    }
    boolean taken = queue.offer(command);
    if (!taken && submit) {
      submits.decrementAndGet();
    }
    wake();
    return taken;
  }

  /** Starts the loop if it sleeps. */
  void wake() {
    if (awake.compareAndSet(false, true)) {
      wake.run();
    }
  }

  /** The next command, which stays; null if there is none. */
  @Nullable Command peek() {
    return queue.peek();
  }

  /** The next command, for the loop; null if there is none. */
  @Nullable Command poll() {
    Command command = queue.poll();
    if (command instanceof Command.Submit) {
      submits.decrementAndGet();
    }
    return command;
  }

  /** Whether nothing waits. */
  boolean isEmpty() {
    return queue.isEmpty();
  }

  /** The loop goes to sleep; false if a command came in the meantime and it must not. */
  boolean sleep() {
    awake.set(false);
    return queue.isEmpty() || !awake.compareAndSet(false, true);
  }
}
