package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Logprobs;
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
    logprobs.addAll(piece.logprobs());
    int bytes = 2 * piece.text().length() + Integer.BYTES * piece.ids().size();
    for (Logprobs at : piece.logprobs()) {
      bytes += ENTRY_BYTES * (1 + at.top().size());
    }
    return bytes;
  }

  void finish(FinishReason reason, @Nullable Object by) {
    finish = reason;
    stop = by;
  }

  /** Whether there is anything to write. */
  boolean pending() {
    return !text.isEmpty() || !logprobs.isEmpty() || (finish != null && !ended);
  }

  /** All of it has been written. */
  void written() {
    text.setLength(0);
    logprobs.clear();
    idCount = 0;
    begun = true;
    ended = finish != null;
  }
}
