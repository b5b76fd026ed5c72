package dev.flotilla.executor.cpu;

import dev.flotilla.collective.Door;
import dev.flotilla.collective.SocketCollective;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Endpoint;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Some ranks of a group over sockets, in this JVM or, by {@link #main}, in one of their own: it
 * prints the doors of its ranks, reads those of all, works, and prints what the requests got.
 */
final class RankChild implements AutoCloseable {
  static final CpuOptions OPTIONS =
      new CpuOptions(
          RankDrive.BLOCK_SIZE, RankDrive.BLOCKS, 512, 32, 256, CpuOptions.Progress.NONE);

  private final int first;
  private final List<Door> doors = new ArrayList<>();
  private final ExecutorService threads;

  /** Ranks {@code first} on. */
  RankChild(int first, int count) {
    this.first = first;
    for (int i = 0; i < count; i++) {
      doors.add(Door.open("127.0.0.1", 0));
    }
    threads = Executors.newFixedThreadPool(count);
  }

  /** Where its ranks are, in their order. */
  List<Integer> ports() {
    return doors.stream().map(door -> door.endpoint().port()).toList();
  }

  /** Takes a rank's place, at its door. */
  SocketCollective connect(Generation generation, Rank rank, long deadlineMs) {
    Door door = doors.get(rank.value() - first);
    return SocketCollective.connect(door, generation, rank, 60_000, deadlineMs);
  }

  static Generation generation(List<Integer> ports) {
    List<Generation.Member> members = new ArrayList<>();
    for (int i = 0; i < ports.size(); i++) {
      Endpoint endpoint = new Endpoint("127.0.0.1", ports.get(i));
      members.add(new Generation.Member(new Rank(i), new Incarnation("i" + i), endpoint));
    }
    return new Generation(1, members);
  }

  /** What the requests to its ranks got, as text: tokens and log-probabilities. */
  Map<Integer, String> run(
      ModelFolder model, Generation generation, List<RankDrive.Request> requests) throws Exception {
    List<Future<Map<Integer, RankDrive.Answer>>> running = new ArrayList<>();
    for (int i = 0; i < doors.size(); i++) {
      Rank rank = new Rank(first + i);
      running.add(
          threads.submit(
              () -> {
                try (SocketCollective collective = connect(generation, rank, 120_000);
                    CpuExecutor executor = CpuExecutor.open(model, OPTIONS, collective)) {
                  return RankDrive.run(executor, collective, requests, 64);
                }
              }));
    }
    Map<Integer, String> answers = new TreeMap<>();
    for (Future<Map<Integer, RankDrive.Answer>> one : running) {
      one.get(120, TimeUnit.SECONDS).forEach((number, a) -> answers.put(number, text(a)));
    }
    return answers;
  }

  /** One line; floats that differ have texts that differ. */
  static String text(RankDrive.Answer answer) {
    return answer.toString().replace('\n', ' ');
  }

  @Override
  public void close() {
    threads.shutdownNow();
    doors.forEach(Door::close);
  }

  /** Model, first rank, ranks here, ranks in all, seed, requests. */
  public static void main(String[] args) throws Exception {
    ModelFolder model = ModelFolder.open(Subject.folder(args[0]));
    int count = Integer.parseInt(args[2]);
    int size = Integer.parseInt(args[3]);
    List<RankDrive.Request> requests =
        RankDrive.draw(
            Long.parseLong(args[4]), Integer.parseInt(args[5]), size, model.config().vocab());
    try (RankChild child = new RankChild(Integer.parseInt(args[1]), count)) {
      child.ports().forEach(port -> System.out.println("port " + port));
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      List<Integer> ports = new ArrayList<>();
      for (String port : String.valueOf(in.readLine()).split(" ", -1)) {
        ports.add(Integer.parseInt(port));
      }
      child
          .run(model, generation(ports), requests)
          .forEach((number, text) -> System.out.println("answer " + number + " " + text));
    }
    System.exit(0);
  }
}
