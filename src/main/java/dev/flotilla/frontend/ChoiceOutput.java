package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Output of one choice that has come and not been written yet. Used by one thread. */
final class ChoiceOutput {
  /** What one token's log-probabilities take, roughly, for each entry. */
  private static final int ENTRY_BYTES = 48;

  final int index;
  final StringBuilder text = new StringBuilder();
  final List<Logprobs> logprobs = new ArrayList<>();

  /** Of the prompt's tokens, kept until the end. */
  final List<Logprobs> promptLogprobs = new ArrayList<>();

  /** What is new of tool calls; one entry for each call. */
  final List<ToolDelta> calls = new ArrayList<>();

  /** Whether a call is complete. */
  boolean called;

  int[] ids = new int[8];
  int idCount;

  /** Tokens so far, written ones included. */
  int tokens;

  /** Where the next token's text stands; see {@link LogprobFormat#completion}. */
  int textOffset;

  @Nullable FinishReason finish;
  @Nullable Object stop;
  boolean begun;
  boolean ended;

  ChoiceOutput(int index) {
    this.index = index;
  }

  /** Takes a piece; gives the memory that waits with it, roughly. */
  int add(OutputText.Piece piece) {
    text.append(piece.text());
    tokens += piece.ids().size();
    if (idCount + piece.ids().size() > ids.length) {
      ids = Arrays.copyOf(ids, 2 * (idCount + piece.ids().size()));
    }
    piece.ids().copyTo(ids, idCount);
    idCount += piece.ids().size();
    piece.calls().forEach(this::add);
    logprobs.addAll(piece.logprobs());
    promptLogprobs.addAll(piece.promptLogprobs());
    int bytes = 2 * piece.text().length() + Integer.BYTES * piece.ids().size();
    for (ToolDelta delta : piece.calls()) {
      bytes += 2 * delta.arguments().length() + ENTRY_BYTES;
    }
    return bytes + bytes(piece.logprobs()) + bytes(piece.promptLogprobs());
  }

  private void add(ToolDelta delta) {
    called |= delta.last();
    boolean same = !calls.isEmpty() && calls.getLast().index() == delta.index();
    calls.add(same ? calls.removeLast().with(delta) : delta);
  }

  private static int bytes(List<Logprobs> logprobs) {
    int bytes = 0;
    for (Logprobs at : logprobs) {
      bytes += ENTRY_BYTES * (1 + at.top().size());
    }
    return bytes;
  }

  /** The prompt's log-probabilities become the first of the output's, for an echo. */
  void echoLogprobs(TokenIds prompt) {
    logprobs.addAll(0, promptLogprobs);
    logprobs.addFirst(LogprobFormat.unknown(prompt.get(0)));
  }

  void finish(FinishReason reason, @Nullable Object by) {
    finish = reason;
    stop = by;
  }

  /** Whether there is anything to write. */
  boolean pending() {
    return !text.isEmpty() || !calls.isEmpty() || !logprobs.isEmpty() || (finish != null && !ended);
  }

  /** All of it has been written. */
  void written() {
    text.setLength(0);
    calls.clear();
    logprobs.clear();
    idCount = 0;
    begun = true;
    ended = finish != null;
  }
}
