package dev.flotilla.launch;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.flotilla.config.Config;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.NodeConfig;
import dev.flotilla.config.Surroundings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the engines of a node in JVMs of their own, and keeps some JVMs ready for those that die:
 * a spare has joined the cluster and tested its kernels, so that a rank which it takes over misses
 * only the loading of its model. A spare loads no model itself, since that may be most of the
 * memory there is. Only ranks whose JVMs are started by the same words in the same environment can
 * be taken over; one with devices or a memory node of its own is started anew.
 *
 * <p>Used by the agent's thread, but for {@link #kill}.
 */
final class Children {
  private static final Logger LOG = LoggerFactory.getLogger(Children.class);

  /** The name of a JVM that waits. */
  static final String SPARE = "EngineCore_spare";

  /** The first requests come. */
  private static final long FIRST_MS = 2_000;

  /** A rank that has just been started or taken over needs the processor more. */
  private static final long RENEW_MS = 10_000;

  /** Whatever ended a spare may end the next one. */
  private static final long AGAIN_MS = 60_000;

  private final NodeConfig settings;
  private final NumaBinding numa;
  private final Supervisor.Timer timer;
  private final Executor executor;
  private final Set<String> begun = new HashSet<>();
  private final Deque<Spare> spares = new ArrayDeque<>();
  private volatile boolean closed;

  /** How a JVM is started; spares serve those that are started alike. */
  private record Start(List<String> words, Map<String, String> environment) {}

  private record Spare(ChildProcess process, Start start) {}

  Children(NodeConfig settings, NumaBinding numa, Supervisor.Timer timer, Executor executor) {
    this.settings = settings;
    this.numa = numa;
    this.timer = timer;
    this.executor = executor;
  }

  /**
   * Starts an engine, in a spare JVM if one is there.
   *
   * @param index among the engines of this node
   * @param devices that its rank was given; none: nothing was said
   * @param inherited what the head passes on to engines that it has placed here
   * @throws UncheckedIOException if the program cannot be started
   */
  ChildProcess start(
      String name, int index, EngineConfig config, List<Integer> devices, Surroundings inherited) {
    ObjectNode order = order(config).put("again", !begun.add(name));
    Start wanted = wanted(name, index, config, devices, inherited);
    ChildProcess spare = take(wanted(SPARE, index, config, devices, inherited));
    if (spare != null) {
      spare.become(name, order.toString());
      timer.after(RENEW_MS, this::renew);
      return spare;
    }
    return start(name, wanted, order);
  }

  /** All engines have started: from now on spares are kept. */
  void ready() {
    if (!settings.stopOnFailure() && settings.children().spares() > 0) {
      timer.after(FIRST_MS, this::renew);
    }
  }

  /** The node ends: spares end at once. May be called from any thread. */
  void kill() {
    closed = true;
    synchronized (spares) {
      spares.forEach(spare -> spare.process().kill());
    }
  }

  private @Nullable ChildProcess take(Start wanted) {
    synchronized (spares) {
      for (Spare spare : spares) {
        if (spare.start().equals(wanted)) {
          spares.remove(spare);
          return spare.process();
        }
      }
    }
    return null;
  }

  private void renew() {
    if (closed || settings.engines().isEmpty()) {
      return;
    }
    EngineConfig config = settings.engines().getFirst();
    Start start = wanted(SPARE, 0, config, List.of(), Surroundings.DEFAULT);
    synchronized (spares) {
      while (!closed && spares.size() < settings.children().spares()) {
        Spare spare = new Spare(start(SPARE, start, order(config).put("spare", true)), start);
        spares.add(spare);
        var _ =
            spare.process().ended().thenAccept(end -> executor.execute(() -> ended(spare, end)));
      }
    }
  }

  private void ended(Spare spare, EngineEnd end) {
    boolean waited;
    synchronized (spares) {
      waited = spares.remove(spare);
    }
    if (waited && !closed) {
      LOG.warn("{}; another one is started in {} s", end.sentence(), AGAIN_MS / 1_000);
      timer.after(AGAIN_MS, this::renew);
    }
  }

  private ObjectNode order(EngineConfig config) {
    ObjectNode order = JsonNodeFactory.instance.objectNode();
    order.putRawValue("engine", new RawValue(Config.format(config)));
    return order
        .put("member", settings.children().member())
        .put("cluster-name", settings.children().clusterName())
        .put("cluster-config", settings.children().clusterConfig());
  }

  private Start wanted(
      String name, int index, EngineConfig config, List<Integer> devices, Surroundings inherited) {
    ChildCommand own =
        ChildCommand.ofThisJvm().behind(numa.prefix(index, settings.engines().size()));
    ChildCommand command =
        new ChildCommand(
            own.prefix(), own.java(), Inheritance.flags(own.flags(), inherited), own.classPath());
    Map<String, String> environment = new HashMap<>(Inheritance.environment(inherited));
    environment.putAll(command.environment());
    if (!devices.isEmpty()) {
      environment.put(
          "CUDA_VISIBLE_DEVICES", String.join(",", devices.stream().map(String::valueOf).toList()));
    } else if (index < settings.deviceIds().size()) {
      environment.put("CUDA_VISIBLE_DEVICES", settings.deviceIds().get(index));
    }
    return new Start(command.words(name, config), environment);
  }

  private static ChildProcess start(String name, Start start, ObjectNode order) {
    try {
      return ChildProcess.start(name, start.words(), start.environment(), order.toString());
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be started: %s".formatted(name, e.getMessage()), e);
    }
  }
}
