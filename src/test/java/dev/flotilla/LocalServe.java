package dev.flotilla;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/**
 * What {@code flotilla serve} starts, in this JVM and without a cluster: coordinator, front-ends
 * and engines of a node, with the flags that a command line would give.
 */
final class LocalServe implements AutoCloseable {
  private final Node node;
  private final URI base;

  private LocalServe(Node node, URI base) {
    this.node = node;
    this.base = base;
  }

  /**
   * Starts and waits until the engines are ready; a free port is taken unless the flags say one.
   */
  static LocalServe start(String... flags) throws InterruptedException {
    return startModel("tiny-llama", flags);
  }

  /** The same with another of the shipped models. */
  static LocalServe startModel(String model, String... flags) throws InterruptedException {
    List<String> all = new ArrayList<>(List.of(flags));
    all.addFirst(SourceFormat.root().resolve("src/main/models").resolve(model).toString());
    all.add("--no-join");
    if (!all.contains("--port")) {
      all.addAll(List.of("--port", "0"));
    }
    ServeFlags parsed = CommandLine.populateCommand(new ServeFlags(), all.toArray(String[]::new));
    Node node =
        Node.start(ServePlan.of(parsed, ignored -> model.contains("moe")), StartTimes.begin());
    String line = node.awaitReady();
    String address = line.substring(line.indexOf("http://"), line.indexOf(" ("));
    return new LocalServe(node, URI.create(address));
  }

  /** The address that it serves under. */
  URI base() {
    return base;
  }

  /** What it serves with. */
  Node node() {
    return node;
  }

  @Override
  public void close() {
    node.close();
  }
}
