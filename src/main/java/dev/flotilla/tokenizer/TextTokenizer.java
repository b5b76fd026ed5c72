package dev.flotilla.tokenizer;

import dev.flotilla.protocol.TokenIds;

/** Text to token ids and back. Safe for use by several threads. */
public interface TextTokenizer {
  /**
   * The ids of a text. Special tokens written out in the text are recognised.
   *
   * @param addSpecialTokens whether what the tokenizer's post-processor adds (a begin token, say)
   *     is added
   */
  TokenIds encode(String text, boolean addSpecialTokens);

  /** The text of all ids together. */
  String decode(TokenIds ids, boolean skipSpecialTokens);

  /** Ids there are. */
  int vocab();

  /** The written form of one id, as {@code /tokenize} and log-probabilities show it. */
  String piece(int id);

  /** Decodes one stream piece by piece; not shared between threads. */
  Detokenizer detokenizer(boolean skipSpecialTokens);

  /** Incremental decoding that never splits a code point. */
  interface Detokenizer {
    /** The text that became certain with these ids; may be empty. */
    String append(TokenIds ids);

    /** What was held back, at the end of the stream; incomplete bytes as U+FFFD. */
    String finish();
  }
}
