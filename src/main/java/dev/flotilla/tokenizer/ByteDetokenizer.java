package dev.flotilla.tokenizer;

import dev.flotilla.protocol.TokenIds;

/**
 * Decodes a stream of byte-level tokens: looks up each token's bytes and decodes UTF-8 as they
 * come. Broken sequences become U+FFFD as in the WHATWG encoding standard, one for each maximal
 * part of a sequence, which is what the native library does too.
 */
final class ByteDetokenizer implements TextTokenizer.Detokenizer {
  private static final char REPLACEMENT = '\uFFFD';

  private final HuggingFaceTokenizer tokenizer;
  private final boolean skipSpecialTokens;

  /** Bytes missing of the code point at hand, its bits so far, and the next byte's bounds. */
  private int missing;

  private int bits;
  private int lowest;
  private int highest;

  ByteDetokenizer(HuggingFaceTokenizer tokenizer, boolean skipSpecialTokens) {
    this.tokenizer = tokenizer;
    this.skipSpecialTokens = skipSpecialTokens;
  }

  @Override
  public String append(TokenIds ids) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < ids.size(); i++) {
      if (tokenizer.shows(ids.get(i), skipSpecialTokens)) {
        for (byte b : tokenizer.bytes(ids.get(i))) {
          take(b & 0xFF, text);
        }
      }
    }
    return text.toString();
  }

  @Override
  public String finish() {
    String rest = missing > 0 ? String.valueOf(REPLACEMENT) : "";
    missing = 0;
    return rest;
  }

  private void take(int b, StringBuilder text) {
    if (missing > 0 && b >= lowest && b <= highest) {
      bits = bits << 6 | (b & 0x3F);
      lowest = 0x80;
      highest = 0xBF;
      missing--;
      if (missing == 0) {
        text.appendCodePoint(bits);
      }
      return;
    }
    if (missing > 0) {
      text.append(REPLACEMENT);
      missing = 0;
    }
    if (b < 0x80) {
      text.append((char) b);
    } else if (b < 0xC2 || b > 0xF4) {
      text.append(REPLACEMENT);
    } else {
      begin(b);
    }
  }

  /** The bounds leave out overlong forms, surrogates and what is above U+10FFFF. */
  private void begin(int b) {
    missing = b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
    bits = b & (0x3F >> missing);
    lowest = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
    highest = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
  }
}
