package dev.flotilla.scheduler;

import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.PrefixHasher;

/**
 * Finds blocks that hold what a sequence begins with, and names those that it fills, so that others
 * find them. Only full blocks of computed tokens are named, and they are never written again: what
 * is found is what the sequence would compute. Used by one thread.
 *
 * <p>Source: automatic prefix caching of vLLM v1. It differs in naming blocks when they are
 * computed, not when they are given out.
 */
final class PrefixCache implements Machine {
  private final BlockPool pool;
  private final int blockSize;
  private final boolean enabled;
  private final PrefixHasher hasher = new PrefixHasher();

  PrefixCache(BlockPool pool, SchedulerLimits limits) {
    this.pool = pool;
    this.blockSize = limits.blockSize();
    this.enabled = limits.prefixCaching();
  }

  /** Whether the sequence may take what others computed. */
  boolean serves(Sequence sequence) {
    return enabled && !sequence.needsEveryPosition();
  }

  /** How many blocks that the sequence begins with are held; its last token is never covered. */
  int hits(Sequence sequence) {
    if (!serves(sequence)) {
      return 0;
    }
    int most = (sequence.length() - 1) / blockSize;
    int hits = 0;
    while (hits < most && pool.find(sequence.name(hits, blockSize, hasher)) >= 0) {
      hits++;
    }
    return hits;
  }

  /** How many of the first so many held blocks have no owner yet and count as free. */
  int ownerless(Sequence sequence, int hits) {
    int count = 0;
    for (int i = 0; i < hits; i++) {
      if (pool.owners(pool.find(sequence.name(i, blockSize, hasher))) == 0) {
        count++;
      }
    }
    return count;
  }

  /** Makes the sequence an owner of the first so many held blocks. */
  void share(Sequence sequence, int hits) {
    for (int i = 0; i < hits; i++) {
      int block = pool.find(sequence.name(i, blockSize, hasher));
      pool.share(block);
      sequence.addBlock(block);
    }
    sequence.skip(hits * blockSize, hits);
  }

  /** Names the blocks that the sequence has filled since the last call. */
  void nameFilled(Sequence sequence) {
    if (!enabled) {
      return;
    }
    int filled = sequence.computed() / blockSize;
    for (int i = sequence.named(); i < filled; i++) {
      pool.name(sequence.block(i), sequence.name(i, blockSize, hasher));
    }
    sequence.named(filled);
  }
}
