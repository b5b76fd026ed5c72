package dev.flotilla.collective;

import dev.flotilla.model.Parcel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What goes over the socket of two ranks, little-endian: a head of 32 bytes, then numbers, then
 * activations.
 *
 * <pre>
 *  0 magic u32      4 kind u16, sender's index u16
 *  8 fingerprint of the generation u64
 * 16 exchange u32  20 tag i32
 * 24 numbers u32   28 activations u32
 * </pre>
 *
 * @param sender index of the member that sends
 * @param fingerprint of the generation that it means
 * @param exchange counts the exchanges of the generation, modulo 2^32
 */
record Frame(
    Kind kind, int sender, long fingerprint, int exchange, int tag, int numbers, int values) {
  /** Bytes of the head. */
  static final int HEAD = 32;

  /** Both parts of a parcel together stay below 2 GiB. */
  private static final int WORDS_MAX = (Integer.MAX_VALUE - HEAD) / 4;

  /** Flotilla's collective, layout 1. */
  private static final int MAGIC = 0x314c4346;

  /** What a frame is for. */
  enum Kind {
    /** The first on a connection, from who opens it. */
    HELLO(1),
    /** Its answer. */
    WELCOME(2),
    /** A parcel. */
    PARCEL(3),
    /** The sender has failed and goes; the numbers are the indices of who was missing. */
    FAILED(4);

    private final int code;

    Kind(int code) {
      this.code = code;
    }
  }

  /** The head of a parcel. */
  static Frame parcel(int sender, long fingerprint, int exchange, int tag, Parcel parcel) {
    return new Frame(
        Kind.PARCEL, sender, fingerprint, exchange, tag, parcel.numberCount(), parcel.valueCount());
  }

  /** A head without a parcel. */
  static Frame bare(Kind kind, int sender, long fingerprint) {
    return new Frame(kind, sender, fingerprint, 0, 0, 0, 0);
  }

  /** Bytes after the head. */
  int bodyBytes() {
    return 4 * (numbers + values);
  }

  /** Writes head and parcel; returns the buffer, or a greater one, ready to be read. */
  ByteBuffer write(ByteBuffer buffer, Parcel parcel) {
    ByteBuffer to = room(buffer, HEAD + bodyBytes());
    to.putInt(MAGIC)
        .putShort((short) kind.code)
        .putShort((short) sender)
        .putLong(fingerprint)
        .putInt(exchange)
        .putInt(tag)
        .putInt(numbers)
        .putInt(values);
    to.asIntBuffer().put(parcel.numbers(), 0, numbers);
    to.position(HEAD + 4 * numbers);
    to.asFloatBuffer().put(parcel.values(), 0, values);
    to.position(HEAD + bodyBytes());
    return to.flip();
  }

  /**
   * Reads a head.
   *
   * @throws IllegalArgumentException with a sentence if it is none
   */
  static Frame read(ByteBuffer head) {
    int magic = head.getInt(0);
    int kind = Short.toUnsignedInt(head.getShort(4));
    int numbers = head.getInt(24);
    int values = head.getInt(28);
    Kind[] kinds = Kind.values();
    if (magic != MAGIC || kind < 1 || kind > kinds.length) {
      throw new IllegalArgumentException(
          "expected a frame of magic %08x, got magic %08x and kind %d"
              .formatted(MAGIC, magic, kind));
    }
    if (numbers < 0 || values < 0 || (long) numbers + values > WORDS_MAX) {
      throw new IllegalArgumentException(
          "a frame of %d numbers and %d activations is too long".formatted(numbers, values));
    }
    return new Frame(
        kinds[kind - 1], // Codes count from 1, in order.
        Short.toUnsignedInt(head.getShort(6)),
        head.getLong(8),
        head.getInt(16),
        head.getInt(20),
        numbers,
        values);
  }

  /** Fills a parcel from the body. */
  Parcel body(ByteBuffer body, Parcel parcel) {
    parcel.reset(numbers, values);
    body.position(0);
    body.asIntBuffer().get(parcel.numbers(), 0, numbers);
    body.position(4 * numbers);
    body.asFloatBuffer().get(parcel.values(), 0, values);
    return parcel;
  }

  /** An empty buffer of at least so many bytes: the same if it is long enough. */
  static ByteBuffer room(ByteBuffer buffer, int bytes) {
    if (buffer.capacity() >= bytes) {
      return buffer.clear();
    }
    int grown = (int) Math.min(Integer.MAX_VALUE - 8, bytes + bytes / 4L);
    return ByteBuffer.allocateDirect(grown).order(ByteOrder.LITTLE_ENDIAN);
  }
}
