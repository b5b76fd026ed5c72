package dev.flotilla.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Everything an engine can be told. */
public sealed interface ToEngine {

  /**
   * Compute this request. Idempotent by (request, attempt).
   *
   * @param sequence running number of this front-end's submits to all engines, from 1; the engine's
   *     reports acknowledge the highest received
   * @param epoch the receiver's, as the sender knows it; another one is refused
   * @param prompt what the client sent
   * @param delivered output that earlier attempts already delivered
   * @param priority smaller is computed sooner under {@code --scheduling-policy priority}; else
   *     without effect
   * @param cacheSalt requests share cached prefixes only with those of the same salt; "" is the
   *     salt of those that name none
   */
  record Submit(
      RequestId request,
      int attempt,
      Epoch epoch,
      long sequence,
      TokenIds prompt,
      TokenIds delivered,
      Sampling sampling,
      int priority,
      String cacheSalt)
      implements ToEngine {

    /** Of priority 0 and without a salt. */
    public Submit(
        RequestId request,
        int attempt,
        Epoch epoch,
        long sequence,
        TokenIds prompt,
        TokenIds delivered,
        Sampling sampling) {
      this(request, attempt, epoch, sequence, prompt, delivered, sampling, 0, "");
    }
  }

  /** Cancels all attempts up to this one; unknown requests are ignored. */
  record Abort(RequestId request, int attempt) implements ToEngine {}

  /**
   * The coordinator's answer to {@link ToCoordinator.Hello}: who you are from now on.
   *
   * @param incarnation the receiver's; another one's Init is ignored
   * @param term whose epoch it is; a term that the receiver does not admit is answered with Hello
   * @param parallel settings of the whole group
   * @param coordinator the node that leads; null: not told
   * @param frontends to be warmed before Ready
   * @param generation the lockstep group as it is now, with the sockets of all members; null: there
   *     is none, or not yet
   * @param joins whether others of the group serve already, so that it joins them; otherwise the
   *     group begins
   */
  record Init(
      Rank rank,
      Incarnation incarnation,
      Epoch epoch,
      Term term,
      DataParallel parallel,
      @Nullable NodeId coordinator,
      List<FrontendId> frontends,
      @Nullable Generation generation,
      boolean joins)
      implements ToEngine {
    /** Keeps a private copy. */
    public Init {
      frontends = List.copyOf(frontends);
    }

    /** Of an engine whose group begins. */
    public Init(
        Rank rank,
        Incarnation incarnation,
        Epoch epoch,
        Term term,
        DataParallel parallel,
        @Nullable NodeId coordinator,
        List<FrontendId> frontends,
        @Nullable Generation generation) {
      this(rank, incarnation, epoch, term, parallel, coordinator, frontends, generation, false);
    }

    /** Of an engine that steps alone, or whose group is not complete. */
    public Init(
        Rank rank,
        Incarnation incarnation,
        Epoch epoch,
        Term term,
        DataParallel parallel,
        @Nullable NodeId coordinator,
        List<FrontendId> frontends) {
      this(rank, incarnation, epoch, term, parallel, coordinator, frontends, null, false);
    }
  }

  /** The coordinator knows this engine as READY under the epoch; ends the repetition of Ready. */
  record Welcome(Incarnation incarnation, Epoch epoch) implements ToEngine {}

  /**
   * The coordinator turns the engine away; it stops itself.
   *
   * @param term whose coordinator; one that the receiver does not admit cannot turn it away
   */
  record Refused(Incarnation incarnation, Term term, String reason) implements ToEngine {}

  /**
   * Published by a coordinator when it starts: say Hello (again).
   *
   * @param term its leadership
   */
  record WhoIsThere(Term term) implements ToEngine {}

  /** Warm-up and liveness probe; answered with {@link ToFrontend.Pong}. */
  record Ping(FrontendId from, long nonce) implements ToEngine {}

  /** Answer to {@link ToFrontend.Ping}. */
  record Pong(FrontendId from, long nonce) implements ToEngine {}

  /**
   * Do something besides computing; answered once with {@link ToFrontend.UtilityAnswer}.
   *
   * @param callId the front-end's running number
   * @param name collect_stats, list_threads or reset_prefix_cache
   * @param args a JSON object
   */
  record Utility(FrontendId from, long callId, String name, String args) implements ToEngine {}

  /**
   * The coordinator wants a busy engine to offer never-started requests to an idler one; the engine
   * picks which. An order for another incarnation, under another epoch than the receiver's, or
   * decided on a report that an order before it was decided on, is ignored.
   *
   * @param incarnation the receiver's
   * @param epoch the receiver's, as the coordinator gave it
   * @param report the receiver's report that this was decided on
   * @param to who is to get them
   * @param gapMs by how much sooner the other would compute a prompt that came now
   * @param cost the other's
   * @param kvRoom tokens that its KV cache can take
   * @param slotRoom requests that its batch can take
   */
  record HandOver(
      Incarnation incarnation,
      Epoch epoch,
      long report,
      EngineAt to,
      double gapMs,
      StepCost cost,
      long kvRoom,
      int slotRoom)
      implements ToEngine {}

  /**
   * A front-end keeps its request where it is: the answer to a {@link ToFrontend.Offer} that it
   * does not take up. Without it the offer expires.
   */
  record Decline(RequestId request, int attempt) implements ToEngine {}

  /**
   * A front-end wants all that the engine's prefix cache holds, as a {@link
   * ToFrontend.PrefixChange} in pieces, because it is new or has missed a change. From then on it
   * counts among those that get the engine's reports and changes.
   */
  record PrefixSnapshot(FrontendId from) implements ToEngine {}

  /** What concerns pausing: receivers keep the highest number and ignore what is lower. */
  sealed interface Pacing extends ToEngine {
    /** Whose coordinator; one that the receiver does not admit cannot order. */
    Term term();

    /** Of the order; rises with each, over terms too, and is answered as often as it comes. */
    long number();
  }

  /**
   * Begin nothing new until {@link Resume}. Answered with {@link ToCoordinator.Paused} when it is
   * in effect, again when nothing runs any more, and from then on with every heartbeat.
   *
   * @param mode what becomes of the requests that are there
   * @param clearCache whether to forget all cached prefixes when nothing runs any more; without
   *     effect for {@link PauseMode#KEEP}
   */
  record Pause(Term term, long number, PauseMode mode, boolean clearCache) implements Pacing {}

  /** Go on. Answered with {@link ToCoordinator.Paused} without a mode. */
  record Resume(Term term, long number) implements Pacing {}

  /** Take nothing new; finish what runs within the time, then leave. */
  record Drain(Incarnation incarnation, long timeoutMs) implements ToEngine {}

  /** What the coordinator decides for all members of a lockstep group. */
  sealed interface GroupOrder extends ToEngine {
    /** Who leads; one that the receiver does not admit is not obeyed. */
    Term term();
  }

  /**
   * Go on as this generation of the group, at rest. Repeated to whoever is not known to have done
   * so; one that is not newer than the receiver's own, or of which it is no member, is ignored.
   *
   * @param wave waves that are completed: the next one to start, for all members
   */
  record Regroup(Term term, Generation generation, long wave) implements GroupOrder {}

  /**
   * Run this wave. Repeated to whoever reports to be at rest in it while others run it.
   *
   * @param generation number of the group's member list; another one than the receiver's is ignored
   * @param wave one that is over is ignored
   */
  record StartWave(Term term, long generation, long wave) implements GroupOrder {}
}
