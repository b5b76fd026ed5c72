package dev.flotilla;

import java.io.IOException;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hosts with addresses of their own on one switch: network namespaces of this machine, with a
 * bridge in one more, to which this process has a cable too. All is gone when it is closed.
 */
final class TestNetwork implements AutoCloseable {
  private static final long COMMAND_SECONDS = 20;

  private final String tag;
  private final String subnet; // Its first three numbers, with a dot behind.
  private final int hosts;
  private final Thread atExit = new Thread(this::remove);

  private TestNetwork(String tag, String subnet, int hosts) {
    this.tag = tag;
    this.subnet = subnet;
    this.hosts = hosts;
  }

  /** Why there can be none here; null: there can. */
  static @Nullable String missing() {
    String probe = "fl" + tag() + "p";
    try {
      run("ip", "netns", "add", probe);
      run("ip", "netns", "del", probe);
      return null;
    } catch (IllegalStateException e) {
      return "this machine makes no network namespaces (root and iproute2 are needed): "
          + e.getMessage();
    }
  }

  /** So many hosts, all connected. */
  static TestNetwork of(int hosts) {
    TestNetwork network = new TestNetwork(tag(), freeSubnet(), hosts);
    Runtime.getRuntime().addShutdownHook(network.atExit);
    try {
      network.build();
      return network;
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  private static String tag() {
    return "%04x".formatted(ThreadLocalRandom.current().nextInt(1 << 16));
  }

  private static String freeSubnet() {
    try {
      for (int tries = 0; tries < 50; tries++) {
        String subnet = "10.231.%d.".formatted(ThreadLocalRandom.current().nextInt(256));
        boolean taken =
            Collections.list(NetworkInterface.getNetworkInterfaces()).stream()
                .flatMap(NetworkInterface::inetAddresses)
                .anyMatch(a -> a.getHostAddress().startsWith(subnet));
        if (!taken) {
          return subnet;
        }
      }
      throw new IllegalStateException("no subnet of 10.231 is free");
    } catch (SocketException e) {
      throw new IllegalStateException("network interfaces cannot be listed", e);
    }
  }

  private void build() {
    run("ip", "netns", "add", bridge());
    run("ip", "-n", bridge(), "link", "add", "br0", "type", "bridge");
    run("ip", "-n", bridge(), "link", "set", "br0", "up");
    run("ip", "link", "add", here(), "type", "veth", "peer", "name", "p0", "netns", bridge());
    plugIn("p0");
    run("ip", "addr", "add", subnet + "254/24", "dev", here());
    run("ip", "link", "set", here(), "up");
    for (int host = 1; host <= hosts; host++) {
      String space = space(host);
      run("ip", "netns", "add", space);
      run(
          "ip -n %s link add eth0 type veth peer name p%d netns %s"
              .formatted(space, host, bridge())
              .split(" "));
      plugIn("p" + host);
      run("ip", "-n", space, "addr", "add", address(host) + "/24", "dev", "eth0");
      run("ip", "-n", space, "link", "set", "lo", "up");
      run("ip", "-n", space, "link", "set", "eth0", "up");
    }
  }

  private void plugIn(String port) {
    run("ip", "-n", bridge(), "link", "set", port, "master", "br0");
    run("ip", "-n", bridge(), "link", "set", port, "up");
  }

  private String here() {
    return "fl" + tag + "r";
  }

  private String bridge() {
    return "fl" + tag + "s";
  }

  private String space(int host) {
    return "fl" + tag + "h" + host;
  }

  /** Of a host, from 1 on. */
  String address(int host) {
    return subnet + host;
  }

  /** All hosts, with commas. */
  String addresses() {
    List<String> all = new ArrayList<>();
    for (int host = 1; host <= hosts; host++) {
      all.add(address(host));
    }
    return String.join(",", all);
  }

  /** The network between them, as Hazelcast writes it. */
  String pattern() {
    return subnet + "*";
  }

  /** What makes a command run on a host. */
  List<String> on(int host) {
    return List.of("ip", "netns", "exec", space(host));
  }

  /** Pulls a host's plug: packets vanish, and nobody is told. */
  void cut(int host) {
    run("ip", "-n", bridge(), "link", "set", "p" + host, "down");
  }

  /** Puts it in again. */
  void heal(int host) {
    run("ip", "-n", bridge(), "link", "set", "p" + host, "up");
  }

  /** What is left of it on this machine. */
  List<String> leftovers() {
    String all = run("ip", "netns", "list") + run("ip", "-o", "link", "show");
    return all.lines().filter(line -> line.contains("fl" + tag)).toList();
  }

  @Override
  public void close() {
    remove();
    Runtime.getRuntime().removeShutdownHook(atExit);
  }

  private void remove() {
    // A cable goes with either end.
    tryRun("ip", "link", "del", here());
    for (int host = 1; host <= hosts; host++) {
      tryRun("ip", "-n", space(host), "link", "del", "eth0");
      tryRun("ip", "netns", "del", space(host));
    }
    tryRun("ip", "netns", "del", bridge());
  }

  private static void tryRun(String... command) {
    try {
      run(command);
    } catch (IllegalStateException e) {
      System.err.println("WARN TestNetwork: " + e.getMessage()); // It may never have been there.
    }
  }

  private static String run(String... command) {
    String words = String.join(" ", command);
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException("'%s' did not end".formatted(words));
      }
      if (process.exitValue() != 0) {
        throw new IllegalStateException(
            "'%s' ended with %d: %s".formatted(words, process.exitValue(), output.strip()));
      }
      return output;
    } catch (IOException e) {
      throw new IllegalStateException("'%s' cannot be run".formatted(words), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted during '%s'".formatted(words), e);
    }
  }
}
