package dev.flotilla.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Everything a front-end can be told. */
public sealed interface ToFrontend {

  /**
   * What one step brought for this front-end: at most one message per step.
   *
   * @param from the engine that speaks
   * @param load its report, if one rides along: reports are bounded by a number in a second
   * @param deltas one per request that got a token or ended
   */
  record Tokens(EngineAt from, @Nullable LoadReport load, List<Delta> deltas)
      implements ToFrontend {
    /** Keeps a private copy. */
    public Tokens {
      deltas = List.copyOf(deltas);
    }

    /** Tokens with the report of the engine that speaks. */
    public Tokens(LoadReport load, List<Delta> deltas) {
      this(new EngineAt(load.rank(), load.incarnation(), load.epoch()), load, deltas);
    }
  }

  /**
   * New tokens of one request.
   *
   * @param offset position of the first new token in the output, delivered tokens of earlier
   *     attempts included; accepted only if it is the next one
   * @param finish null while the request goes on
   * @param stopId the token that ended it, -1 unless an id of {@code stopIds} did
   * @param logprobs one per id if asked for, else empty
   * @param promptLogprobs once, with the first delta, if asked for: one per prompt token from the
   *     second on
   * @param cachedTokens tokens of the prompt (and of what was delivered before) whose keys and
   *     values came from the prefix cache when the request was started; told with the first delta
   *     of an attempt, 0 in others
   * @param timing with the first delta of an attempt, since a front-end may end the request by
   *     itself, and with the one that ends it; else null
   */
  record Delta(
      RequestId request,
      int attempt,
      int offset,
      TokenIds ids,
      @Nullable FinishReason finish,
      int stopId,
      List<Logprobs> logprobs,
      List<Logprobs> promptLogprobs,
      int cachedTokens,
      @Nullable Timing timing) {
    /** Keeps private copies. */
    public Delta {
      logprobs = List.copyOf(logprobs);
      promptLogprobs = List.copyOf(promptLogprobs);
    }

    /** One that says nothing of the prefix cache and of times. */
    public Delta(
        RequestId request,
        int attempt,
        int offset,
        TokenIds ids,
        @Nullable FinishReason finish,
        int stopId,
        List<Logprobs> logprobs,
        List<Logprobs> promptLogprobs) {
      this(request, attempt, offset, ids, finish, stopId, logprobs, promptLogprobs, 0, null);
    }
  }

  /**
   * Where the time of one attempt went inside its engine, in nanoseconds; what vLLM's histograms of
   * queue, prefill and decode time are made of. A part that was not reached is 0.
   *
   * @param queued from the engine's receipt to the first step that computed something of it
   * @param prefill from there to its first token, times of preemption included
   * @param decode from the first token to the last
   */
  record Timing(long queued, long prefill, long decode) {}

  /** A report alone: on receipt of work, and to front-ends that no tokens go to. */
  record Load(LoadReport load) implements ToFrontend {}

  /**
   * What an engine's prefix cache has gained and lost, as a net sum of its numbered changes; or, in
   * pieces that follow each other, all that it holds. Who has not taken the change {@code after} it
   * asks for a snapshot.
   *
   * @param after the number of the change that this one follows; -1: a snapshot, whatever was
   *     before
   * @param number of the last change that is in it
   * @param piece from 0 to {@code pieces}, exclusive; only a snapshot has more than one
   * @param added blocks that are held now
   * @param evicted blocks that are not held any more
   */
  record PrefixChange(
      Rank rank,
      Incarnation incarnation,
      Epoch epoch,
      long after,
      long number,
      int piece,
      int pieces,
      BlockHashes added,
      BlockHashes evicted)
      implements ToFrontend {
    /** The {@code after} of a snapshot. */
    public static final long SNAPSHOT = -1;

    /** Whether it is all that is held, or a piece of that. */
    public boolean snapshot() {
      return after == SNAPSHOT;
    }
  }

  /**
   * The coordinator's answer to {@link ToCoordinator.Choose}.
   *
   * @param incarnation of the engine; null: none may get the request
   * @param cachedTokens of the prompt, those that its prefix cache is thought to hold
   * @param decision why, in words; "" unless that was asked for
   */
  record Chosen(
      long call,
      @Nullable Rank rank,
      @Nullable Incarnation incarnation,
      int cachedTokens,
      String decision)
      implements ToFrontend {}

  /** The engine will not compute the request; status as in HTTP. */
  record Refusal(RequestId request, int attempt, Rank rank, Epoch epoch, int status, String reason)
      implements ToFrontend {}

  /**
   * A busy engine would rather have these never-started requests computed by another one. It does
   * not start them for {@link #HELD_MS}; the owner takes the offer up by submitting the next
   * attempt there and aborting this one here, or declines it.
   *
   * @param from who offers
   * @param to whom it was told to offer them to
   * @param requests of this front-end
   */
  record Offer(EngineAt from, EngineAt to, List<Attempt> requests) implements ToFrontend {
    /** How long an engine holds what it has offered: some round trips on a busy bus. */
    public static final long HELD_MS = 100;

    /** Keeps a private copy. */
    public Offer {
      requests = List.copyOf(requests);
    }
  }

  /** One attempt at a request. */
  record Attempt(RequestId request, int attempt) {}

  /** Published by the coordinator. */
  record View(ClusterView view) implements ToFrontend {}

  /** Warm-up from an engine; answered with {@link ToEngine.Pong} to its address. */
  record Ping(Rank rank, Incarnation incarnation, long nonce) implements ToFrontend {}

  /**
   * Answer to {@link ToEngine.Utility}; exactly one of result and failure is null.
   *
   * @param result JSON
   */
  record UtilityAnswer(
      Rank rank,
      Incarnation incarnation,
      long callId,
      @Nullable String result,
      @Nullable String failure)
      implements ToFrontend {}

  /** Answer to {@link ToEngine.Ping}. */
  record Pong(Rank rank, Incarnation incarnation, long nonce) implements ToFrontend {}
}
