package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One accepted request, whose stream this front-end owns: engines are replaceable executors of it.
 * It keeps what was delivered and moves the request to another engine when one fails, so that the
 * client's tokens have no gap, no repetition and one end. Unlike the small machines it is mutable,
 * since it grows by a token at a time. Used by one thread.
 *
 * <p>{@code ROUTING -Assigned-> SENT -acknowledged-> RUNNING -last tokens-> ENDED}. A failure leads
 * back to ROUTING with the next attempt. Tokens lost on the way (a later offset than the next, or
 * an engine that has been idle for a second) lead back to SENT on the same engine, with the next
 * attempt, since an engine only acknowledges an attempt that it already knows. A busy engine's
 * offer to let another compute what it has not begun leads back to SENT there.
 *
 * <p>Source: the resume protocol of load-balancing.md §7; here the tokens themselves acknowledge a
 * re-send instead of cumulative acknowledgements and a ring in the engine.
 */
public final class RequestStream implements StreamSteps, Machine {
  /** Sends of one attempt without an acknowledgement, and resumptions without a new token. */
  static final int SENDS_MAX = 3;

  /** Moves from busy to idler engines; reports were wrong three times then. */
  static final int MOVES_MAX = 3;

  /** Engines that may fail one request. */
  static final int FAILURES_MAX = 3;

  /** An engine's port acknowledges within milliseconds, so a second means that it does not. */
  static final long ACK_DEADLINE_NANOS = 1_000_000_000L;

  /** How long a failed-over request waits for another engine; a view is published each second. */
  static final long REROUTE_PATIENCE_NANOS = 2_000_000_000L;

  /** An engine that has had nothing to do for so long does not have the request either. */
  static final long IDLE_PROOF_NANOS = 1_000_000_000L;

  private enum Phase {
    NEW,
    ROUTING,
    SENT,
    RUNNING,
    ENDED
  }

  private final int maxTokens;
  private final long timeoutNanos;
  private final Set<Incarnation> failed = new HashSet<>();
  private Phase phase = Phase.NEW;
  private @Nullable Target target;
  private @Nullable Target lastTarget;
  private int attempt;
  private int failures;
  private int sends;
  private int fruitless;
  private int moves;
  private boolean streaming; // the present attempt has brought tokens
  private boolean idle;
  private long sentAt;
  private long signAt;
  private long idleSince;
  private int status = 503;
  private String cause = "no engine is ready";
  private int[] delivered = new int[16];
  private int count;

  /**
   * A request that has not been accepted yet.
   *
   * @param maxTokens output tokens after which it is complete
   * @param timeoutNanos without a sign of life from an engine for so long it fails
   */
  public RequestStream(int maxTokens, long timeoutNanos) {
    this.maxTokens = maxTokens;
    this.timeoutNanos = timeoutNanos;
  }

  /** The engine that has it, if one has. */
  public @Nullable Target target() {
    return target;
  }

  /** The engine that had it last, if any ever had. */
  @Nullable Target servedBy() {
    return lastTarget;
  }

  /** Whether nothing more happens to it. */
  public boolean ended() {
    return phase == Phase.ENDED;
  }

  /** The present attempt, from 1; 0 before the first event. */
  public int attempt() {
    return attempt;
  }

  /** Tokens delivered. */
  public int count() {
    return count;
  }

  /** All of them. */
  public TokenIds delivered() {
    return TokenIds.of(delivered, 0, count);
  }

  /** Takes an event; late and repeated ones have no effect. */
  public List<Effect> on(Event event) {
    if (phase == Phase.ENDED) {
      return List.of();
    }
    return switch (event) {
      case Event.Accepted(long now) when phase == Phase.NEW -> {
        attempt = 1;
        signAt = now;
        phase = Phase.ROUTING;
        yield List.of(new Effect.Choose(Set.of()));
      }
      case Event.Accepted _ -> List.of();
      case Event.Assigned(long now, Target chosen) when phase == Phase.ROUTING -> {
        target = chosen;
        lastTarget = chosen;
        sends = 0;
        yield send(chosen, now);
      }
      case Event.Assigned _ -> List.of();
      case Event.NoneServing(long now) -> unrouted(now);
      case Event.Tokens tokens -> accept(tokens);
      case Event.Refused refused when refused.attempt() == attempt && target != null ->
          refuse(refused);
      case Event.Refused _ -> List.of();
      case Event.SendFailed(long now, int at, String reason) when at == attempt && target != null ->
          moveOn(
              now, 503, "engine %s cannot be reached (%s)".formatted(target.rank(), reason), false);
      case Event.SendFailed _ -> List.of();
      case Event.EngineGone(long now, Incarnation gone)
          when target != null && target.incarnation().equals(gone) ->
          moveOn(now, 503, "engine %s was lost".formatted(target.rank()), false);
      case Event.EngineGone _ -> List.of();
      case Event.EngineStalled(long now, Incarnation stalled)
          when target != null && target.incarnation().equals(stalled) ->
          moveOn(now, 503, "engine %s lives but does not step".formatted(target.rank()), true);
      case Event.EngineStalled _ -> List.of();
      case Event.Offered offered -> offered(offered);
      case Event.Tick tick -> tick(tick);
      case Event.Closed _ -> end(abort());
    };
  }

  private List<Effect> unrouted(long now) {
    if (phase != Phase.ROUTING) {
      return List.of();
    }
    boolean wait = failures > 0 && status == 503 && now - signAt < REROUTE_PATIENCE_NANOS;
    return wait ? List.of() : fail();
  }

  /** A move is nobody's failure; what has begun to stream stays. */
  private List<Effect> offered(Event.Offered offer) {
    Target from = target;
    if (from == null
        || offer.attempt() != attempt
        || !offer.from().equals(from.incarnation())
        || streaming) {
      return List.of();
    }
    if (moves >= MOVES_MAX || failed.contains(offer.to().incarnation())) {
      return List.of(new Effect.Decline(from, attempt));
    }
    moves++;
    List<Effect> effects = new ArrayList<>();
    effects.add(new Effect.Move(from, offer.to()));
    effects.addAll(abort());
    attempt++;
    target = offer.to();
    lastTarget = offer.to();
    sends = 0;
    effects.addAll(send(offer.to(), offer.nowNanos()));
    return effects;
  }

  private List<Effect> send(Target to, long now) {
    phase = Phase.SENT;
    sends++;
    streaming = false;
    sentAt = now;
    signAt = now;
    idle = false;
    return List.of(new Effect.Submit(to, attempt, delivered()));
  }

  private List<Effect> accept(Event.Tokens tokens) {
    Target from = target;
    if (from == null
        || phase == Phase.ROUTING
        || tokens.attempt() != attempt
        || !tokens.from().equals(from.incarnation())) {
      return List.of();
    }
    if (tokens.offset() > count) {
      return resume(from, tokens.nowNanos(), "tokens of engine %s were lost");
    }
    phase = Phase.RUNNING;
    streaming = true;
    signAt = tokens.nowNanos();
    idle = false;
    List<Effect> effects = new ArrayList<>(2);
    int known = count - tokens.offset();
    if (known < tokens.ids().size() || (count == 0 && !tokens.promptLogprobs().isEmpty())) {
      effects.add(deliver(tokens, known));
    }
    FinishReason finish = tokens.finish();
    if (finish == FinishReason.ERROR) {
      String reason = "engine %s gave up on the request".formatted(from.rank());
      effects.addAll(moveOn(tokens.nowNanos(), 503, reason, false));
    } else if (finish != null) {
      phase = Phase.ENDED;
      effects.add(new Effect.Finish(finish, tokens.stopId()));
    }
    return effects;
  }

  private Effect deliver(Event.Tokens tokens, int known) {
    TokenIds fresh = tokens.ids().slice(known, tokens.ids().size());
    List<Logprobs> logprobs = tokens.logprobs();
    boolean first = count == 0;
    if (count + fresh.size() > delivered.length) {
      delivered = Arrays.copyOf(delivered, 2 * (count + fresh.size()));
    }
    fresh.copyTo(delivered, count);
    count += fresh.size();
    fruitless = 0;
    return new Effect.Deliver(
        fresh,
        known == 0 || logprobs.isEmpty() ? logprobs : logprobs.subList(known, logprobs.size()),
        first ? tokens.promptLogprobs() : List.of(),
        tokens.finish() == FinishReason.STOP);
  }

  private List<Effect> refuse(Event.Refused refused) {
    Rank from = target == null ? null : target.rank();
    String reason = "engine %s refused: %s".formatted(from, refused.reason());
    // Another engine may have room, be up, or know a newer epoch; a bad request is bad everywhere.
    if (refused.status() == 429 || refused.status() == 409 || refused.status() >= 500) {
      // It may have refused a repetition for want of room, while it computes what it got before.
      return moveOn(refused.nowNanos(), refused.status() == 429 ? 429 : 503, reason, true);
    }
    phase = Phase.ENDED;
    return List.of(new Effect.Fail(refused.status(), refused.reason()));
  }

  private List<Effect> tick(Event.Tick tick) {
    long now = tick.nowNanos();
    Target at = target;
    if (phase == Phase.ROUTING) {
      return List.of(new Effect.Choose(Set.copyOf(failed)));
    }
    if (at == null) {
      return List.of();
    }
    if (phase == Phase.SENT && tick.acknowledged()) {
      phase = Phase.RUNNING;
    }
    if (phase == Phase.SENT) {
      if (now - sentAt < ACK_DEADLINE_NANOS) {
        return List.of();
      }
      return sends < SENDS_MAX
          ? send(at, now)
          : moveOn(now, 503, "engine %s does not answer".formatted(at.rank()), true);
    }
    if (!tick.idle()) {
      idle = false;
    } else if (!idle) {
      idle = true;
      idleSince = now;
    } else if (now - idleSince >= IDLE_PROOF_NANOS) {
      return resume(at, now, "engine %s does not know the request any more");
    }
    if (tick.paused()) {
      signAt = now;
    } else if (now - signAt >= timeoutNanos) {
      cause = "engine %s gave no token for %d ms".formatted(at.rank(), (now - signAt) / 1_000_000);
      status = 503;
      List<Effect> effects = new ArrayList<>(abort());
      effects.addAll(fail());
      return effects;
    }
    return List.of();
  }

  /**
   * Asks the same engine again from the next token on, unless that brought nothing the last time.
   */
  private List<Effect> resume(Target at, long now, String why) {
    if (++fruitless > SENDS_MAX) {
      return moveOn(now, 503, why.formatted(at.rank()), true);
    }
    attempt++;
    sends = 0;
    return send(at, now);
  }

  /** Leaves the engine for another. */
  private List<Effect> moveOn(long now, int newStatus, String why, boolean tellIt) {
    List<Effect> effects = new ArrayList<>(tellIt ? abort() : List.of());
    if (target != null) {
      failed.add(target.incarnation());
    }
    target = null;
    failures++;
    status = newStatus;
    cause = why;
    signAt = now;
    fruitless = 0;
    if (count >= maxTokens) {
      // Only the end itself was lost.
      phase = Phase.ENDED;
      effects.add(new Effect.Finish(FinishReason.LENGTH, -1));
    } else if (failures >= FAILURES_MAX) {
      effects.addAll(fail());
    } else {
      attempt++;
      phase = Phase.ROUTING;
      effects.add(new Effect.Choose(Set.copyOf(failed)));
    }
    return effects;
  }

  private List<Effect> abort() {
    Target at = target;
    return at == null ? List.of() : List.of(new Effect.Abort(at, attempt));
  }

  private List<Effect> fail() {
    String tried = failures > 1 ? " (the last of %d engines tried)".formatted(failures) : "";
    return end(List.of(new Effect.Fail(status, cause + tried)));
  }

  private List<Effect> end(List<Effect> effects) {
    phase = Phase.ENDED;
    return effects;
  }
}
