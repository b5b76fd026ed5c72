package dev.flotilla.scheduler;

import dev.flotilla.protocol.PrefixHash;
import java.util.Set;

/**
 * What the prefix cache holds.
 *
 * @param version the number of the last {@link PrefixEvent} that led here; 0 before the first
 * @param blocks in no order
 */
public record PrefixContents(long version, Set<PrefixHash> blocks) {
  /** Keeps a private copy. */
  public PrefixContents {
    blocks = Set.copyOf(blocks);
  }
}
