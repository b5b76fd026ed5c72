package dev.flotilla.frontend;

import dev.flotilla.protocol.Logprobs;
import dev.flotilla.tokenizer.TextTokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Log-probabilities in the two shapes of the OpenAI API, and those of a prompt in vLLM's.
 *
 * @param byId whether tokens are named {@code token_id:ID} instead of by their text
 */
record LogprobFormat(TextTokenizer tokenizer, boolean byId) {
  /** Stands for the first token of a prompt, which nothing precedes that could predict it. */
  static Logprobs unknown(int token) {
    return new Logprobs(new Logprobs.Entry(token, Float.NaN), List.of());
  }

  private String name(int token) {
    return byId ? "token_id:" + token : tokenizer.piece(token);
  }

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
    String piece = name(entry.token());
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
      Logprobs.Entry own = at.chosen();
      offsets.raw(comma).number(next);
      next += tokenizer.piece(own.token()).length();
      tokens.raw(comma).string(name(own.token()));
      chosen.raw(comma);
      best.raw(comma);
      if (Float.isNaN(own.logprob())) {
        chosen.raw("null");
        best.raw("null");
      } else {
        chosen.number(own.logprob());
        top(best, at, tops);
      }
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
      out.raw(comma).string(name(top.token())).raw(":").number(top.logprob());
      chosenShown |= top.token() == at.chosen().token();
      comma = ",";
    }
    if (!chosenShown) {
      out.raw(comma).string(name(at.chosen().token()));
      out.raw(":").number(at.chosen().logprob());
    }
    out.raw("}");
  }

  /**
   * Those of a prompt: null for the first token, then an object by token id for each.
   *
   * @param tops how many of the most probable were asked for
   */
  void prompt(JsonBytes out, List<Logprobs> logprobs, int tops) {
    out.raw("[null");
    for (Logprobs at : logprobs) {
      List<Logprobs.Entry> best = at.top().subList(0, Math.min(tops, at.top().size()));
      boolean chosenShown = false;
      String comma = "";
      out.raw(",{");
      for (int i = 0; i < best.size(); i++) {
        out.raw(comma);
        ranked(out, best.get(i), i + 1);
        chosenShown |= best.get(i).token() == at.chosen().token();
        comma = ",";
      }
      if (!chosenShown) {
        out.raw(comma);
        ranked(out, at.chosen(), rank(at));
      }
      out.raw("}");
    }
    out.raw("]");
  }

  /** The place of the chosen token among the best that are known; 0 if it is none of them. */
  private static int rank(Logprobs at) {
    for (int i = 0; i < at.top().size(); i++) {
      if (at.top().get(i).token() == at.chosen().token()) {
        return i + 1;
      }
    }
    return 0;
  }

  private void ranked(JsonBytes out, Logprobs.Entry entry, int rank) {
    out.raw("\"").number(entry.token()).raw("\":{\"logprob\":").number(entry.logprob());
    out.raw(",\"rank\":").raw(rank == 0 ? "null" : Integer.toString(rank));
    out.raw(",\"decoded_token\":").string(tokenizer.piece(entry.token())).raw("}");
  }
}
