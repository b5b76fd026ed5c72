package dev.flotilla.protocol;

import dev.flotilla.protocol.FrameException.Problem;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Reads a little-endian frame. Every length is checked against what is left before anything is
 * allocated for it, so that a damaged frame costs no memory.
 */
final class FrameReader {
  private static final VarHandle SHORT = view(short[].class);
  private static final VarHandle INT = view(int[].class);
  private static final VarHandle LONG = view(long[].class);
  private static final VarHandle FLOAT = view(float[].class);

  private final byte[] bytes;
  private int position;

  FrameReader(byte[] bytes) {
    this.bytes = bytes;
  }

  private static VarHandle view(Class<?> arrayType) {
    return MethodHandles.byteArrayViewVarHandle(arrayType, ByteOrder.LITTLE_ENDIAN);
  }

  int u8() {
    return bytes[claim(1)] & 0xff;
  }

  int u16() {
    return (short) SHORT.get(bytes, claim(2)) & 0xffff;
  }

  int i32() {
    return (int) INT.get(bytes, claim(4));
  }

  long i64() {
    return (long) LONG.get(bytes, claim(8));
  }

  float f32() {
    return (float) FLOAT.get(bytes, claim(4));
  }

  boolean flag() {
    int value = u8();
    if (value > 1) {
      throw new FrameException(Problem.BODY, "a flag of 0 or 1", Integer.toString(value));
    }
    return value == 1;
  }

  String text() {
    int length = u16();
    return new String(bytes, claim(length), length, StandardCharsets.UTF_8);
  }

  String longText() {
    int length = count(1);
    return new String(bytes, claim(length), length, StandardCharsets.UTF_8);
  }

  /** A number of elements of so many bytes each, all of which must still lie ahead. */
  int count(int width) {
    return fits(i32(), width);
  }

  int[] ints(int count) {
    int at = claim(Math.multiplyExact(4, fits(count, 4)));
    int[] values = new int[count];
    for (int i = 0; i < count; i++) {
      values[i] = (int) INT.get(bytes, at + 4 * i);
    }
    return values;
  }

  long[] longs(int count) {
    int at = claim(Math.multiplyExact(8, fits(count, 8)));
    long[] values = new long[count];
    for (int i = 0; i < count; i++) {
      values[i] = (long) LONG.get(bytes, at + 8 * i);
    }
    return values;
  }

  float[] floats(int count) {
    int at = claim(Math.multiplyExact(4, fits(count, 4)));
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) FLOAT.get(bytes, at + 4 * i);
    }
    return values;
  }

  TokenIds counted() {
    int count = count(4);
    return TokenIds.of(ints(count), 0, count);
  }

  /** Whatever is left. */
  byte[] rest() {
    int at = claim(bytes.length - position);
    return java.util.Arrays.copyOfRange(bytes, at, bytes.length);
  }

  /** Checks column lengths: none is negative; returns their sum, all of which must lie ahead. */
  int sum(int[] counts, int width) {
    long sum = 0;
    for (int count : counts) {
      if (count < 0) {
        throw new FrameException(Problem.BODY, "a count of at least 0", Integer.toString(count));
      }
      sum += count;
    }
    return fits(sum, width);
  }

  void end() {
    if (position != bytes.length) {
      throw new FrameException(
          Problem.BODY,
          "the frame to end at byte " + position,
          (bytes.length - position) + " bytes more");
    }
  }

  private int fits(long count, int width) {
    if (count < 0 || count * width > bytes.length - position) {
      throw new FrameException(
          Problem.TRUNCATED,
          count + " elements of " + width + " bytes",
          (bytes.length - position) + " bytes left");
    }
    return (int) count;
  }

  private int claim(int count) {
    if (count > bytes.length - position) {
      throw new FrameException(
          Problem.TRUNCATED,
          count + " bytes at " + position,
          (bytes.length - position) + " of " + bytes.length);
    }
    int at = position;
    position += count;
    return at;
  }
}
