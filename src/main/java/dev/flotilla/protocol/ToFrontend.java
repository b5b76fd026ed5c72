package dev.flotilla.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Everything a front-end can be told. */
public sealed interface ToFrontend {

  /**
   * What one step brought for this front-end: at most one message per step.
   *
   * @param deltas one per request that got a token or ended
   */
  record Tokens(LoadReport load, List<Delta> deltas) implements ToFrontend {
    /** Keeps a private copy. */
    public Tokens {
      deltas = List.copyOf(deltas);
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
   */
  record Delta(
      RequestId request,
      int attempt,
      int offset,
      TokenIds ids,
      @Nullable FinishReason finish,
      int stopId,
      List<Logprobs> logprobs,
      List<Logprobs> promptLogprobs) {
    /** Keeps private copies. */
    public Delta {
      logprobs = List.copyOf(logprobs);
      promptLogprobs = List.copyOf(promptLogprobs);
    }
  }

  /** A report alone: on receipt of work, and to front-ends that no tokens go to. */
  record Load(LoadReport load) implements ToFrontend {}

  /** The engine will not compute the request; status as in HTTP. */
  record Refusal(RequestId request, int attempt, Rank rank, Epoch epoch, int status, String reason)
      implements ToFrontend {}

  /** Published by the coordinator. */
  record View(ClusterView view) implements ToFrontend {}

  /** Warm-up from an engine; answered with {@link ToEngine.Pong} to its address. */
  record Ping(Rank rank, Incarnation incarnation, long nonce) implements ToFrontend {}

  /** Answer to {@link ToEngine.Ping}. */
  record Pong(Rank rank, Incarnation incarnation, long nonce) implements ToFrontend {}
}
