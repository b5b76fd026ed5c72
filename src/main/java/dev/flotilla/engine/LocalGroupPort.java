package dev.flotilla.engine;

import dev.flotilla.collective.SharedGroup;
import dev.flotilla.model.Collective;
import dev.flotilla.model.ModelException;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import io.vertx.core.Vertx;
import io.vertx.core.shareddata.Shareable;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * Where the ranks of one node that step together meet, as long as all of them live in it. The first
 * rank to come opens a generation; a rank that comes back, or comes after a failure, opens the next
 * one, whose members all come anew: whoever is still in the old one fails in its next exchange, by
 * the deadline at the latest, and is started again.
 *
 * <p>Safe for use by several threads.
 */
final class LocalGroupPort implements Shareable {
  private static final String KEY = "flotilla.lockstep";

  private final Map<Rank, LongConsumer> starters = new HashMap<>();
  private final Set<Rank> joined = new HashSet<>();
  private SharedGroup group;
  private long started = -1;

  private LocalGroupPort(int size, long timeoutMs) {
    group = generation(1, size, timeoutMs);
  }

  /** The meeting place of a Vert.x instance for a group of that size. */
  static LocalGroupPort of(Vertx vertx, int size, long timeoutMs) {
    return vertx
        .sharedData()
        .<String, LocalGroupPort>getLocalMap(KEY)
        .computeIfAbsent(KEY, key -> new LocalGroupPort(size, timeoutMs));
  }

  private static SharedGroup generation(long number, int size, long timeoutMs) {
    Incarnation incarnation = new Incarnation("local-" + number);
    List<Generation.Member> members =
        IntStream.range(0, size)
            .mapToObj(i -> new Generation.Member(new Rank(i), incarnation, null))
            .toList();
    return new SharedGroup(new Generation(number, members), timeoutMs);
  }

  /**
   * Takes a rank's place.
   *
   * @throws ModelException if the group has another size
   */
  synchronized Collective join(Rank rank, int size, long timeoutMs) {
    if (group.generation().size() != size || rank.value() >= size) {
      throw new ModelException(
          "rank %s of %d cannot join a group of %d that steps together on this node"
              .formatted(rank, size, group.generation().size()));
    }
    if (joined.contains(rank) || !group.intact()) {
      group.fail("rank %s has started anew".formatted(rank), rank);
      group = generation(group.generation().number() + 1, size, timeoutMs);
      joined.clear();
      starters.clear();
      started = -1;
    }
    joined.add(rank);
    return group.join(group.generation(), rank);
  }

  /** Tells a member of every wave that starts, also of one that has started already. */
  synchronized void listen(Collective member, LongConsumer starter) {
    if (member.generation().equals(group.generation())) {
      starters.put(member.rank(), starter);
      if (started >= 0) {
        starter.accept(started);
      }
    }
  }

  /** Starts a wave at all members. */
  synchronized void start(Collective member, long wave) {
    if (member.generation().equals(group.generation())) {
      started = Math.max(started, wave);
      starters.values().forEach(starter -> starter.accept(wave));
    }
  }
}
