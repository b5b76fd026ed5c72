package dev.flotilla.scheduler;

import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.PrefixHash;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The KV cache blocks of one rank. A block has as many owners as sequences refer to it. One without
 * owners whose contents have a name stays findable by it until its memory is needed; those that had
 * an owner least recently go first. Used by one thread.
 *
 * <p>Blocks without owner and name are given out first, the one given back last before the others,
 * since its memory is the warmest.
 */
final class BlockPool implements Machine {
  private static final int NONE = -1;

  private final PrefixEvents events;
  private final int[] owners;
  private final @Nullable PrefixHash[] names;
  private final Map<PrefixHash, Integer> index = new HashMap<>();
  private final int[] plain; // a stack: no owner, no name
  private int plainCount;
  private final int[] older; // of those with a name and no owner, a list from the oldest on
  private final int[] newer;
  private int oldest = NONE;
  private int newest = NONE;
  private int idleCount;

  BlockPool(int blocks, PrefixEvents events) {
    this.events = events;
    owners = new int[blocks];
    names = new @Nullable PrefixHash[blocks];
    plain = new int[blocks];
    older = new int[blocks];
    newer = new int[blocks];
    plainCount = blocks;
    for (int i = 0; i < blocks; i++) {
      plain[i] = blocks - 1 - i;
    }
  }

  int blocks() {
    return owners.length;
  }

  /** Blocks that can be given out, those with a name included. */
  int free() {
    return plainCount + idleCount;
  }

  /** Blocks that have owners. */
  int used() {
    return owners.length - free();
  }

  int owners(int block) {
    return owners[block];
  }

  /** A block for one owner, whatever it held; the pool must not be empty. */
  int allocate() {
    int block;
    if (plainCount > 0) {
      block = plain[--plainCount];
    } else if (idleCount > 0) {
      block = oldest;
      unlink(block);
      PrefixHash name = Objects.requireNonNull(names[block]);
      events.add(PrefixEvent.Kind.EVICTED, name);
      index.remove(name);
      names[block] = null;
    } else {
      throw new IllegalStateException("all " + owners.length + " KV cache blocks are in use");
    }
    owners[block] = 1;
    return block;
  }

  /** One more owner for a block that was found. */
  void share(int block) {
    if (owners[block] == 0) {
      if (names[block] == null) {
        throw new IllegalStateException("KV cache block " + block + " holds nothing to share");
      }
      unlink(block);
    }
    owners[block]++;
  }

  /** One owner less. */
  void free(int block) {
    if (owners[block] == 0) {
      throw new IllegalStateException("KV cache block " + block + " was freed without an owner");
    }
    if (--owners[block] == 0) {
      if (names[block] == null) {
        plain[plainCount++] = block;
      } else {
        link(block);
      }
    }
  }

  /** Names what an owned block holds, unless another block of that name is kept already. */
  void name(int block, PrefixHash name) {
    if (names[block] == null && index.putIfAbsent(name, block) == null) {
      names[block] = name;
      events.add(PrefixEvent.Kind.ADDED, name);
    }
  }

  /** The block of that name; -1 if there is none. */
  int find(PrefixHash name) {
    Integer block = index.get(name);
    return block == null ? NONE : block;
  }

  @Nullable PrefixHash name(int block) {
    return names[block];
  }

  /** All names that can be found. */
  Set<PrefixHash> names() {
    return Set.copyOf(index.keySet());
  }

  /** Forgets all names; false, and nothing happens, while a block has an owner. */
  boolean forgetNames() {
    if (used() > 0) {
      return false;
    }
    while (idleCount > 0) {
      int block = oldest;
      unlink(block);
      plain[plainCount++] = block;
    }
    index.clear();
    Arrays.fill(names, null);
    events.add(PrefixEvent.Kind.CLEARED, null);
    return true;
  }

  private void link(int block) {
    older[block] = newest;
    newer[block] = NONE;
    if (newest == NONE) {
      oldest = block;
    } else {
      newer[newest] = block;
    }
    newest = block;
    idleCount++;
  }

  private void unlink(int block) {
    int before = older[block];
    int after = newer[block];
    if (before == NONE) {
      oldest = after;
    } else {
      newer[before] = after;
    }
    if (after == NONE) {
      newest = before;
    } else {
      older[after] = before;
    }
    idleCount--;
  }
}
