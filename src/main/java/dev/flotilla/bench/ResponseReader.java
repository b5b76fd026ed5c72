package dev.flotilla.bench;

import java.util.Locale;

/**
 * Reads HTTP/1.1 responses of one connection, one after the other: status, the two headers that
 * frame a body, and the body itself without its chunk sizes. Bounded: a head may have 16 KiB.
 */
final class ResponseReader {
  private static final int LINE_CHARS_MAX = 16 << 10;

  /** Takes stretches of a body. */
  interface Body {
    void accept(byte[] bytes, int from, int to);
  }

  /** The server did not speak HTTP/1.1. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;

    Malformed(String message) {
      super(message);
    }
  }

  private enum Part {
    STATUS,
    HEADER,
    SIZED,
    CHUNK_SIZE,
    CHUNK,
    CHUNK_END,
    TRAILER,
    UNTIL_CLOSE,
    COMPLETE
  }

  private final StringBuilder line = new StringBuilder(64);
  private Part part = Part.STATUS;
  private int status;
  private boolean started;
  private boolean chunked;
  private boolean keepAlive;
  private long left;

  /** Prepares for the next response. */
  void restart() {
    part = Part.STATUS;
    started = false;
    line.setLength(0);
  }

  /** 0 before the head has come. */
  int status() {
    return part == Part.STATUS || part == Part.HEADER ? 0 : status;
  }

  boolean started() {
    return started;
  }

  boolean complete() {
    return part == Part.COMPLETE;
  }

  boolean reusable() {
    return complete() && keepAlive;
  }

  /** The connection was closed: the end of a body without a length, an accident otherwise. */
  void closed() {
    if (part == Part.UNTIL_CLOSE) {
      part = Part.COMPLETE;
      keepAlive = false;
    }
  }

  /** Takes the next bytes of the connection. */
  void accept(byte[] bytes, int from, int to, Body body) throws Malformed {
    int at = from;
    while (at < to && part != Part.COMPLETE) {
      started = true;
      switch (part) {
        case SIZED, CHUNK -> {
          int end = (int) Math.min(to, at + left);
          body.accept(bytes, at, end);
          left -= end - at;
          at = end;
          if (left == 0) {
            part = part == Part.SIZED ? Part.COMPLETE : Part.CHUNK_END;
          }
        }
        case UNTIL_CLOSE -> {
          body.accept(bytes, at, to);
          at = to;
        }
        case STATUS, HEADER, CHUNK_SIZE, CHUNK_END, TRAILER -> at = upToLine(bytes, at, to);
        case COMPLETE -> throw new IllegalStateException("checked above");
      }
    }
  }

  private int upToLine(byte[] bytes, int from, int to) throws Malformed {
    for (int i = from; i < to; i++) {
      byte b = bytes[i];
      if (b == '\n') {
        endOfLine();
        line.setLength(0);
        return i + 1;
      }
      if (b != '\r') {
        line.append((char) (b & 0xff));
      }
      if (line.length() > LINE_CHARS_MAX) {
        throw new Malformed("a line of its head has more than " + LINE_CHARS_MAX + " characters");
      }
    }
    return to;
  }

  private void endOfLine() throws Malformed {
    switch (part) {
      case STATUS -> readStatus();
      case HEADER -> {
        if (line.isEmpty()) {
          beginBody();
        } else {
          readHeader();
        }
      }
      case CHUNK_SIZE -> {
        left = chunkSize();
        part = left == 0 ? Part.TRAILER : Part.CHUNK;
      }
      case CHUNK_END -> part = Part.CHUNK_SIZE;
      case TRAILER -> part = line.isEmpty() ? Part.COMPLETE : Part.TRAILER;
      case SIZED, CHUNK, UNTIL_CLOSE, COMPLETE -> throw new IllegalStateException(part.name());
    }
  }

  private void readStatus() throws Malformed {
    String text = line.toString();
    if (!text.matches("HTTP/1\\.[01] \\d{3}.*")) {
      throw new Malformed("its first line is '" + text + "'");
    }
    status = Integer.parseInt(text, 9, 12, 10);
    keepAlive = text.startsWith("HTTP/1.1");
    chunked = false;
    left = -1;
    part = Part.HEADER;
  }

  private void readHeader() throws Malformed {
    String text = line.toString().toLowerCase(Locale.ROOT);
    int colon = text.indexOf(':');
    String name = text.substring(0, Math.max(0, colon));
    String value = text.substring(colon + 1).strip();
    switch (name) {
      case "content-length" -> {
        if (!value.matches("\\d{1,18}")) {
          throw new Malformed("its Content-Length is '" + value + "'");
        }
        left = Long.parseLong(value);
      }
      case "transfer-encoding" -> chunked = value.endsWith("chunked");
      case "connection" -> keepAlive = value.equals("keep-alive") || !value.equals("close");
      default -> {}
    }
  }

  private void beginBody() {
    if (status < 200) {
      part = Part.STATUS;
    } else if (chunked) {
      part = Part.CHUNK_SIZE;
    } else if (left == 0 || status == 204) {
      part = Part.COMPLETE;
    } else {
      part = left > 0 ? Part.SIZED : Part.UNTIL_CLOSE;
    }
  }

  private long chunkSize() throws Malformed {
    long size = 0;
    int digits = 0;
    while (digits < line.length() && Character.digit(line.charAt(digits), 16) >= 0) {
      size = size * 16 + Character.digit(line.charAt(digits), 16);
      digits++;
    }
    if (digits == 0 || digits > 8) {
      throw new Malformed("a chunk size is '" + line + "'");
    }
    return size;
  }
}
