package dev.flotilla.frontend;

import dev.flotilla.balancer.Query;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Machine;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Lets engines that have just become ready beside others begin gently: at first they may be chosen
 * for few requests, and for ever more of them within {@link #GENTLE_NANOS}, since all that is new
 * would else go to the one that has nothing to do, whose code and caches are cold. Among engines
 * that came together, as at a launch, nobody is spared. Used by one thread.
 */
final class Newcomers implements Machine {
  /** After that an engine is like any other. */
  static final long GENTLE_NANOS = 1_000_000_000L;

  /** Share of the requests that it may be chosen for in its first moment. */
  private static final double FIRST_SHARE = 0.05;

  private final Map<Incarnation, Since> serving = new HashMap<>();
  private long newestNanos = Long.MIN_VALUE / 2; // When the last one came.

  /** An engine, and how much of a request it may have. */
  private static final class Since {
    private final long nanos;
    private double credit = 1; // Its first request is due at once.

    Since(long nanos) {
      this.nanos = nanos;
    }
  }

  /** Who serves now. */
  void seen(ClusterView view, long nowNanos) {
    Set<Incarnation> present = new HashSet<>();
    for (ClusterView.Engine engine : view.engines()) {
      if (engine.serving()) {
        present.add(engine.incarnation());
        if (serving.putIfAbsent(engine.incarnation(), new Since(nowNanos)) == null) {
          newestNanos = nowNanos;
        }
      }
    }
    serving.keySet().retainAll(present);
  }

  /** The request, not to go to newcomers whose turn it is not. To be asked once for each choice. */
  Query spared(Query query, long nowNanos) {
    if (query.only() != null || nowNanos - newestNanos >= GENTLE_NANOS) {
      return query; // As nearly always.
    }
    Set<Incarnation> excluded = new HashSet<>(query.excluded());
    serving.forEach(
        (incarnation, since) -> {
          if (gentle(since, nowNanos) && !turn(since, nowNanos)) {
            excluded.add(incarnation);
          }
        });
    return new Query(query.promptTokens(), query.prefix(), excluded, null);
  }

  private boolean gentle(Since since, long nowNanos) {
    return nowNanos - since.nanos < GENTLE_NANOS
        && serving.values().stream().anyMatch(s -> since.nanos - s.nanos >= GENTLE_NANOS);
  }

  private static boolean turn(Since since, long nowNanos) {
    double age = (nowNanos - since.nanos) / (double) GENTLE_NANOS;
    since.credit += Math.max(FIRST_SHARE, age);
    if (since.credit < 1) {
      return false;
    }
    since.credit -= 1;
    return true;
  }
}
