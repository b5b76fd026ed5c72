package dev.flotilla.executor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.model.ModelFolder;
import java.io.BufferedReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks of two JVMs that share a mixture's experts over sockets give one rank's bits. */
class TwoJvmTest {
  private static final String MODEL = "tiny-qwen3-moe";
  private static final long SEED = 77;

  @ParameterizedTest
  @CsvSource({"2, 1", "4, 16", "8, 32"})
  @Timeout(240)
  void givesTokenForTokenWhatOneRankGives(int ranks, int concurrency) throws Exception {
    ModelFolder model = ModelFolder.open(Subject.folder(MODEL));
    List<RankDrive.Request> requests =
        RankDrive.draw(SEED, concurrency, ranks, model.config().vocab());
    Map<Integer, String> expected = new TreeMap<>();
    try (CpuExecutor alone = CpuExecutor.open(model, RankChild.OPTIONS)) {
      RankDrive.run(alone, null, requests, 64)
          .forEach((number, answer) -> expected.put(number, RankChild.text(answer)));
    }
    Process child = child(ranks, concurrency);
    try (RankChild here = new RankChild(0, ranks / 2);
        BufferedReader from = child.inputReader(StandardCharsets.UTF_8)) {
      List<Integer> ports = new ArrayList<>(here.ports());
      while (ports.size() < ranks) {
        String line = String.valueOf(from.readLine());
        assertTrue(line.startsWith("port "), line);
        ports.add(Integer.parseInt(line.substring(5)));
      }
      child.getOutputStream().write((joined(ports) + "\n").getBytes(StandardCharsets.UTF_8));
      child.getOutputStream().flush();
      Map<Integer, String> answers =
          new TreeMap<>(here.run(model, RankChild.generation(ports), requests));
      int own = answers.size();
      for (String line = from.readLine(); line != null; line = from.readLine()) {
        String[] parts = line.split(" ", 3);
        answers.put(Integer.parseInt(parts[1]), parts[2]);
      }
      assertEquals(expected, answers);
      assertTrue(
          concurrency == 1 || (own > 0 && own < concurrency),
          own + " of " + concurrency + " were computed here");
      assertTrue(child.waitFor(30, TimeUnit.SECONDS));
    } finally {
      child.destroyForcibly();
    }
  }

  private static String joined(List<Integer> ports) {
    return ports.stream().map(String::valueOf).collect(Collectors.joining(" "));
  }

  /** The other half of the ranks, in a JVM with this one's flags. */
  private static Process child(int ranks, int requests) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> !flag.startsWith("-javaagent") && !flag.startsWith("-agentlib"))
        .forEach(command::add);
    command.addAll(List.of("-Dflotilla.basedir=" + Subject.base(), "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(RankChild.class.getName());
    String half = Integer.toString(ranks / 2);
    command.addAll(List.of(MODEL, half, half, "" + ranks, "" + SEED, "" + requests));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }
}
