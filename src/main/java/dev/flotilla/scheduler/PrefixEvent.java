package dev.flotilla.scheduler;

import dev.flotilla.protocol.PrefixHash;
import org.jspecify.annotations.Nullable;

/**
 * One change of what the prefix cache holds.
 *
 * @param number rises by one with each, from 1
 * @param hash which block; null where {@code kind} is about all
 */
public record PrefixEvent(long number, Kind kind, @Nullable PrefixHash hash) {
  /** What has changed. */
  public enum Kind {
    /** The block can be found from now on. */
    ADDED,
    /** It cannot any more: its memory was taken for something else. */
    EVICTED,
    /** Nothing can be found any more. */
    CLEARED
  }
}
