package dev.flotilla.frontend;

import dev.flotilla.balancer.PrefixChain;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToFrontend;
import org.jspecify.annotations.Nullable;

/** One choice of one request: a stream of tokens with what its owner needs to know of it. */
final class Choice {
  final Generation generation;
  final int index;
  final RequestId id;
  final RequestStream stream;
  final OutputText text;
  final Sampling sampling;
  final long acceptedAt;

  /** The prompt's blocks, once they were looked for; of the first choice of each prompt. */
  @Nullable PrefixChain prefix;

  /** Why its engine was chosen; "" unless the client is told. */
  String decision = "";

  /** Whether a question to the coordinator about it is open. */
  boolean asked;

  /** Tokens of the prompt that its engine was thought to hold when it was chosen. */
  int expectedCached;

  /** The engine that it was sent to and has not left. */
  @Nullable Incarnation heldBy;

  /** The ledger's number of the last send. */
  long sequence;

  /** Where it was moved to last by the engine that had it; null: it never was. */
  @Nullable Incarnation movedTo;

  /** Whether anything was given to the client. */
  boolean opened;

  /** Tokens of the prompt that came from the prefix cache of the first engine that answered. */
  int cachedTokens;

  /** Where the time went in the engine that ended it, if it said so. */
  ToFrontend.@Nullable Timing timing;

  /** When the first and the last token came; 0 before. */
  long firstTokenAt;

  long lastTokenAt;

  Choice(
      Generation generation,
      int index,
      RequestId id,
      RequestStream stream,
      OutputText text,
      long acceptedAt) {
    this.generation = generation;
    this.index = index;
    this.id = id;
    this.stream = stream;
    this.text = text;
    this.sampling = generation.request.sampling(index);
    this.acceptedAt = acceptedAt;
  }

  /** What the engine says of its own work, if the attempt still counts. */
  void note(ToFrontend.Delta delta) {
    if (delta.attempt() != stream.attempt()) {
      return;
    }
    if (stream.count() == 0) {
      cachedTokens = delta.cachedTokens();
    }
    if (delta.timing() != null) {
      timing = delta.timing();
    }
  }

  GenerationRequest.Prompt prompt() {
    return generation.request.prompt(index);
  }
}
