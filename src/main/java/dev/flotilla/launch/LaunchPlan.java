package dev.flotilla.launch;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.config.Balancing;
import dev.flotilla.config.ConfigException;
import dev.flotilla.config.RankRange;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Who starts what: everything that follows from the data-parallel flags of one node, before
 * anything runs. Pure; a combination that makes no sense is refused with one sentence.
 *
 * <p>Source: the original's launch modes and their assertions ({@code launch_core_engines}, the
 * checks of its parallel configuration and of {@code serve --headless}). Here a dense model may be
 * balanced externally, growth needs no mode of its own, and several API servers may scale.
 *
 * @param size ranks of the whole group
 * @param starts ranks that run on this node
 * @param awaits ranks that must be ready before this node says that it is
 * @param ready so many of them suffice
 * @param coordinator whether this node runs the coordinator, which makes it the head
 * @param apiServers front-ends of this node
 * @param scope how far its messages reach
 * @param lockstep whether all ranks step together: a mixture of experts spread over several ranks
 */
public record LaunchPlan(
    Mode mode,
    Backend backend,
    int size,
    RankRange starts,
    RankRange awaits,
    int ready,
    boolean coordinator,
    int apiServers,
    Scope scope,
    boolean lockstep) {

  /** How the ranks of the group are launched and balanced. */
  public enum Mode {
    /** One engine in the caller's process: no HTTP, no cluster. */
    OFFLINE,
    /** The head's front-ends balance over all ranks. */
    INTERNAL,
    /** As internal, and joined over the cluster even where all ranks are local. */
    ELASTIC,
    /** Each node's front-ends balance over its own ranks. */
    HYBRID,
    /** Each rank has its own front-end. */
    EXTERNAL,
    /** Engines only; a head elsewhere balances. */
    HEADLESS
  }

  /** How far addresses reach. */
  public enum Scope {
    /** The bus of this process. */
    LOCAL,
    /** The whole cluster. */
    CLUSTERED
  }

  /** Front-ends share one port and the cores of one machine; more bring nothing. */
  private static final int API_SERVERS_MAX = 64;

  private static final int SIZE_MAX = 65_535;

  /**
   * The plan of the flags.
   *
   * @param mixture whether the model is a mixture of experts; asked only where it matters
   * @throws ConfigException for a combination that makes no sense
   */
  public static LaunchPlan of(LaunchFlags flags, BooleanSupplier mixture) {
    Backend backend = Backend.of(flags.backend());
    check(
        flags.size() >= 1 && flags.size() <= SIZE_MAX,
        "--data-parallel-size must be 1 to %d, not %d",
        SIZE_MAX,
        flags.size());
    if (flags.offline()) {
      return offline(flags, backend);
    }
    Mode mode = mode(flags);
    RankRange starts = starts(flags, mode);
    boolean head = mode != Mode.HEADLESS && starts.first() == 0;
    // The head launches the group; any other node answers for its own ranks only.
    RankRange awaits = head ? RankRange.all(flags.size()) : starts;
    return new LaunchPlan(
        mode,
        backend,
        flags.size(),
        starts,
        awaits,
        ready(flags, awaits),
        head,
        apiServers(flags, mode, starts),
        scope(flags, backend, mode, starts),
        flags.expertParallel() && flags.size() > 1 && mixture.getAsBoolean());
  }

  /** Whether this node has engines only. */
  public boolean headless() {
    return mode == Mode.HEADLESS;
  }

  /** Who chooses ranks, as far as this node's front-ends are concerned. */
  public Balancing balancing() {
    return switch (mode) {
      case HYBRID -> Balancing.HYBRID;
      case EXTERNAL -> Balancing.EXTERNAL;
      case OFFLINE, INTERNAL, ELASTIC, HEADLESS -> Balancing.INTERNAL;
    };
  }

  /** The ranks that this node's front-ends may choose; null: all there are. */
  public @Nullable RankRange choosable() {
    return balancing() == Balancing.INTERNAL ? null : starts;
  }

  /** What an engine is called in logs and by its process: the original's names. */
  public static String engineName(int rank, int size) {
    return size == 1 ? "EngineCore" : "EngineCore_DP" + rank;
  }

  private static LaunchPlan offline(LaunchFlags flags, Backend backend) {
    check(
        flags.size() == 1 && (flags.sizeLocal() == null || flags.sizeLocal() == 1),
        "offline use has one engine in this process, so --data-parallel-size must be 1, not %d",
        flags.size());
    check(
        flags.apiServerCount() == null || flags.apiServerCount() == 0,
        "offline use has no API server: leave --api-server-count (%s) out",
        flags.apiServerCount());
    RankRange one = RankRange.all(1);
    return new LaunchPlan(Mode.OFFLINE, backend, 1, one, one, 1, false, 0, Scope.LOCAL, false);
  }

  private static Mode mode(LaunchFlags flags) {
    boolean external = flags.externalLb() || flags.rank() != null;
    boolean hybrid =
        flags.hybridLb() || (nonZero(flags.startRank()) && !flags.headless() && !external);
    check(
        !external || !hybrid,
        "hybrid and external load balancing exclude each other: leave out --data-parallel-hybrid-lb, or --data-parallel-external-lb and --data-parallel-rank");
    if (flags.headless()) {
      check(
          !hybrid,
          "--headless and --data-parallel-hybrid-lb exclude each other: under hybrid load balancing every node has its own API server");
      check(
          !external,
          "--headless excludes --data-parallel-external-lb and --data-parallel-rank: under external load balancing every rank has its own API server; name the first rank of a headless node with --data-parallel-start-rank");
      return Mode.HEADLESS;
    }
    if (external) {
      checkExternal(flags);
      return Mode.EXTERNAL;
    }
    if (hybrid) {
      checkHybrid(flags);
      return Mode.HYBRID;
    }
    return flags.elastic() ? Mode.ELASTIC : Mode.INTERNAL;
  }

  private static void checkExternal(LaunchFlags flags) {
    check(
        flags.size() > 1,
        "external load balancing needs a --data-parallel-size of at least 2, not %d; a single engine needs no balancing",
        flags.size());
    check(
        flags.rank() != null,
        "--data-parallel-external-lb needs --data-parallel-rank, the rank of this process");
    check(
        flags.startRank() == null,
        "--data-parallel-start-rank %s is for headless and hybrid nodes: under external load balancing --data-parallel-rank names the rank",
        flags.startRank());
    check(
        flags.sizeLocal() == null || flags.sizeLocal() == 1,
        "under external load balancing a process has one rank, so --data-parallel-size-local must be 1, not %s; take --data-parallel-hybrid-lb for several",
        flags.sizeLocal());
  }

  private static void checkHybrid(LaunchFlags flags) {
    check(
        flags.sizeLocal() != null,
        "%s without --headless means hybrid load balancing, which needs --data-parallel-size-local; under internal load balancing a node with an API server has rank 0",
        nonZero(flags.startRank())
            ? "--data-parallel-start-rank " + flags.startRank()
            : "--data-parallel-hybrid-lb");
    check(
        !flags.elastic(),
        "--enable-elastic-ep and hybrid load balancing exclude each other: growth would change the ranks that a front-end is tied to");
  }

  /** A node that brings devices only; what runs on them, the coordinator says. */
  public static LaunchPlan ofDevices(LaunchFlags flags) {
    check(
        !flags.noJoin(),
        "--no-join keeps to this process, and a node without engines is for others: leave it out");
    check(
        flags.apiServerCount() == null || flags.apiServerCount() == 0,
        "--headless brings no API server: leave --api-server-count (%s) out",
        flags.apiServerCount());
    RankRange none = new RankRange(0, 0);
    Backend backend = Backend.of(flags.backend());
    return new LaunchPlan(
        Mode.HEADLESS, backend, 1, none, none, 0, false, 0, Scope.CLUSTERED, false);
  }

  /**
   * The same with front-ends, for whatever ranks there are; such a node stands by as coordinator.
   */
  public static LaunchPlan ofJoining(LaunchFlags flags) {
    Integer apiServers = flags.apiServerCount();
    if (apiServers == null || apiServers == 0) {
      return ofDevices(flags);
    }
    check(
        apiServers >= 1 && apiServers <= API_SERVERS_MAX,
        "--api-server-count must be 0 to %d, not %s",
        API_SERVERS_MAX,
        apiServers);
    RankRange none = new RankRange(0, 0);
    Backend backend = Backend.of(flags.backend());
    return new LaunchPlan(
        Mode.INTERNAL, backend, 1, none, none, 0, false, apiServers, Scope.CLUSTERED, false);
  }

  private static RankRange starts(LaunchFlags flags, Mode mode) {
    int size = flags.size();
    if (Backend.of(flags.backend()) == Backend.CLUSTER && mode != Mode.HEADLESS) {
      check(
          mode == Mode.INTERNAL || mode == Mode.ELASTIC,
          "--data-parallel-backend cluster places ranks anywhere, so the head balances over them: leave out the flags of hybrid and external load balancing");
      int local = flags.sizeLocal() == null ? 1 : flags.sizeLocal();
      check(
          local >= 0 && local <= size,
          "--data-parallel-size-local must be 0 to %d (--data-parallel-size), not %d",
          size,
          local);
      return new RankRange(0, 0);
    }
    if (mode == Mode.EXTERNAL) {
      int rank = flags.rank() == null ? 0 : flags.rank();
      check(
          rank >= 0 && rank < size,
          "--data-parallel-rank must be 0 to %d (--data-parallel-size %d), not %d",
          size - 1,
          size,
          rank);
      return new RankRange(rank, 1);
    }
    int start = flags.startRank() == null ? 0 : flags.startRank();
    check(
        start >= 0 && start < size,
        "--data-parallel-start-rank must be 0 to %d (--data-parallel-size %d), not %d",
        size - 1,
        size,
        start);
    int least = mode == Mode.HEADLESS || mode == Mode.HYBRID ? 1 : 0;
    int local = flags.sizeLocal() == null ? size - start : flags.sizeLocal();
    check(
        local >= least,
        "--data-parallel-size-local must be at least %d %s, not %d",
        least,
        mode == Mode.HEADLESS
            ? "on a --headless node"
            : mode == Mode.HYBRID ? "under hybrid load balancing" : "here",
        local);
    check(
        local <= size - start,
        "ranks %d to %d do not fit --data-parallel-size %d",
        start,
        (long) start + local - 1,
        size);
    return new RankRange(start, local);
  }

  private static int ready(LaunchFlags flags, RankRange awaits) {
    int ready = flags.minReadyEngines() == null ? awaits.count() : flags.minReadyEngines();
    check(
        ready >= 1 && ready <= awaits.count(),
        "--min-ready-engines must be 1 to %d, the engines that this node waits for, not %d",
        awaits.count(),
        ready);
    return ready;
  }

  private static int apiServers(LaunchFlags flags, Mode mode, RankRange starts) {
    Integer given = flags.apiServerCount();
    if (mode == Mode.HEADLESS) {
      check(
          given == null || given == 0,
          "--headless brings no API server: leave --api-server-count (%s) out",
          given);
      return 0;
    }
    check(
        given == null || (given >= 1 && given <= API_SERVERS_MAX),
        "--api-server-count must be 1 to %d, not %s",
        API_SERVERS_MAX,
        given);
    if (given != null) {
      return given;
    }
    return switch (mode) {
      case HYBRID -> Math.min(starts.count(), API_SERVERS_MAX);
      case INTERNAL, ELASTIC -> Math.min(flags.size(), API_SERVERS_MAX);
      case EXTERNAL -> 1;
      case OFFLINE, HEADLESS -> 0;
    };
  }

  private static Scope scope(LaunchFlags flags, Backend backend, Mode mode, RankRange starts) {
    if (!flags.noJoin()) {
      return Scope.CLUSTERED;
    }
    check(
        starts.count() == flags.size() && mode != Mode.HEADLESS,
        "--no-join keeps to this process, so all %d engines (--data-parallel-size) must be local, not %d",
        flags.size(),
        starts.count());
    check(
        backend == Backend.VERTICLE,
        "--no-join keeps to this process, and --data-parallel-backend process starts others: leave one of them out");
    // An elastic group may grow beyond this process, so its addresses must reach further.
    return mode == Mode.ELASTIC ? Scope.CLUSTERED : Scope.LOCAL;
  }

  private static boolean nonZero(@Nullable Integer value) {
    return value != null && value != 0;
  }

  @FormatMethod
  private static void check(
      boolean holds, @FormatString String sentence, @Nullable Object... args) {
    if (!holds) {
      throw new ConfigException(sentence.formatted(args));
    }
  }
}
