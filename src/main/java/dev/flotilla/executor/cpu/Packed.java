package dev.flotilla.executor.cpu;

import java.util.Arrays;

/**
 * Activations of some tokens as kernels read them: groups of 8 tokens, each [cols][batch], then one
 * last group of 8, 4 or 1, filled up with zeros. Token t of group g is {@code data[8 * g * cols + k
 * * batch(g) + t % 8]}.
 */
final class Packed {
  private static final int GROUP = 8;

  private float[] data = new float[0];
  private int cols;
  private int tokens;

  /** Makes room; what it held is lost, and the filling up is zeroed. */
  Packed reset(int newTokens, int newCols) {
    tokens = newTokens;
    cols = newCols;
    int groups = groups();
    int padded = groups == 0 ? 0 : (groups - 1) * GROUP + batch(groups - 1);
    int needed = Math.multiplyExact(padded, cols);
    if (data.length < needed) {
      data = new float[needed];
    } else if (padded > tokens) {
      Arrays.fill(data, (groups - 1) * GROUP * cols, needed, 0);
    }
    return this;
  }

  int tokens() {
    return tokens;
  }

  int cols() {
    return cols;
  }

  int groups() {
    return (tokens + GROUP - 1) / GROUP;
  }

  /** Tokens that the kernel of a group computes. */
  int batch(int group) {
    int left = tokens - group * GROUP;
    return left > 4 ? 8 : left > 1 ? 4 : 1;
  }

  /** Where a group starts. */
  int offset(int group) {
    return group * GROUP * cols;
  }

  /** Where the first element of a token lies; the next is {@code batch} further. */
  int start(int token) {
    return offset(token / GROUP) + token % GROUP;
  }

  /** Distance of two elements of a token. */
  int stride(int token) {
    return batch(token / GROUP);
  }

  float[] data() {
    return data;
  }

  /** Tokens of a full group. */
  static int group() {
    return GROUP;
  }

  /** Copies a token from elsewhere. */
  void copy(int token, Packed from, int source) {
    int in = from.start(source);
    int inStride = from.stride(source);
    int at = start(token);
    int stride = stride(token);
    for (int k = 0; k < cols; k++) {
      data[at + k * stride] = from.data[in + k * inStride];
    }
  }

  /** Copies a token from a row elsewhere. */
  void copy(int token, float[] row, int from) {
    int at = start(token);
    int stride = stride(token);
    for (int k = 0; k < cols; k++) {
      data[at + k * stride] = row[from + k];
    }
  }

  /** Copies a token to a row elsewhere. */
  void copyTo(int token, float[] row, int to) {
    int at = start(token);
    int stride = stride(token);
    for (int k = 0; k < cols; k++) {
      row[to + k] = data[at + k * stride];
    }
  }
}
