package dev.flotilla.frontend;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.protocol.TokenRules;
import dev.flotilla.tokenizer.TextTokenizer;
import java.util.ArrayList;
import java.util.List;

/** Reads what a request says about single tokens: biases, allowed ids, forbidden words. */
record TokenRulesReader(TextTokenizer tokenizer) {
  /**
   * More words than this are a list that somebody generated; each costs two runs of the tokenizer.
   */
  static final int BAD_WORDS_MAX = 1024;

  private static final float BIAS_MAX = 100;

  /** The rules of a request. */
  TokenRules read(Fields fields) {
    List<Float> biases = new ArrayList<>();
    TokenIds biased = biases(fields, biases);
    TokenIds allowed = TokenIds.of(fields.ids("allowed_token_ids", tokenizer.vocab()));
    if (allowed.isEmpty() && fields.has("allowed_token_ids")) {
      throw ApiException.badValue(
          "allowed_token_ids", "allowed_token_ids must hold at least one token id");
    }
    List<TokenIds> badWords = badWords(fields);
    return biased.isEmpty() && allowed.isEmpty() && badWords.isEmpty()
        ? TokenRules.NONE
        : new TokenRules(biased, biases, allowed, badWords);
  }

  /** An object from token ids to numbers; those beyond ±100 count as ±100, as vLLM has it. */
  private TokenIds biases(Fields fields, List<Float> biases) {
    Fields given = fields.object("logit_bias");
    if (given == null) {
      return TokenIds.EMPTY;
    }
    int[] ids = new int[given.json().size()];
    for (var entry : given.json().properties()) {
      JsonNode bias = entry.getValue();
      if (!bias.isNumber()) {
        throw Fields.wrong("logit_bias", "numbers by token id", bias);
      }
      ids[biases.size()] = id(entry.getKey());
      biases.add(Math.clamp(bias.floatValue(), -BIAS_MAX, BIAS_MAX));
    }
    return TokenIds.of(ids);
  }

  private int id(String key) {
    try {
      int id = Integer.parseInt(key);
      if (id >= 0 && id < tokenizer.vocab()) {
        return id;
      }
    } catch (NumberFormatException e) {
      // Said below, with the ids that there are.
    }
    throw ApiException.badValue(
        "logit_bias",
        "logit_bias must name token ids from 0 to %d, not %s"
            .formatted(tokenizer.vocab() - 1, key));
  }

  /**
   * Each word as it is written at the beginning of a text and behind a space.
   *
   * <p>Source: vLLM's {@code SamplingParams.update_from_tokenizer}: the second form counts only if
   * it is as long as the first and begins otherwise.
   */
  private List<TokenIds> badWords(Fields fields) {
    List<String> words = fields.strings("bad_words");
    if (words.size() > BAD_WORDS_MAX) {
      throw ApiException.badValue(
          "bad_words",
          "bad_words may hold %d words, not %d".formatted(BAD_WORDS_MAX, words.size()));
    }
    List<TokenIds> all = new ArrayList<>();
    for (String word : words) {
      String bare = word.stripLeading();
      TokenIds first = tokenizer.encode(bare, false);
      if (first.isEmpty()) {
        throw ApiException.badValue("bad_words", "a bad word must not be empty");
      }
      all.add(first);
      TokenIds behindSpace = tokenizer.encode(" " + bare, false);
      if (behindSpace.size() == first.size() && behindSpace.get(0) != first.get(0)) {
        all.add(behindSpace);
      }
    }
    return all;
  }
}
