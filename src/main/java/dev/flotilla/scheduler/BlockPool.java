package dev.flotilla.scheduler;

import dev.flotilla.protocol.Machine;
import java.util.BitSet;

/**
 * The KV cache blocks that nobody owns. The block given back last is given out first, since its
 * memory is the warmest. Used by one thread.
 */
final class BlockPool implements Machine {
  private final int[] stack;
  private final BitSet owned;
  private int free;

  BlockPool(int blocks) {
    stack = new int[blocks];
    owned = new BitSet(blocks);
    free = blocks;
    for (int i = 0; i < blocks; i++) {
      stack[i] = blocks - 1 - i;
    }
  }

  int blocks() {
    return stack.length;
  }

  int free() {
    return free;
  }

  int used() {
    return stack.length - free;
  }

  /** A block for the caller; the pool must not be empty. */
  int allocate() {
    if (free == 0) {
      throw new IllegalStateException("all " + stack.length + " KV cache blocks are in use");
    }
    int block = stack[--free];
    owned.set(block);
    return block;
  }

  /** Takes a block back. */
  void free(int block) {
    if (!owned.get(block)) {
      throw new IllegalStateException("KV cache block " + block + " was freed without an owner");
    }
    owned.clear(block);
    stack[free++] = block;
  }

  boolean isOwned(int block) {
    return owned.get(block);
  }
}
