package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Keys and values of one rank outside the heap, f32, [layer][block][kv head][key chunks, then value
 * chunks]. A chunk holds 16 tokens, fewer if blocks are smaller: keys as [dim][16 tokens], values
 * as [dim / 32][16 tokens][32 dims].
 */
final class KvCache implements AutoCloseable {
  /** Tokens that a chunk has room for. */
  static final int CHUNK = 16;

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

  /** Writes key and value of one token. */
  void write(int layer, int block, int head, int slot, float[] key, int ko, float[] value, int vo) {
    long keyAt = keys(layer, block, head, slot / span) + slot % span * 4L;
    long valueAt = values(layer, block, head, slot / span) + slot % span * (Tiles.ROWS * 4L);
    for (int d = 0; d < headDim; d++) {
      RawMemory.ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, keyAt + d * (CHUNK * 4L), key[ko + d]);
    }
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
