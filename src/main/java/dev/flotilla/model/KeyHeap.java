package dev.flotilla.model;

import java.util.Arrays;

/**
 * A binary heap with the smallest key on top. A key packs a value and a token id into a long, so
 * that comparing keys orders by value and, among equal values, puts the lower id above.
 */
final class KeyHeap {
  private long[] keys = new long[64];
  private int size;

  /** A key that is greater the greater the value, then the lower the id. */
  static long key(float value, int id) {
    // Adding 0 makes -0 and 0 the same value, as they are for a comparison of floats.
    int bits = Float.floatToRawIntBits(value + 0.0f);
    int sortable = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
    return ((long) sortable << 32) | (~id & 0xFFFF_FFFFL);
  }

  /** The id in a key. */
  static int id(long key) {
    return ~(int) key;
  }

  void clear() {
    size = 0;
  }

  int size() {
    return size;
  }

  long top() {
    return keys[0];
  }

  void add(long key) {
    append(key);
    int at = size - 1;
    while (at > 0 && keys[(at - 1) >>> 1] > key) {
      keys[at] = keys[(at - 1) >>> 1];
      at = (at - 1) >>> 1;
    }
    keys[at] = key;
  }

  /** Keeps the {@code limit} greatest keys of all that are offered. */
  void offer(long key, int limit) {
    if (size < limit) {
      add(key);
    } else if (key > keys[0]) {
      sink(0, key);
    }
  }

  /** Adds a key without order; {@link #heapify} must follow. */
  void append(long key) {
    if (size == keys.length) {
      keys = Arrays.copyOf(keys, size * 2);
    }
    keys[size++] = key;
  }

  void heapify() {
    for (int i = size / 2 - 1; i >= 0; i--) {
      sink(i, keys[i]);
    }
  }

  long poll() {
    long top = keys[0];
    size--;
    if (size > 0) {
      sink(0, keys[size]);
    }
    return top;
  }

  private void sink(int hole, long key) {
    int at = hole;
    for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && keys[child + 1] < keys[child]) {
        child++;
      }
      if (keys[child] >= key) {
        break;
      }
      keys[at] = keys[child];
      at = child;
    }
    keys[at] = key;
  }

  /** Takes all keys out, greatest first. */
  long[] drainDescending() {
    long[] all = new long[size];
    for (int i = size - 1; i >= 0; i--) {
      all[i] = poll();
    }
    return all;
  }
}
