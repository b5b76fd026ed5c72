package dev.flotilla.frontend;

import dev.flotilla.protocol.Logprobs;
import dev.flotilla.tokenizer.TextTokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Log-probabilities in the two shapes of the OpenAI API. */
record LogprobFormat(TextTokenizer tokenizer) {

  /**
   * The shape of chat: {@code {"content":[{"token","logprob","bytes","top_logprobs":[…]}]}}.
   *
   * @param tops how many of the most probable were asked for
   */
  void chat(JsonBytes out, List<Logprobs> logprobs, int tops) {
    out.raw("{\"content\":[");
    String comma = "";
    for (Logprobs at : logprobs) {
      out.raw(comma);
      entry(out, at.chosen());
      out.raw(",\"top_logprobs\":[");
      String inner = "";
      for (Logprobs.Entry top : at.top().subList(0, Math.min(tops, at.top().size()))) {
        out.raw(inner);
        entry(out, top);
        out.raw("}");
        inner = ",";
      }
      out.raw("]}");
      comma = ",";
    }
    out.raw("]}");
  }

  private void entry(JsonBytes out, Logprobs.Entry entry) {
    String piece = tokenizer.piece(entry.token());
    out.raw("{\"token\":").string(piece);
    out.raw(",\"logprob\":").number(entry.logprob()).raw(",\"bytes\":[");
    String comma = "";
    for (byte b : piece.getBytes(StandardCharsets.UTF_8)) {
      out.raw(comma).number(b & 0xff);
      comma = ",";
    }
    out.raw("]");
  }

  /**
   * The shape of completions: four lists, one element for each token.
   *
   * @param offset where the first token's text stands in the choice's text
   * @return where the next one will stand
   */
  int completion(JsonBytes out, List<Logprobs> logprobs, int tops, int offset) {
    int next = offset;
    JsonBytes offsets = new JsonBytes(64);
    JsonBytes tokens = new JsonBytes(128);
    JsonBytes chosen = new JsonBytes(128);
    JsonBytes best = new JsonBytes(256);
    String comma = "";
    for (Logprobs at : logprobs) {
      String piece = tokenizer.piece(at.chosen().token());
      offsets.raw(comma).number(next);
      next += piece.length();
      tokens.raw(comma).string(piece);
      chosen.raw(comma).number(at.chosen().logprob());
      best.raw(comma);
      top(best, at, tops);
      comma = ",";
    }
    out.raw("{\"text_offset\":[").raw(offsets.toArray());
    out.raw("],\"token_logprobs\":[").raw(chosen.toArray());
    out.raw("],\"tokens\":[").raw(tokens.toArray());
    out.raw("],\"top_logprobs\":[").raw(best.toArray()).raw("]}");
    return next;
  }

  private void top(JsonBytes out, Logprobs at, int tops) {
    out.raw("{");
    String comma = "";
    boolean chosenShown = false;
    for (Logprobs.Entry top : at.top().subList(0, Math.min(tops, at.top().size()))) {
      out.raw(comma).string(tokenizer.piece(top.token())).raw(":").number(top.logprob());
      chosenShown |= top.token() == at.chosen().token();
      comma = ",";
    }
    if (!chosenShown) {
      out.raw(comma).string(tokenizer.piece(at.chosen().token()));
      out.raw(":").number(at.chosen().logprob());
    }
    out.raw("}");
  }
}
