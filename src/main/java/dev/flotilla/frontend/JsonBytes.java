package dev.flotilla.frontend;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * JSON written straight into bytes: what is said once per token must not build a tree first. The
 * caller writes the punctuation. Used by one thread.
 */
final class JsonBytes {
  private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

  private byte[] bytes;
  private int size;

  JsonBytes(int capacity) {
    bytes = new byte[capacity];
  }

  int size() {
    return size;
  }

  JsonBytes clear() {
    size = 0;
    return this;
  }

  byte[] toArray() {
    return Arrays.copyOf(bytes, size);
  }

  /** Bytes as they are. */
  JsonBytes raw(byte[] piece) {
    room(piece.length);
    System.arraycopy(piece, 0, bytes, size, piece.length);
    size += piece.length;
    return this;
  }

  /** ASCII as it is. */
  @SuppressWarnings("deprecation") // The one way to copy ASCII without an encoder.
  JsonBytes raw(String ascii) {
    int length = ascii.length();
    room(length);
    ascii.getBytes(0, length, bytes, size);
    size += length;
    return this;
  }

  /** An integer. */
  JsonBytes number(long value) {
    return raw(Long.toString(value));
  }

  /** A float; JSON knows no infinity, so log 0 is written as the original does. */
  JsonBytes number(float value) {
    return raw(Float.isFinite(value) ? Float.toString(value) : value > 0 ? "9999.0" : "-9999.0");
  }

  /** A quoted string, or {@code null}. */
  JsonBytes stringOrNull(@Nullable String value) {
    return value == null ? raw("null") : string(value);
  }

  /** A quoted string. */
  JsonBytes string(CharSequence text) {
    room(2 + text.length());
    bytes[size++] = '"';
    text(text);
    room(1);
    bytes[size++] = '"';
    return this;
  }

  /** The inside of a quoted string. */
  JsonBytes text(CharSequence text) {
    int length = text.length();
    for (int i = 0; i < length; i++) {
      room(6);
      char c = text.charAt(i);
      if (c >= 0x80) {
        boolean pair =
            Character.isHighSurrogate(c)
                && i + 1 < length
                && Character.isLowSurrogate(text.charAt(i + 1));
        utf8(pair ? Character.toCodePoint(c, text.charAt(++i)) : c);
      } else if (c < 0x20 || c == '"' || c == '\\') {
        escape(c);
      } else {
        bytes[size++] = (byte) c;
      }
    }
    return this;
  }

  private void escape(char c) {
    bytes[size++] = '\\';
    switch (c) {
      case '"', '\\' -> bytes[size++] = (byte) c;
      case '\n' -> bytes[size++] = 'n';
      case '\r' -> bytes[size++] = 'r';
      case '\t' -> bytes[size++] = 't';
      default -> {
        bytes[size++] = 'u';
        bytes[size++] = '0';
        bytes[size++] = '0';
        bytes[size++] = HEX[c >> 4];
        bytes[size++] = HEX[c & 15];
      }
    }
  }

  private void utf8(int given) {
    // A lone surrogate is no character and has no encoding.
    int point = given >= 0xD800 && given <= 0xDFFF ? 0xFFFD : given;
    if (point < 0x800) {
      bytes[size++] = (byte) (0xC0 | (point >> 6));
    } else {
      if (point < 0x10000) {
        bytes[size++] = (byte) (0xE0 | (point >> 12));
      } else {
        bytes[size++] = (byte) (0xF0 | (point >> 18));
        bytes[size++] = (byte) (0x80 | ((point >> 12) & 63));
      }
      bytes[size++] = (byte) (0x80 | ((point >> 6) & 63));
    }
    bytes[size++] = (byte) (0x80 | (point & 63));
  }

  private void room(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(size + more, 2 * bytes.length));
    }
  }
}
