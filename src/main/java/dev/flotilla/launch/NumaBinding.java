package dev.flotilla.launch;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Which part of a machine with several memory nodes a child process keeps to: consecutive local
 * ranks share one, as devices are numbered. Needs the program {@code numactl} and the right to use
 * it; without either, and on a machine with one memory node, nothing is bound.
 *
 * @param nodes memory nodes that are online
 * @param numactl program; null: nothing is bound
 */
record NumaBinding(List<Integer> nodes, @Nullable String numactl) {
  private static final Path ONLINE = Path.of("/sys/devices/system/node/online");

  /**
   * Names the nodes instead of {@link #ONLINE}, in its form; one node or none: nothing is bound.
   */
  static final String NODES = "flotilla.numa.nodes";

  private static final long TRY_SECONDS = 2;

  /** Keeps a private copy. */
  NumaBinding {
    nodes = List.copyOf(nodes);
  }

  /** Of this machine; starts {@code numactl} once, to see whether it may. Blocks. */
  static NumaBinding ofThisMachine() {
    try {
      String given = System.getProperty(NODES);
      List<Integer> nodes = given != null ? parse(given) : online();
      String program = nodes.size() > 1 ? find(System.getenv("PATH")) : null;
      return new NumaBinding(
          nodes, program != null && works(program, nodes.getFirst()) ? program : null);
    } catch (IOException | NumberFormatException e) {
      return new NumaBinding(List.of(), null);
    }
  }

  private static List<Integer> online() throws IOException {
    return Files.isReadable(ONLINE) ? parse(Files.readString(ONLINE).strip()) : List.of();
  }

  /** The words before the command of one local rank; none if nothing is bound. */
  List<String> prefix(int localRank, int localRanks) {
    if (numactl == null || nodes.size() < 2) {
      return List.of();
    }
    int share = (int) ((long) localRank * nodes.size() / Math.max(localRanks, localRank + 1));
    return prefix(numactl, nodes.get(share));
  }

  private static List<String> prefix(String program, int node) {
    return List.of(program, "--cpunodebind=" + node, "--membind=" + node);
  }

  /** Ranges with commas, as the kernel writes them: {@code 0-1,4}. */
  static List<Integer> parse(String ranges) {
    List<Integer> nodes = new ArrayList<>();
    if (ranges.isBlank()) {
      return nodes;
    }
    for (String range : ranges.split(",", -1)) {
      String[] ends = range.split("-", 2);
      int last = Integer.parseInt(ends[ends.length - 1]);
      for (int node = Integer.parseInt(ends[0]); node <= last; node++) {
        nodes.add(node);
      }
    }
    return nodes;
  }

  private static @Nullable String find(@Nullable String path) {
    if (path != null) {
      for (String folder : path.split(File.pathSeparator, -1)) {
        Path program = Path.of(folder.isEmpty() ? "." : folder, "numactl");
        if (Files.isExecutable(program)) {
          return program.toString();
        }
      }
    }
    return null;
  }

  /** Containers often forbid it. */
  private static boolean works(String program, int node) throws IOException {
    List<String> words = new ArrayList<>(prefix(program, node));
    words.add("true");
    Process tried =
        new ProcessBuilder(words)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      return tried.waitFor(TRY_SECONDS, TimeUnit.SECONDS) && tried.exitValue() == 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      tried.destroyForcibly();
    }
  }
}
