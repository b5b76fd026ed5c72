package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Keys and values of one rank outside the heap, f32, [layer][block][kv head][key chunks, then value
 * chunks]. A chunk holds 16 tokens, fewer if blocks are smaller: keys as [dim][16 tokens], values
 * as [dim / 32][16 tokens][32 dims].
 */
final class KvCache implements AutoCloseable {
  /** Tokens that a chunk has room for. */
  static final int CHUNK = 16;

  /** Of which 8 floats are one or two vectors. */
  private static final VectorSpecies<Float> HALF =
      FloatVector.SPECIES_PREFERRED.length() >= 8
          ? FloatVector.SPECIES_256
          : FloatVector.SPECIES_128;

  private final int blocks;
  private final int blockSize;
  private final int headDim;
  private final int kvHeads;
  private final int span;
  private final long keyBytes;
  private final long valueBytes;
  private final long headBytes;
  private final NativeBlock memory;

  KvCache(ModelConfig config, int blockSize, int blocks) {
    this.blocks = blocks;
    this.blockSize = blockSize;
    this.headDim = config.headDim();
    this.kvHeads = config.kvHeads();
    this.span = Math.min(CHUNK, blockSize);
    this.keyBytes = CHUNK * 4L * headDim;
    this.valueBytes = CHUNK * 4L * dimTiles(headDim) * Tiles.ROWS;
    this.headBytes = (keyBytes + valueBytes) * (blockSize / span);
    this.memory = NativeBlock.allocate(blockBytes(config, blockSize) * blocks, "the KV cache");
  }

  /** Bytes of one block of all layers. */
  static long blockBytes(ModelConfig config, int blockSize) {
    int span = Math.min(CHUNK, blockSize);
    long chunk = CHUNK * 4L * (config.headDim() + dimTiles(config.headDim()) * Tiles.ROWS);
    return chunk * (blockSize / span) * config.kvHeads() * config.layers();
  }

  /** Tiles of 32 that a head is wide. */
  static int dimTiles(int headDim) {
    return (headDim + Tiles.ROWS - 1) / Tiles.ROWS;
  }

  int blocks() {
    return blocks;
  }

  int blockSize() {
    return blockSize;
  }

  /** Tokens that a chunk holds. */
  int span() {
    return span;
  }

  private long head(int layer, int block, int head) {
    return memory.address() + (((long) layer * blocks + block) * kvHeads + head) * headBytes;
  }

  /** Where the keys of chunk {@code inBlock} of a block lie. */
  long keys(int layer, int block, int head, int inBlock) {
    return head(layer, block, head) + inBlock * keyBytes;
  }

  /** Where its values lie. */
  long values(int layer, int block, int head, int inBlock) {
    return head(layer, block, head) + blockSize / span * keyBytes + inBlock * valueBytes;
  }

  /** Writes the key of one token. */
  void writeKey(int layer, int block, int head, int slot, float[] key) {
    long at = keys(layer, block, head, slot / span) + slot % span * 4L;
    for (int d = 0; d < headDim; d++) {
      RawMemory.ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at + d * (CHUNK * 4L), key[d]);
    }
  }

  /** Whether the keys of the 8 tokens from a slot on lie side by side. */
  boolean together(int slot) {
    return span == CHUNK && slot % 8 == 0;
  }

  /** Writes the keys of 8 tokens that lie {@link #together}, given as {@code [dim][8]}. */
  void writeKeys(int layer, int block, int head, int slot, float[] keys) {
    long at = keys(layer, block, head, slot / span) + slot % span * 4L;
    for (int d = 0; d < headDim; d++) {
      for (int t = 0; t < 8; t += HALF.length()) {
        FloatVector.fromArray(HALF, keys, d * 8 + t)
            .intoMemorySegment(
                RawMemory.ALL, at + d * (CHUNK * 4L) + t * 4L, ByteOrder.LITTLE_ENDIAN);
      }
    }
  }

  /** Writes the value of one token. */
  void writeValue(int layer, int block, int head, int slot, float[] value, int vo) {
    long valueAt = values(layer, block, head, slot / span) + slot % span * (Tiles.ROWS * 4L);
    for (int d = 0; d < headDim; d += Tiles.ROWS) {
      int count = Math.min(Tiles.ROWS, headDim - d);
      long tile = valueAt + d * (CHUNK * 4L);
      MemorySegment.copy(
          value, vo + d, RawMemory.ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, tile, count);
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
