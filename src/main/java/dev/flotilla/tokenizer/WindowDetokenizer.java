package dev.flotilla.tokenizer;

import dev.flotilla.protocol.TokenIds;
import java.util.Arrays;

/**
 * Decodes a stream of any kind of tokens through a window over its last ones. A single token's text
 * is not the text it adds: bytes of a code point may be split over tokens, and some decoders treat
 * the first token otherwise. So each step decodes the window with and without the new tokens and
 * gives what came to it; U+FFFD at the very end is held back, since following bytes may still
 * complete it.
 *
 * <p>The window is cut to its last few tokens when it has grown. That loses nothing: a code point
 * has at most four bytes, and each token at least one. Together the pieces are what decoding all
 * ids at once gives.
 */
final class WindowDetokenizer implements TextTokenizer.Detokenizer {
  private static final char REPLACEMENT = '\uFFFD';

  /** Most characters of which later bytes can make another one. */
  private static final int HELD_MAX = 3;

  private static final int KEPT = 8;
  private static final int WINDOW_MAX = 24;

  private final HuggingFaceTokenizer tokenizer;
  private final boolean skipSpecialTokens;

  private long[] window = new long[WINDOW_MAX + KEPT];
  private int size;
  private String text = "";

  WindowDetokenizer(HuggingFaceTokenizer tokenizer, boolean skipSpecialTokens) {
    this.tokenizer = tokenizer;
    this.skipSpecialTokens = skipSpecialTokens;
  }

  @Override
  public String append(TokenIds ids) {
    int before = size;
    if (size + ids.size() > window.length) {
      window = Arrays.copyOf(window, size + ids.size());
    }
    for (int i = 0; i < ids.size(); i++) {
      if (tokenizer.shows(ids.get(i), skipSpecialTokens)) {
        window[size++] = ids.get(i);
      }
    }
    if (size == before) {
      return "";
    }
    int given = certain(text);
    text = tokenizer.decode(window, size);
    String added = text.substring(Math.min(given, certain(text)), certain(text));
    if (size > WINDOW_MAX) {
      cut();
    }
    return added;
  }

  @Override
  public String finish() {
    String rest = text.substring(certain(text));
    size = 0;
    text = "";
    return rest;
  }

  private void cut() {
    long[] last = Arrays.copyOfRange(window, size - KEPT, size);
    String shorter = tokenizer.decode(last, KEPT);
    // Without a whole character in it, the shorter window would hold back something else.
    boolean anchored = certain(shorter) > 0 && shorter.charAt(certain(shorter) - 1) != REPLACEMENT;
    if (anchored) {
      System.arraycopy(last, 0, window, 0, KEPT);
      size = KEPT;
      text = shorter;
    }
  }

  /** Length of the part that no later token can change. */
  private static int certain(String text) {
    int end = text.length();
    while (end > 0 && text.length() - end < HELD_MAX && text.charAt(end - 1) == REPLACEMENT) {
      end--;
    }
    return end;
  }
}
