package dev.flotilla.executor.cpu;

import dev.flotilla.model.DType;
import dev.flotilla.model.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A matrix in tiles of 32 rows, [rows / 32][cols][32], its last tile filled up with zeros.
 *
 * @param address of the first tile, aligned to 64 bytes
 */
record Tiles(Format format, int tiles, int cols, long address) {
  /** Rows of a tile. */
  static final int ROWS = 32;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** From one tile to the next. */
  long tileBytes() {
    return (long) cols * format.columnBytes();
  }

  /** Where a tile starts. */
  long tile(int index) {
    return address + index * tileBytes();
  }

  /** Rows, those filled up included. */
  int rows() {
    return tiles * ROWS;
  }

  /**
   * Which rows of which tensors a matrix consists of.
   *
   * @param cols width of all of them
   */
  record Plan(List<Tensor> tensors, int cols, boolean interleaved) {

    /** The tensors' rows one after the other. */
    static Plan stacked(Tensor... tensors) {
      return new Plan(List.of(tensors), tensors[0].shape().get(1), false);
    }

    /** A tile of the first, a tile of the second, and so on; both have as many rows. */
    static Plan interleaved(Tensor first, Tensor second) {
      return new Plan(List.of(first, second), first.shape().get(1), true);
    }

    Format format() {
      return tensors.stream().allMatch(t -> t.dtype() == DType.BF16) ? Format.BF16 : Format.F32;
    }

    int tiles() {
      if (interleaved) {
        return 2 * ceil(tensors.getFirst().shape().getFirst());
      }
      return ceil(tensors.stream().mapToInt(t -> t.shape().getFirst()).sum());
    }

    private static int ceil(int rows) {
      return (rows + ROWS - 1) / ROWS;
    }

    long bytes() {
      return (long) tiles() * cols * format().columnBytes();
    }

    /** The tensor of a row of a tile and, in {@code at[0]}, its row there; null if filled up. */
    private @Nullable Tensor source(int tile, int lane, int[] at) {
      if (interleaved) {
        at[0] = tile / 2 * ROWS + lane;
        Tensor tensor = tensors.get(tile % 2);
        return at[0] < tensor.shape().getFirst() ? tensor : null;
      }
      int row = tile * ROWS + lane;
      for (Tensor tensor : tensors) {
        int rows = tensor.shape().getFirst();
        if (row < rows) {
          at[0] = row;
          return tensor;
        }
        row -= rows;
      }
      return null;
    }

    /** Writes the tiles {@code from} to {@code to - 1}; the memory holds zeros. */
    void write(Tiles target, int from, int to) {
      int[] at = new int[1];
      for (int tile = from; tile < to; tile++) {
        for (int lane = 0; lane < ROWS; lane++) {
          Tensor tensor = source(tile, lane, at);
          if (tensor != null && target.format == Format.BF16) {
            writeHalf(tensor.data(), at[0] * 2L * cols, target.tile(tile), lane);
          } else if (tensor != null) {
            writeFull(tensor, (long) at[0] * cols, target.tile(tile), lane);
          }
        }
      }
    }

    private void writeHalf(MemorySegment row, long offset, long tile, int lane) {
      long at = tile + lane % 16 * 4L + lane / 16 * 2L;
      for (int k = 0; k < cols; k++) {
        RawMemory.ALL.set(SHORT, at + k * 64L, row.get(SHORT, offset + k * 2L));
      }
    }

    private void writeFull(Tensor tensor, long first, long tile, int lane) {
      long at = tile + lane * 4L;
      for (int k = 0; k < cols; k++) {
        RawMemory.ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at + k * 128L, tensor.get(first + k));
      }
    }
  }
}
