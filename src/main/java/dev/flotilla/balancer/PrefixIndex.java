package dev.flotilla.balancer;

import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Machine;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which engines hold which prefix blocks, by the hashes that they publish. Every change of an
 * engine has a number; after a gap the engine's blocks are unknown, and thus not counted, until a
 * snapshot comes. Wrong entries cost time only: the engine itself decides what it can reuse.
 *
 * <p>An open-addressing table from a hash to a set of engines, one bit each, so that one walk over
 * a prompt's blocks finds the hits of all engines. Used by one thread.
 */
public final class PrefixIndex implements Machine {
  /** What became of a change. */
  public enum Taken {
    /** The index follows. */
    APPLIED,
    /** Known already. */
    OLD,
    /** Something before it is missing: ask the engine for a snapshot. */
    GAP
  }

  private static final int FIRST_CAPACITY = 1 << 10;
  private static final int WORD = 64;

  private final Map<Incarnation, Holder> holders = new HashMap<>();
  private @Nullable Holder[] bySlot = new @Nullable Holder[WORD];
  private int words = 1; // bits of an entry, in words
  private long[] keys = new long[FIRST_CAPACITY];
  private long[] bits = new long[FIRST_CAPACITY]; // all 0: the entry is free
  private int entries;
  private long[] walk = new long[1];

  private static final class Holder {
    final int slot;
    long number;
    boolean known = true; // false: waits for a snapshot
    int depth;

    Holder(int slot) {
      this.slot = slot;
    }
  }

  /** An engine's change of that number: it holds a block from now on. */
  public Taken added(Incarnation engine, long number, long hash) {
    Holder holder = holder(engine);
    Taken taken = follow(holder, number);
    if (taken == Taken.APPLIED) {
      set(hash, holder.slot);
    }
    return taken;
  }

  /** An engine's change of that number: it does not hold a block any more. */
  public Taken evicted(Incarnation engine, long number, long hash) {
    Holder holder = holder(engine);
    Taken taken = follow(holder, number);
    if (taken == Taken.APPLIED) {
      clear(hash, holder.slot);
    }
    return taken;
  }

  /**
   * The net sum of an engine's changes after one number up to another. It may begin before what is
   * known, because it says what became of each block in the end.
   */
  public Taken changed(Incarnation engine, long after, long number, long[] added, long[] evicted) {
    Holder holder = holder(engine);
    if (number <= holder.number) {
      return Taken.OLD;
    }
    if (!holder.known || after > holder.number) {
      unknown(holder);
      return Taken.GAP;
    }
    for (long hash : evicted) {
      clear(hash, holder.slot);
    }
    for (long hash : added) {
      set(hash, holder.slot);
    }
    holder.number = number;
    return Taken.APPLIED;
  }

  /** An engine's change of that number: it holds nothing any more, whatever came before. */
  public Taken cleared(Incarnation engine, long number) {
    Holder holder = holder(engine);
    if (number <= holder.number) {
      return Taken.OLD;
    }
    snapshot(engine, number, new long[0]);
    return Taken.APPLIED;
  }

  private Taken follow(Holder holder, long number) {
    if (number <= holder.number) {
      return Taken.OLD;
    }
    if (!holder.known || number != holder.number + 1) {
      unknown(holder);
      return Taken.GAP;
    }
    holder.number = number;
    return Taken.APPLIED;
  }

  /** All that an engine holds after its change of that number. */
  public void snapshot(Incarnation engine, long number, long[] all) {
    Holder holder = holder(engine);
    if (holder.known && number <= holder.number) {
      return;
    }
    removeAll(holder.slot);
    for (long hash : all) {
      set(hash, holder.slot);
    }
    holder.number = number;
    holder.known = true;
  }

  /** The engine is gone. */
  public void forget(Incarnation engine) {
    Holder holder = holders.remove(engine);
    if (holder != null) {
      removeAll(holder.slot);
      bySlot[holder.slot] = null;
    }
  }

  /** Blocks known of all engines, each counted once. */
  public int size() {
    return entries;
  }

  /** Walks a prompt's blocks; {@link #hits} then tells what it found. */
  void look(PrefixChain chain) {
    for (Holder holder : holders.values()) {
      holder.depth = 0;
    }
    if (walk.length != words) {
      walk = new long[words];
    }
    Arrays.fill(walk, -1L);
    for (int i = 0; i < chain.size(); i++) {
      int at = find(chain.hash(i));
      boolean any = false;
      for (int w = 0; w < words; w++) {
        long held = at < 0 ? 0 : bits[at * words + w];
        drop(walk[w] & ~held, w, i);
        walk[w] &= held;
        any |= walk[w] != 0;
      }
      if (!any) {
        return;
      }
    }
    for (int w = 0; w < words; w++) {
      drop(walk[w], w, chain.size());
    }
  }

  private void drop(long leaving, int word, int depth) {
    for (long left = leaving; left != 0; left &= left - 1) {
      int slot = word * WORD + Long.numberOfTrailingZeros(left);
      Holder holder = slot < bySlot.length ? bySlot[slot] : null;
      if (holder != null) {
        holder.depth = depth;
      }
    }
  }

  /** How many of the blocks last looked for the engine holds, from the first on. */
  int hits(Incarnation engine) {
    Holder holder = holders.get(engine);
    return holder == null ? 0 : holder.depth;
  }

  private Holder holder(Incarnation engine) {
    Holder known = holders.get(engine);
    if (known != null) {
      return known;
    }
    int slot = 0;
    while (slot < bySlot.length && bySlot[slot] != null) {
      slot++;
    }
    if (slot == bySlot.length) {
      bySlot = Arrays.copyOf(bySlot, bySlot.length * 2);
      widen(words * 2);
    }
    Holder holder = new Holder(slot);
    bySlot[slot] = holder;
    holders.put(engine, holder);
    return holder;
  }

  private void unknown(Holder holder) {
    if (holder.known) {
      holder.known = false;
      removeAll(holder.slot);
    }
  }

  private void removeAll(int slot) {
    long[] held = new long[entries];
    int count = 0;
    for (int at = 0; at < keys.length; at++) {
      if ((bits[at * words + slot / WORD] & (1L << (slot % WORD))) != 0) {
        held[count++] = keys[at];
      }
    }
    for (int i = 0; i < count; i++) {
      clear(held[i], slot);
    }
  }

  private void set(long hash, int slot) {
    int at = find(hash);
    if (at < 0) {
      if (entries * 2 >= keys.length) {
        rehash(keys.length * 2, words);
      }
      at = vacant(hash);
      keys[at] = hash;
      entries++;
    }
    bits[at * words + slot / WORD] |= 1L << (slot % WORD);
  }

  private void clear(long hash, int slot) {
    int at = find(hash);
    if (at >= 0) {
      bits[at * words + slot / WORD] &= ~(1L << (slot % WORD));
      if (isFree(at)) {
        entries--;
        close(at);
      }
    }
  }

  /** Moves entries of the same run back, so that no search ends at the hole too early. */
  private void close(int hole) {
    int mask = keys.length - 1;
    int free = hole;
    for (int at = (hole + 1) & mask; !isFree(at); at = (at + 1) & mask) {
      int home = home(keys[at]);
      if (((at - home) & mask) >= ((at - free) & mask)) {
        keys[free] = keys[at];
        System.arraycopy(bits, at * words, bits, free * words, words);
        Arrays.fill(bits, at * words, (at + 1) * words, 0);
        free = at;
      }
    }
  }

  private int find(long hash) {
    int mask = keys.length - 1;
    for (int at = home(hash); !isFree(at); at = (at + 1) & mask) {
      if (keys[at] == hash) {
        return at;
      }
    }
    return -1;
  }

  private int vacant(long hash) {
    int at = home(hash);
    while (!isFree(at)) {
      at = (at + 1) & (keys.length - 1);
    }
    return at;
  }

  private boolean isFree(int at) {
    for (int w = 0; w < words; w++) {
      if (bits[at * words + w] != 0) {
        return false;
      }
    }
    return true;
  }

  private int home(long hash) {
    long mixed = hash * 0x9E3779B97F4A7C15L;
    return (int) (mixed >>> 32) & (keys.length - 1);
  }

  private void widen(int wider) {
    rehash(keys.length, wider);
  }

  private void rehash(int capacity, int wider) {
    long[] oldKeys = keys;
    long[] oldBits = bits;
    int oldWords = words;
    keys = new long[capacity];
    bits = new long[capacity * wider];
    words = wider;
    for (int i = 0; i < oldKeys.length; i++) {
      boolean used = false;
      for (int w = 0; w < oldWords; w++) {
        used |= oldBits[i * oldWords + w] != 0;
      }
      if (used) {
        int at = vacant(oldKeys[i]);
        keys[at] = oldKeys[i];
        System.arraycopy(oldBits, i * oldWords, bits, at * words, oldWords);
      }
    }
  }
}
