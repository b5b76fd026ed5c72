package dev.flotilla.frontend;

import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What can happen to a {@link RequestStream}, and what it wants done. */
public interface StreamSteps {
  /** Where the request is computed. */
  record Target(Rank rank, Incarnation incarnation, Epoch epoch) {}

  /** What happens to it. */
  sealed interface Event {
    /** The first event. */
    record Accepted(long nowNanos) implements Event {}

    /** The answer to {@link Effect.Choose}. */
    record Assigned(long nowNanos, Target target) implements Event {}

    /** The other answer: no engine may be chosen. */
    record NoneServing(long nowNanos) implements Event {}

    /** Tokens came; see {@link dev.flotilla.protocol.ToFrontend.Delta}. */
    record Tokens(
        long nowNanos,
        Incarnation from,
        int attempt,
        int offset,
        TokenIds ids,
        @Nullable FinishReason finish,
        int stopId,
        List<Logprobs> logprobs,
        List<Logprobs> promptLogprobs)
        implements Event {}

    /** The engine will not compute it. */
    record Refused(long nowNanos, int attempt, int status, String reason) implements Event {}

    /** The bus could not send the attempt. */
    record SendFailed(long nowNanos, int attempt, String reason) implements Event {}

    /** Its engine offers to let another one compute it; that one serves, as far as is known. */
    record Offered(long nowNanos, Incarnation from, int attempt, Target to) implements Event {}

    /** The engine left the view. */
    record EngineGone(long nowNanos, Incarnation engine) implements Event {}

    /** The engine lives, but has not stepped for too long, while others do. */
    record EngineStalled(long nowNanos, Incarnation engine) implements Event {}

    /**
     * Time passes.
     *
     * @param acknowledged whether the engine has acknowledged the last send
     * @param idle whether its last report said that it has nothing to do
     * @param paused whether the engines are paused, so that no token is to be expected
     */
    record Tick(long nowNanos, boolean acknowledged, boolean idle, boolean paused)
        implements Event {
      /** While nothing is paused. */
      public Tick(long nowNanos, boolean acknowledged, boolean idle) {
        this(nowNanos, acknowledged, idle, false);
      }
    }

    /** The client left, or has all that it wants. */
    record Closed() implements Event {}
  }

  /** What it wants done. */
  sealed interface Effect {
    /** Choose an engine, another one than these if possible. */
    record Choose(Set<Incarnation> failed) implements Effect {}

    /** Send the attempt. */
    record Submit(Target target, int attempt, TokenIds delivered) implements Effect {}

    /** The next attempt goes from one engine to another although neither failed. */
    record Move(Target from, Target to) implements Effect {}

    /** The engine's offer of this attempt is not taken up. */
    record Decline(Target target, int attempt) implements Effect {}

    /** Cancel attempts up to this one. */
    record Abort(Target target, int attempt) implements Effect {}

    /**
     * Give these tokens to the client.
     *
     * @param stopped whether the last of them is what ended the output
     */
    record Deliver(
        TokenIds ids, List<Logprobs> logprobs, List<Logprobs> promptLogprobs, boolean stopped)
        implements Effect {}

    /** The stream is complete. */
    record Finish(FinishReason reason, int stopId) implements Effect {}

    /** The stream ends without being complete. */
    record Fail(int status, String sentence) implements Effect {}
  }
}
