package dev.flotilla.collective;

import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The ranks that live in this JVM, and the generations that meet in its memory. One per JVM, since
 * ranks of one JVM need no sockets whoever deploys them.
 */
final class LocalGroups {
  private static final Set<Incarnation> HERE = new HashSet<>();
  private static final Map<Long, SharedGroup> GROUPS = new HashMap<>(); // by fingerprint

  private LocalGroups() {}

  static synchronized void add(Incarnation rank) {
    HERE.add(rank);
  }

  static synchronized void remove(Incarnation rank) {
    HERE.remove(rank);
  }

  /** The meeting of a generation whose members all live here; null if some do not. */
  static synchronized @Nullable SharedGroup of(Generation generation, long deadlineMs) {
    for (Generation.Member member : generation.members()) {
      if (!HERE.contains(member.incarnation())) {
        return null;
      }
    }
    GROUPS.values().removeIf(group -> !group.intact());
    return GROUPS.computeIfAbsent(
        generation.fingerprint(), ignored -> new SharedGroup(generation, deadlineMs));
  }
}
