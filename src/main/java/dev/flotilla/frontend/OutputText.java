package dev.flotilla.frontend;

import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.tokenizer.TextTokenizer.Detokenizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes text of one choice's tokens: incremental detokenising, then stop strings. */
final class OutputText {
  private final Detokenizer detokenizer;
  private final StopStrings stops;
  private final boolean plain;
  private final int minTokens;
  private final boolean includeStop;
  private int count;

  OutputText(GenerationRequest request, Detokenizer detokenizer) {
    this.detokenizer = detokenizer;
    this.stops = new StopStrings(request.stops().strings(), request.stops().include());
    this.plain = request.stops().strings().isEmpty();
    this.minTokens = request.sampling().minTokens();
    this.includeStop = request.stops().include();
  }

  /**
   * New output: what became certain as text, and the tokens that came.
   *
   * @param promptLogprobs once, with the first piece, if they were asked for: one per token of the
   *     prompt from the second on
   * @param calls what is new of tool calls, found in the text by {@link ToolAnswer}
   */
  record Piece(
      String text,
      TokenIds ids,
      List<Logprobs> logprobs,
      List<Logprobs> promptLogprobs,
      List<ToolDelta> calls) {
    Piece(String text, TokenIds ids, List<Logprobs> logprobs) {
      this(text, ids, logprobs, List.of());
    }

    Piece(String text, TokenIds ids, List<Logprobs> logprobs, List<Logprobs> promptLogprobs) {
      this(text, ids, logprobs, promptLogprobs, List.of());
    }
  }

  /** Tokens that count as output. */
  int count() {
    return count;
  }

  /** The stop string that ended the text; null if none did. */
  @Nullable String matched() {
    return stops.matched();
  }

  /**
   * Takes tokens; those behind a stop string are dropped.
   *
   * @param stopped whether the last one ended the output, so that it is no text unless asked for
   */
  Piece append(TokenIds ids, List<Logprobs> logprobs, boolean stopped) {
    int visible = stopped && !includeStop ? ids.size() - 1 : ids.size();
    if (plain) {
      count += ids.size();
      return new Piece(detokenizer.append(ids.slice(0, visible)), ids, logprobs);
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < ids.size(); i++) {
      count++;
      String piece = i < visible ? detokenizer.append(ids.slice(i, i + 1)) : "";
      text.append(count <= minTokens ? piece : stops.append(piece));
      if (stops.matched() != null) {
        int used = i + 1;
        return new Piece(
            text.toString(),
            ids.slice(0, used),
            logprobs.isEmpty() ? logprobs : logprobs.subList(0, used));
      }
    }
    return new Piece(text.toString(), ids, logprobs);
  }

  /** What was held back, at the end. */
  String finish() {
    return stops.append(detokenizer.finish()) + stops.finish();
  }
}
