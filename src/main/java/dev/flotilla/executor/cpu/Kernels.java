package dev.flotilla.executor.cpu;

import dev.flotilla.executor.cpu.generated.TileKernels128;
import dev.flotilla.executor.cpu.generated.TileKernels256;
import dev.flotilla.executor.cpu.generated.TileKernels512;
import jdk.incubator.vector.FloatVector;

/**
 * The kernels in use, by format and batch. A batch is 1, 4 or 8 tokens. A kernel may be replaced by
 * another while batches are computed: both give the same bits, and whoever reads a place without
 * synchronisation gets the one or the other.
 */
final class Kernels {
  private static final int PAIR = 3;

  private final int bits;
  private final TileKernel[] bf16;
  private final TileKernel[] f32;
  private final TileKernel.Keys[] keys;
  private final TileKernel.Values[] values;
  private final TileKernel.WidenBatch8[] widenBatch8;

  private Kernels(
      int bits,
      TileKernel[] bf16,
      TileKernel[] f32,
      TileKernel.Keys[] keys,
      TileKernel.Values[] values,
      TileKernel.WidenBatch8 widenBatch8) {
    this.bits = bits;
    this.bf16 = bf16;
    this.f32 = f32;
    this.keys = keys;
    this.values = values;
    this.widenBatch8 = new TileKernel.WidenBatch8[] {widenBatch8};
  }

  /** Vector width; 0 for plain loops. */
  int bits() {
    return bits;
  }

  /** One tile. */
  TileKernel tile(Format format, int batch) {
    return tiles(format)[index(batch)];
  }

  /** Two tiles, batch 1. */
  TileKernel pair(Format format) {
    return tiles(format)[PAIR];
  }

  /** All of a format: batches 1, 4, 8 and the pair; for the self-test, which may replace some. */
  TileKernel[] tiles(Format format) {
    return format == Format.BF16 ? bf16 : f32;
  }

  /** By the index of the batch; for the self-test, which may replace some. */
  TileKernel.Keys[] keys() {
    return keys;
  }

  /** By the index of the batch; for the self-test, which may replace some. */
  TileKernel.Values[] values() {
    return values;
  }

  /** From bf16 to f32, with the first 8 tokens' outputs: one, which the self-test may replace. */
  TileKernel.WidenBatch8[] widenBatch8() {
    return widenBatch8;
  }

  /** Takes over each kernel of another; the width told stays that of the beginning. */
  void adopt(Kernels other) {
    System.arraycopy(other.bf16, 0, bf16, 0, bf16.length);
    System.arraycopy(other.f32, 0, f32, 0, f32.length);
    System.arraycopy(other.keys, 0, keys, 0, keys.length);
    System.arraycopy(other.values, 0, values, 0, values.length);
    widenBatch8[0] = other.widenBatch8[0];
  }

  /** The width that this machine prefers; {@code -Dflotilla.vector.bits} overrides it. */
  static int preferredBits() {
    int bits =
        Integer.getInteger("flotilla.vector.bits", FloatVector.SPECIES_PREFERRED.vectorBitSize());
    return bits >= 512 ? 512 : bits >= 256 ? 256 : bits >= 128 ? 128 : 0;
  }

  /** Index of a batch of 1, 4 or 8. */
  static int index(int batch) {
    return batch >> 2;
  }

  /** Kernels of a width; 0 gives plain loops. */
  static Kernels of(int bits) {
    return switch (bits) {
      case 512 ->
          new Kernels(
              512,
              new TileKernel[] {
                TileKernels512::bf16Batch1,
                TileKernels512::bf16Batch4,
                TileKernels512::bf16Batch8,
                TileKernels512::bf16Batch1Tiles2
              },
              new TileKernel[] {
                TileKernels512::f32Batch1,
                TileKernels512::f32Batch4,
                TileKernels512::f32Batch8,
                TileKernels512::f32Batch1Tiles2
              },
              new TileKernel.Keys[] {
                TileKernels512::keysBatch1, TileKernels512::keysBatch4, TileKernels512::keysBatch8
              },
              new TileKernel.Values[] {
                TileKernels512::valuesBatch1,
                TileKernels512::valuesBatch4,
                TileKernels512::valuesBatch8
              },
              TileKernels512::widenBatch8);
      case 256 ->
          new Kernels(
              256,
              new TileKernel[] {
                TileKernels256::bf16Batch1,
                TileKernels256::bf16Batch4,
                TileKernels256::bf16Batch8,
                TileKernels256::bf16Batch1Tiles2
              },
              new TileKernel[] {
                TileKernels256::f32Batch1,
                TileKernels256::f32Batch4,
                TileKernels256::f32Batch8,
                TileKernels256::f32Batch1Tiles2
              },
              new TileKernel.Keys[] {
                TileKernels256::keysBatch1, TileKernels256::keysBatch4, TileKernels256::keysBatch8
              },
              new TileKernel.Values[] {
                TileKernels256::valuesBatch1,
                TileKernels256::valuesBatch4,
                TileKernels256::valuesBatch8
              },
              TileKernels256::widenBatch8);
      default -> narrow(bits);
    };
  }

  private static Kernels narrow(int bits) {
    return bits == 128
        ? new Kernels(
            128,
            new TileKernel[] {
              TileKernels128::bf16Batch1,
              TileKernels128::bf16Batch4,
              TileKernels128::bf16Batch8,
              TileKernels128::bf16Batch1Tiles2
            },
            new TileKernel[] {
              TileKernels128::f32Batch1,
              TileKernels128::f32Batch4,
              TileKernels128::f32Batch8,
              TileKernels128::f32Batch1Tiles2
            },
            new TileKernel.Keys[] {
              TileKernels128::keysBatch1, TileKernels128::keysBatch4, TileKernels128::keysBatch8
            },
            new TileKernel.Values[] {
              TileKernels128::valuesBatch1,
              TileKernels128::valuesBatch4,
              TileKernels128::valuesBatch8
            },
            TileKernels128::widenBatch8)
        : new Kernels(
            0,
            plain(Format.BF16),
            plain(Format.F32),
            new TileKernel.Keys[] {
              PlainKernels.keys(1), PlainKernels.keys(4), PlainKernels.keys(8)
            },
            new TileKernel.Values[] {
              PlainKernels.values(1), PlainKernels.values(4), PlainKernels.values(8)
            },
            PlainKernels::widenBatch8);
  }

  private static TileKernel[] plain(Format format) {
    return new TileKernel[] {
      PlainKernels.tile(format, 1, 1),
      PlainKernels.tile(format, 4, 1),
      PlainKernels.tile(format, 8, 1),
      PlainKernels.tile(format, 1, 2)
    };
  }
}
