package dev.flotilla.simulation;

import dev.flotilla.executor.scripted.ScriptedTokens;
import dev.flotilla.frontend.RequestStream;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.TokenIds;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One request of a simulated client, with what the world knows of it. */
final class ServingRequest {
  final RequestId id;
  final TokenIds prompt;
  final int maxTokens;
  final @Nullable Rank only;

  @Nullable RequestStream stream;
  long sequence;
  @Nullable Incarnation sentTo;
  long sentTokens;

  /** Whether its client has left. */
  boolean closed;

  /** Whether its front-end is done with it. */
  boolean over;

  /** Since when. */
  long overAt;

  /** Who speaks just now. */
  @Nullable Speaker speaker;

  /** Whose tokens count: of the last submission. */
  @Nullable Speaker current;

  /** Given to the client, and the state of the tokens after that. */
  int delivered;

  long state = ScriptedTokens.START;

  /** Ends that the client saw. */
  int ends;

  int moves;

  /** One attempt on one engine. */
  record Speaker(int attempt, Incarnation engine) {}

  ServingRequest(RequestId id, TokenIds prompt, int maxTokens, @Nullable Rank only) {
    this.id = id;
    this.prompt = prompt;
    this.maxTokens = maxTokens;
    this.only = only;
    for (int i = 0; i < prompt.size(); i++) {
      state = ScriptedTokens.next(state, prompt.get(i));
    }
  }

  RequestStream stream() {
    return Objects.requireNonNull(stream, "it was not accepted yet");
  }

  @Override
  public String toString() {
    return "%s (%d prompt tokens, %d of %d delivered, %d moves)"
        .formatted(id, prompt.size(), delivered, maxTokens, moves);
  }
}
