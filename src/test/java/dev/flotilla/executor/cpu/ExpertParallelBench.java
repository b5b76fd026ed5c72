package dev.flotilla.executor.cpu;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.collective.SharedGroup;
import dev.flotilla.model.Collective;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Endpoint;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What does spreading the experts cost on one machine? Decodes 32 sequences in all, over 1, 2 and 4
 * ranks: each with all experts, or with its share and exchanges in memory, over sockets in one JVM,
 * or over sockets between two JVMs. Says tokens per second of the group and the share of the ranks'
 * time that went into exchanges, waiting for others to compute included. Ways take turns within one
 * run; medians are given.
 *
 * <p>Arguments: the mixture's folder, and the number of rounds (default 5).
 */
final class ExpertParallelBench {
  private static final int SEQUENCES = 32;
  private static final int TOKENS = 64;
  private static final int PROMPT = 16;
  private static final long DEADLINE_MS = 60_000;

  private enum Way {
    ALL_EXPERTS,
    MEMORY,
    SOCKETS,
    TWO_JVMS
  }

  /** One sample of one rank. */
  private record Sample(long tokens, long nanos, long waitedNanos, long expertBytes) {
    Sample plus(Sample other) {
      return new Sample(
          tokens + other.tokens,
          Math.max(nanos, other.nanos),
          waitedNanos + other.waitedNanos,
          Math.max(expertBytes, other.expertBytes));
    }
  }

  private final ModelFolder folder;
  private final int size;
  private final ExecutorService threads;
  private @Nullable Process child;

  private ExpertParallelBench(ModelFolder folder, int size) {
    this.folder = folder;
    this.size = size;
    this.threads = Executors.newFixedThreadPool(size);
  }

  /** Runs it; with more arguments it is the second JVM, and works the upper half of the ranks. */
  public static void main(String[] args) throws Exception {
    ModelFolder folder = ModelFolder.open(Path.of(args[0]));
    if (args.length > 2) {
      ExpertParallelBench bench = new ExpertParallelBench(folder, Integer.parseInt(args[2]));
      bench.upperHalf();
      System.exit(0);
    }
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 5;
    for (int size : new int[] {1, 2, 4}) {
      ExpertParallelBench bench = new ExpertParallelBench(folder, size);
      try {
        bench.compare(rounds);
      } finally {
        bench.close();
      }
    }
    System.exit(0);
  }

  private void compare(int rounds) throws Exception {
    List<Way> ways = size == 1 ? List.of(Way.ALL_EXPERTS, Way.MEMORY) : List.of(Way.values());
    List<List<Sample>> samples = new ArrayList<>();
    ways.forEach(way -> samples.add(new ArrayList<>()));
    for (int round = 0; round <= rounds; round++) {
      for (int w = 0; w < ways.size(); w++) {
        Sample sample = sample(ways.get(w));
        if (round > 0) { // The first warms up.
          samples.get(w).add(sample);
        }
      }
    }
    for (int w = 0; w < ways.size(); w++) {
      report(ways.get(w), samples.get(w));
    }
  }

  private void report(Way way, List<Sample> samples) {
    double[] rates =
        samples.stream().mapToDouble(s -> s.tokens() / (s.nanos() / 1e9)).sorted().toArray();
    double[] shares =
        samples.stream()
            .mapToDouble(s -> (double) s.waitedNanos() / s.nanos() / size)
            .sorted()
            .toArray();
    print(
        "%d ranks, %-11s %8.0f tokens/s, %4.1f %% of the time in exchanges, %5d KiB of experts a rank",
        size,
        way.name().toLowerCase(Locale.ROOT).replace('_', ' '),
        rates[rates.length / 2],
        100 * shares[shares.length / 2],
        samples.getFirst().expertBytes() >> 10);
  }

  private Sample sample(Way way) throws Exception {
    if (way == Way.TWO_JVMS) {
      return twoJvms();
    }
    SharedGroup memory = new SharedGroup(group(null), DEADLINE_MS);
    try (RankChild doors = new RankChild(0, size)) {
      Generation sockets = RankChild.generation(doors.ports());
      return run(
          0,
          size,
          rank ->
              switch (way) {
                case ALL_EXPERTS -> null;
                case MEMORY -> memory.join(memory.generation(), rank);
                case SOCKETS, TWO_JVMS -> doors.connect(sockets, rank, DEADLINE_MS);
              });
    }
  }

  /** The lower half of the ranks here, the upper half in a JVM that lasts for all rounds. */
  private Sample twoJvms() throws Exception {
    Process other = child();
    BufferedReader from = other.inputReader(StandardCharsets.UTF_8);
    int here = size / 2;
    try (RankChild doors = new RankChild(0, here)) {
      List<Integer> ports = new ArrayList<>(doors.ports());
      tell(other, "begin");
      ports.addAll(numbers(from.readLine()));
      tell(other, joined(ports));
      Generation generation = RankChild.generation(ports);
      Sample own = run(0, here, rank -> doors.connect(generation, rank, DEADLINE_MS));
      List<Long> theirs =
          Arrays.stream(from.readLine().split(" ", -1)).map(Long::parseLong).toList();
      return own.plus(new Sample(theirs.get(0), theirs.get(1), theirs.get(2), theirs.get(3)));
    }
  }

  private void upperHalf() throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    int there = size / 2;
    while (in.readLine() != null) {
      try (RankChild doors = new RankChild(there, size - there)) {
        System.out.println(joined(doors.ports()));
        Generation generation = RankChild.generation(numbers(in.readLine()));
        Sample s = run(there, size, rank -> doors.connect(generation, rank, DEADLINE_MS));
        System.out.printf("%d %d %d %d%n", s.tokens(), s.nanos(), s.waitedNanos(), s.expertBytes());
      }
    }
  }

  private static void tell(Process other, String line) throws Exception {
    other.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    other.getOutputStream().flush();
  }

  private static List<Integer> numbers(String line) {
    return Arrays.stream(line.split(" ", -1)).map(Integer::parseInt).toList();
  }

  private static String joined(List<Integer> numbers) {
    return String.join(" ", numbers.stream().map(String::valueOf).toList());
  }

  private Process child() throws Exception {
    Process known = child;
    if (known != null) {
      return known;
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(ExpertParallelBench.class.getName());
    command.addAll(List.of(folder.path().toString(), "0", String.valueOf(size)));
    Process started =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    child = started;
    return started;
  }

  private void close() {
    threads.shutdownNow();
    if (child != null) {
      child.destroyForcibly();
    }
  }

  @FormatMethod
  private static void print(@FormatString String format, Object... args) {
    System.out.println(String.format(Locale.ROOT, format, args));
  }

  private interface Joining {
    @Nullable Collective join(Rank rank) throws Exception;
  }

  private Sample run(int from, int to, Joining joining) throws Exception {
    List<Future<Sample>> running = new ArrayList<>();
    for (int i = from; i < to; i++) {
      Rank rank = new Rank(i);
      running.add(threads.submit(() -> decode(joining.join(rank), rank)));
    }
    Sample sum = new Sample(0, 0, 0, 0);
    for (Future<Sample> one : running) {
      sum = sum.plus(one.get(300, TimeUnit.SECONDS));
    }
    return sum;
  }

  private Sample decode(@Nullable Collective group, Rank rank) {
    try (CpuExecutor executor =
        group == null
            ? CpuExecutor.open(folder, RankChild.OPTIONS)
            : CpuExecutor.open(folder, RankChild.OPTIONS, group)) {
      List<RankDrive.Request> requests = requests(rank);
      if (group != null) {
        group.sum(1); // All start together.
      }
      long waited = executor.waitedNanos();
      long start = System.nanoTime();
      long tokens =
          RankDrive.run(executor, group, requests, 256).values().stream()
              .mapToLong(answer -> answer.ids().size())
              .sum();
      long nanos = System.nanoTime() - start;
      return new Sample(tokens, nanos, executor.waitedNanos() - waited, executor.expertBytes());
    } finally {
      if (group != null) {
        group.close();
      }
    }
  }

  private List<RankDrive.Request> requests(Rank rank) {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    Sampling sampling = Sampling.builder().temperature(0).ignoreEos(true).maxTokens(TOKENS).build();
    RankDrive.Request[] requests = new RankDrive.Request[SEQUENCES / size];
    Arrays.setAll(
        requests,
        i ->
            new RankDrive.Request(
                i,
                rank.value(),
                0,
                TokenIds.of(random.ints(PROMPT, 2, folder.config().vocab()).toArray()),
                sampling));
    return List.of(requests);
  }

  private Generation group(@Nullable Endpoint endpoint) {
    List<Generation.Member> members = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      members.add(new Generation.Member(new Rank(i), new Incarnation("i" + i), endpoint));
    }
    return new Generation(1, members);
  }
}
