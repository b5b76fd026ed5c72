package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What {@code flotilla sim} prints and refuses. */
class SimCommandTest {
  @TempDir private Path folder;
  private Path trace = Path.of("");

  private record Run(int code, String out, String err) {}

  @BeforeEach
  void writeTrace() throws IOException {
    trace = folder.resolve("trace.jsonl");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      lines.add(
          "{\"t_ms\": %d, \"input\": %d, \"output\": 20}".formatted(i * 5, 100 + i % 7 * 300));
    }
    Files.write(trace, lines);
  }

  private Run run(String... args) {
    List<String> all = new ArrayList<>(List.of("sim", "--trace", trace.toString()));
    all.addAll(List.of(args));
    CommandLine line = Flotilla.commandLine();
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    int code = line.execute(all.toArray(String[]::new));
    return new Run(code, out.toString(), err.toString());
  }

  @Test
  void printsOneObjectWithTheFixedKeys() throws IOException {
    Run run = run("--json", "--engines", "2", "--frontends", "2", "--policy", "flotilla,vllm");
    assertEquals(0, run.code(), run.err());
    JsonNode policies = new ObjectMapper().readTree(run.out()).path("policies");
    assertEquals(2, policies.size());
    List<String> keys = new ArrayList<>();
    policies.get(0).fieldNames().forEachRemaining(keys::add);
    assertEquals(
        List.of(
            "policy",
            "ttft_p50_ms",
            "ttft_p99_ms",
            "tpot_p99_ms",
            "throughput_tokens_s",
            "arrival_tokens_s",
            "imbalance",
            "prefix_hit_share",
            "moved",
            "completed",
            "lost"),
        keys);
    assertEquals("flotilla", policies.get(0).path("policy").asText());
    assertEquals(200, policies.get(1).path("completed").asInt());
  }

  @Test
  void printsATableWithoutAChartWhereThereIsNoTerminal() {
    Run run = run("--speed-factors", "2,1", "--lockstep", "--utilisation", "0.5", "--seeds", "3");
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().contains("utilisation 0.50"), run.out());
    assertTrue(run.out().lines().anyMatch(l -> l.startsWith("vllm-classic ")), run.out());
    assertTrue(!run.out().contains("█"), run.out());
  }

  @Test
  void aKilledEnginesRequestsGoOn() {
    Run run = run("--json", "--kill", "1@0.4,2@500ms", "--policy", "flotilla");
    assertTrue(run.out().contains("\"completed\":200,\"lost\":0"), run.out() + run.err());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--policy=fastest",
        "--engines=0",
        "--frontends=-1",
        "--delay-ms=-2",
        "--kill=9@1",
        "--kill=now",
        "--speed-factors=0",
        "--speed-factors=1,1,1,1,1,1,1,1,1",
        "--utilisation=0",
        "--seeds=0",
        "--kv-tokens=3",
        "--enginess=3"
      })
  void wrongUsageIsOneSentenceAndCodeTwo(String flag) {
    Run run = run(flag);
    assertEquals(2, run.code(), run.out());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void aMissingOrBrokenTraceIsOneSentenceAndCodeTwo() throws IOException {
    Files.writeString(trace, "{\"t_ms\": 1}");
    assertEquals(2, run().code());
    Files.delete(trace);
    Run run = run();
    assertEquals(2, run.code());
    assertEquals(1, run.err().lines().count(), run.err());
  }
}
