package dev.flotilla.launch;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An engine in a JVM of its own. The child reads its orders from the pipe that is its standard
 * input, and ends when that pipe closes, which it does when this JVM is gone for whatever reason.
 * On standard output it tells how far it is, one word and its value a line; what it logs comes on
 * standard error, and goes to this JVM's log under its name.
 */
final class ChildProcess implements EngineProcess {
  private static final Logger LOG = LoggerFactory.getLogger(ChildProcess.class);

  /** The child's model is loaded. */
  static final String STARTED = "@started";

  /** The child cannot do what it is asked to; the sentence follows. */
  static final String FAILED = "@failed ";

  /** A part of the start is over: its name follows. */
  static final String PHASE = "@phase ";

  /** The child has joined the cluster; its node's id follows. */
  static final String NODE = "@node ";

  /** The order to end. */
  static final String STOP = "stop";

  private volatile String name;
  private final Process process;
  private final CompletableFuture<Void> started = new CompletableFuture<>();
  private final CompletableFuture<EngineEnd> ended = new CompletableFuture<>();
  private final CompletableFuture<Void> told = new CompletableFuture<>();
  private final StringBuilder phases = new StringBuilder(); // used by the thread that listens
  private volatile long phaseNanos = System.nanoTime();
  private volatile @Nullable String failure;
  private volatile @Nullable String node;

  private ChildProcess(String name, Process process) {
    this.name = name;
    this.process = process;
  }

  /**
   * Starts a process.
   *
   * @param settings one line, the first order
   * @param environment added to this JVM's
   * @throws IOException if the program cannot be started
   */
  static ChildProcess start(
      String name, List<String> command, Map<String, String> environment, String settings)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    ChildProcess child = new ChildProcess(name, builder.start());
    Thread.ofVirtual().name(name + "-told").start(child::listen);
    ChildLog log = new ChildLog(child::name);
    InputStream errors = child.process.getErrorStream();
    Thread.ofVirtual().name(name + "-log").start(() -> log.copy(errors));
    var _ = child.process.onExit().thenAccept(ignored -> child.exited());
    child.order(settings);
    return child;
  }

  /**
   * A spare becomes an engine.
   *
   * @param engine its name from now on
   * @param settings one line, the order that it has waited for
   */
  void become(String engine, String settings) {
    LOG.info("{}, pid {}, becomes {}", name, process.pid(), engine);
    name = engine;
    phaseNanos = System.nanoTime();
    order(settings);
  }

  private void order(String line) {
    try {
      OutputStream orders = process.getOutputStream();
      orders.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      orders.flush();
    } catch (IOException e) {
      LOG.debug("{} has closed its ears: {}", name, e.getMessage());
    }
  }

  private void listen() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        hear(line);
      }
    } catch (IOException e) {
      LOG.debug("{} tells nothing any more: {}", name, e.getMessage());
    } finally {
      told.complete(null);
    }
  }

  private void hear(String line) {
    if (line.equals(STARTED)) {
      LOG.info("{} has started, pid {}:{}", name, process.pid(), phases);
      started.complete(null);
    } else if (line.startsWith(FAILED)) {
      failure = line.substring(FAILED.length());
    } else if (line.startsWith(NODE)) {
      node = line.substring(NODE.length());
      if (name.equals(Children.SPARE)) {
        LOG.info("{} is ready, pid {}", name, process.pid());
      }
    } else if (line.startsWith(PHASE)) {
      phase(line.substring(PHASE.length()));
    } else {
      LOG.info("{}: {}", name, line);
    }
  }

  private void phase(String part) {
    long now = System.nanoTime();
    phases.append(" %s %d ms,".formatted(part, (now - phaseNanos) / 1_000_000));
    phaseNanos = now;
  }

  private void exited() {
    var _ =
        told.thenRun(
            () -> {
              String sentence = failure;
              EngineEnd end =
                  new EngineEnd(name, process.exitValue(), sentence == null ? "" : sentence);
              started.completeExceptionally(
                  sentence == null ? new Ended(end) : new IllegalStateException(sentence));
              ended.complete(end);
            });
  }

  /** The id of its node in the cluster, once it has joined. */
  @Nullable String node() {
    return node;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public CompletionStage<Void> started() {
    return started;
  }

  @Override
  public CompletionStage<EngineEnd> ended() {
    return ended;
  }

  @Override
  public void stop() {
    Thread.ofVirtual().name(name + "-stop").start(() -> order(STOP));
  }

  @Override
  public void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
