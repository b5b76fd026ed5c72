package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flotilla.bench.SseServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class BenchServeCommandTest {
  @TempDir private Path folder;

  private record Ran(int code, String out, String err) {}

  private static Ran run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = Flotilla.commandLine();
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return new Ran(line.execute(args), out.toString(), err.toString());
  }

  private static void refused(String sentence, String... flags) {
    String[] args = new String[flags.length + 2];
    args[0] = "bench";
    args[1] = "serve";
    System.arraycopy(flags, 0, args, 2, flags.length);
    Ran ran = run(args);
    assertEquals(2, ran.code(), ran.err());
    assertTrue(ran.err().contains(sentence), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  @Test
  void refusesBadUsageWithOneSentence() {
    refused("--backend must be openai or openai-chat", "--backend", "grpc");
    refused("--request-rate must be a number or inf", "--request-rate", "fast");
    refused("--request-rate must be above 0", "--request-rate", "-1");
    refused("--burstiness must be above 0", "--burstiness", "0");
    refused("--max-concurrency must be at least 1", "--max-concurrency", "0");
    refused("--num-prompts must be at least 1", "--num-prompts", "0");
    refused("--dataset-name must be", "--dataset-name", "sonnet");
    refused("needs --dataset-path FILE", "--dataset-name", "custom");
    refused("there is no file", "--trace", "/nowhere/trace.gz");
    refused("must start with http://", "--base-url", "https://127.0.0.1");
    refused("knows ttft, tpot, itl and e2el", "--percentile-metrics", "ttft,rtt");
    refused("--metric-percentiles must lie between", "--metric-percentiles", "101");
    refused("--goodput must be METRIC:MILLISECONDS", "--goodput", "ttft");
    refused("--header must be NAME=VALUE", "--header", "x");
    refused("--random-range-ratio", "--random-range-ratio", "1");
    refused("--unheard-of", "--unheard-of", "1");
  }

  @Test
  void printsTheTableAndSavesTheResult() throws Exception {
    try (var server =
        new SseServer((_, request, exchange) -> SseServer.stream(request, exchange, 0))) {
      String[] args =
          ("bench serve --disable-tqdm --num-prompts 6 --random-input-len 8 --random-output-len 4"
                  + " --max-concurrency 2 --num-warmups 2 --save-result --result-filename r.json"
                  + " --percentile-metrics ttft,e2el --metric-percentiles 50,99.9"
                  + " --base-url "
                  + server.url()
                  + " --result-dir "
                  + folder)
              .split(" ", -1);
      Ran ran = run(args);
      assertEquals(0, ran.code(), ran.err());
      assertTrue(ran.out().startsWith("============ Serving Benchmark Result ============\n"));
      assertTrue(ran.out().contains("Successful requests:                     6         \n"));
      assertTrue(ran.out().contains("---------------Time to First Token----------------\n"));
      assertTrue(ran.out().contains("P99.9 TTFT (ms):"));
      assertEquals(8, server.requests().size(), "two of them to warm up");
      JsonNode json = new ObjectMapper().readTree(folder.resolve("r.json").toFile());
      assertEquals(24, json.path("total_output_tokens").asInt());
      assertEquals("inf", json.path("request_rate").asText());
      assertEquals("toy", json.path("model_id").asText());
      for (String key : List.of("mean_ttft_ms", "median_tpot_ms", "std_itl_ms", "p99.9_e2el_ms")) {
        assertTrue(json.path(key).isNumber(), key);
      }
      assertTrue(json.path("request_goodput").isNull());
    }
  }

  @Test
  void failsWhenEveryRequestFailed() throws Exception {
    try (var server =
        new SseServer(
            (_, _, exchange) ->
                SseServer.reply(exchange, 400, "{\"error\":{\"message\":\"too long\"}}"))) {
      Ran ran =
          run("bench", "serve", "--disable-tqdm", "--num-prompts", "3", "--base-url", server.url());
      assertEquals(1, ran.code());
      assertTrue(
          ran.err().contains("3 of 3 requests failed, the first with: status 400: too long"),
          ran.err());
    }
  }

  @Test
  void failsWithASentenceWithoutAServer() {
    Ran ran = run("bench", "serve", "--port", "1", "--disable-tqdm");
    assertEquals(1, ran.code());
    assertTrue(ran.err().contains("no server answers at http://127.0.0.1:1"), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }
}
