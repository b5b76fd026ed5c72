package dev.flotilla.protocol;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A growing little-endian byte array; used by one thread for one frame. */
final class FrameWriter {
  private static final VarHandle SHORT = view(short[].class);
  private static final VarHandle INT = view(int[].class);
  private static final VarHandle LONG = view(long[].class);
  private static final VarHandle FLOAT = view(float[].class);

  private byte[] bytes;
  private int size;

  FrameWriter(int capacity) {
    bytes = new byte[capacity];
  }

  private static VarHandle view(Class<?> arrayType) {
    return MethodHandles.byteArrayViewVarHandle(arrayType, ByteOrder.LITTLE_ENDIAN);
  }

  void u8(int value) {
    int at = claim(1);
    bytes[at] = (byte) value;
  }

  void u16(int value) {
    int at = claim(2);
    SHORT.set(bytes, at, (short) value);
  }

  void i32(int value) {
    int at = claim(4);
    INT.set(bytes, at, value);
  }

  void i64(long value) {
    int at = claim(8);
    LONG.set(bytes, at, value);
  }

  void f32(float value) {
    int at = claim(4);
    FLOAT.set(bytes, at, value);
  }

  /** A short text: its length in bytes as u16, then UTF-8. */
  void text(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    if (utf8.length > 0xffff) {
      throw new IllegalArgumentException("text of " + utf8.length + " bytes; at most 65535");
    }
    u16(utf8.length);
    raw(utf8);
  }

  /** A long text: its length in bytes as i32, then UTF-8. */
  void longText(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    i32(utf8.length);
    raw(utf8);
  }

  /** The ids alone; whoever writes them has written their count. */
  void ids(TokenIds ids) {
    int count = ids.size();
    int at = claim(4 * count);
    for (int i = 0; i < count; i++) {
      INT.set(bytes, at + 4 * i, ids.get(i));
    }
  }

  /** Count, then ids. */
  void counted(TokenIds ids) {
    i32(ids.size());
    ids(ids);
  }

  void raw(byte[] value) {
    int at = claim(value.length);
    System.arraycopy(value, 0, bytes, at, value.length);
  }

  byte[] toBytes() {
    return size == bytes.length ? bytes : Arrays.copyOf(bytes, size);
  }

  /** Makes room, which may replace the array: read {@code bytes} only after it. */
  private int claim(int count) {
    int at = size;
    int end = Math.addExact(at, count);
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(end, bytes.length + (bytes.length >> 1) + 16));
    }
    size = end;
    return at;
  }
}
