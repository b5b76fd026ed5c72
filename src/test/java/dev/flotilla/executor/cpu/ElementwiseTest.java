package dev.flotilla.executor.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ElementwiseTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 15, 16, 32, 33, 100})
  void interleavesEightRowsColumnByColumnAndTouchesNothingElse(int n) {
    int ld = n + 3;
    float[] rows = new float[5 + 8 * ld];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = i;
    }
    float[] to = new float[2 + 8 * n + 1];
    Elementwise.interleave(rows, 5, ld, n, to, 2);
    for (int i = 0; i < n; i++) {
      for (int b = 0; b < 8; b++) {
        assertEquals(rows[5 + b * ld + i], to[2 + i * 8 + b], "row " + b + ", column " + i);
      }
    }
    assertArrayEquals(new float[] {0, 0, 0}, new float[] {to[0], to[1], to[to.length - 1]});
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 40})
  void normsSideBySideWithTheBitsOfNormingElementByElement(int n) {
    float[] row = new float[n];
    float[] weight = new float[n];
    for (int i = 0; i < n; i++) {
      row[i] = (i * 37 % 101 - 50) / 7f;
      weight[i] = (i * 29 % 31) / 11f;
    }
    float[] apart = new float[3 * n];
    float[] side = new float[n];
    Elementwise.norm(row, 0, n, 0.37f, weight, apart, 0, 3);
    Elementwise.norm(row, 0, n, 0.37f, weight, side, 0);
    for (int i = 0; i < n; i++) {
      assertEquals(apart[3 * i], side[i]);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 48, 160})
  void weighsEightRowsColumnByColumnWithTheBitsOfEachAlone(int n) {
    float[] rows = new float[8 * n];
    for (int row = 0; row < 8; row++) {
      for (int i = 0; i < n; i++) {
        rows[row * n + i] = (float) Math.sin(row * 1.7 + i * 0.31) * (1 + row * 4);
      }
      Elementwise.mask(rows, row * n + n - row, row * n + n);
    }
    float[] columns = new float[8 * n];
    Elementwise.interleave(rows, 0, n, n, columns, 0);
    float[] totals = new float[8];
    Elementwise.softmaxWeights8(columns, n, new float[Elementwise.SCRATCH], totals);
    for (int row = 0; row < 8; row++) {
      assertEquals(Elementwise.softmaxWeights(rows, row * n, n), totals[row]);
      for (int i = 0; i < n; i++) {
        assertEquals(rows[row * n + i], columns[i * 8 + row], "row " + row + ", column " + i);
      }
    }
  }
}
