package dev.flotilla.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The alphabet in which byte-level tokenizers write bytes (GPT-2's): a printable byte of Latin-1 is
 * its own character, the others follow from U+0100 on.
 */
final class ByteAlphabet {
  private static final int[] BYTES = bytes();

  private ByteAlphabet() {}

  private static int[] bytes() {
    int[] bytes = new int[512];
    Arrays.fill(bytes, -1);
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b > 32 && b < 127) || (b > 160 && b != 173);
      bytes[printable ? b : next++] = b;
    }
    return bytes;
  }

  /** The bytes that a token stands for; a token not written in this alphabet is plain text. */
  static byte[] decode(String token) {
    byte[] decoded = new byte[token.length()];
    for (int i = 0; i < decoded.length; i++) {
      char c = token.charAt(i);
      if (c >= BYTES.length || BYTES[c] < 0) {
        return token.getBytes(StandardCharsets.UTF_8);
      }
      decoded[i] = (byte) BYTES[c];
    }
    return decoded;
  }
}
