package dev.flotilla;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What does it cost that ranks step together? A program, not a test: it prints rows of {@code
 * benchmarks.md}. First argument:
 *
 * <ul>
 *   <li>{@code idle [seconds]}: cores that 8 ranks use at rest and paused, above the same JVM
 *       without them;
 *   <li>{@code dummies [waves]}: steps without work that one wave takes after its work is done, for
 *       works of 1 to 40 steps, beside the most and the mean of the original's rule;
 *   <li>{@code serve [tokens]}: tokens per second of {@code tiny-qwen3-moe} over HTTP with 1, 2 and
 *       4 ranks, with its experts spread and not, and the share of the ranks' time in exchanges.
 * </ul>
 */
final class LockstepBench {
  private static final int SIZE = 8;
  private static final int INTERVAL = 32;
  private static final int CLIENTS = 32;

  private LockstepBench() {}

  public static void main(String[] args) throws Exception {
    String what = args.length > 0 ? args[0] : "";
    int count = args.length > 1 ? Integer.parseInt(args[1]) : 0;
    switch (what) {
      case "idle" -> idle(count == 0 ? 10 : count);
      case "dummies" -> dummies(count == 0 ? 40 : count);
      case "serve" -> serve(count == 0 ? 64 : count);
      default -> throw new IllegalArgumentException("idle, dummies or serve, not '" + what + "'");
    }
    System.exit(0);
  }

  private static void idle(int seconds) throws Exception {
    try (RestingGroup group = new RestingGroup(SIZE)) {
      group.start();
      group.wave(40);
      RestingGroup.cores(
          1, Long.getLong("warm", 30_000)); // Until all that is used while it rests is compiled.
      double resting = RestingGroup.cores(3, seconds * 1_000L);
      group.pause();
      double paused = RestingGroup.cores(3, seconds * 1_000L);
      group.stop();
      double without = RestingGroup.cores(3, seconds * 1_000L);
      print("| ranks | cores without them | more at rest | more while paused |");
      print(
          "| %d | %.4f | %.2f %% of a core | %.2f %% of a core |",
          SIZE, without, 100 * (resting - without), 100 * (paused - without));
    }
  }

  /**
   * One rank has work of so many steps, the others none. Ours and the original's agree at the same
   * steps, so what is counted is the rule's cost, and that of starting a wave.
   */
  private static void dummies(int waves) throws Exception {
    try (RestingGroup group = new RestingGroup(2)) {
      group.start();
      long[] wasted = new long[waves];
      for (int i = 0; i < waves; i++) {
        long before = steps(group);
        group.wave(i + 1);
        wasted[i] = steps(group) - before - (i + 1);
      }
      long most = 0;
      long sum = 0;
      long rule = 0;
      for (int i = 0; i < waves; i++) {
        most = Math.max(most, wasted[i]);
        sum += wasted[i];
        rule += original(i + 1);
      }
      print(
          "| waves | wasted steps a rank and wave, mean | most | by the original's rule, mean | most |");
      print(
          "| %d | %.1f | %d | %.1f | %d |",
          waves, (double) sum / waves, most, (double) rule / waves, INTERVAL - 1);
    }
  }

  /** Steps that the original's ranks take after the last with work: to step 1 or the next 32nd. */
  private static long original(long steps) {
    return steps == 1 ? 0 : (INTERVAL - steps % INTERVAL) % INTERVAL;
  }

  private static long steps(RestingGroup group) throws Exception {
    return group.engines().getJsonObject(0).getLong("step");
  }

  private static void serve(int tokens) throws Exception {
    print("| ranks | experts | tokens/s | time in exchanges | steps without work |");
    for (String ranks : new String[] {"1", "2", "4"}) {
      for (boolean spread : new boolean[] {false, true}) {
        if (!spread || !ranks.equals("1")) {
          serve(ranks, spread, tokens);
        }
      }
    }
  }

  private static void serve(String ranks, boolean spread, int tokens) throws Exception {
    List<String> flags = new ArrayList<>(List.of("-dp", ranks, "--num-gpu-blocks-override", "512"));
    flags.addAll(List.of("--disable-log-stats", "--api-server-count", "1"));
    flags.addAll(List.of("--collective-timeout-ms", "60000"));
    if (spread) {
      flags.add("--enable-expert-parallel");
    }
    try (LocalServe server =
        LocalServe.startModel("tiny-qwen3-moe", flags.toArray(String[]::new))) {
      round(server.base(), tokens); // Warms up.
      JsonArray before = engines(server.base());
      long start = System.nanoTime();
      round(server.base(), tokens);
      double seconds = (System.nanoTime() - start) / 1e9;
      JsonArray after = engines(server.base());
      double waited = sum(after, "collective_wait_ms") - sum(before, "collective_wait_ms");
      double dummies = sum(after, "dummy_steps") - sum(before, "dummy_steps");
      double steps = sum(after, "step") - sum(before, "step");
      print(
          "| %s | %s | %.0f | %.0f %% | %.0f %% |",
          ranks,
          spread ? "spread, memory" : "all",
          CLIENTS * tokens / seconds,
          100 * waited / 1_000 / seconds / Integer.parseInt(ranks),
          100 * dummies / steps);
    }
  }

  private static double sum(JsonArray engines, String key) {
    double sum = 0;
    for (int i = 0; i < engines.size(); i++) {
      sum += engines.getJsonObject(i).getDouble(key, 0.0);
    }
    return sum;
  }

  private static JsonArray engines(URI base) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(base.resolve("/engines")).build();
    String body = FlotillaProcess.HTTP.send(request, BodyHandlers.ofString()).body();
    return new JsonObject(body).getJsonArray("engines");
  }

  private static void round(URI base, int tokens) throws Exception {
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      String body =
          "{\"prompt\":\"sequence %d of the round\",\"max_tokens\":%d,\"ignore_eos\":true}"
              .formatted(i, tokens);
      answers.add(
          FlotillaProcess.HTTP.sendAsync(
              FlotillaProcess.postRequest(base, "/v1/completions", body), BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> answer : answers) {
      HttpResponse<String> response = answer.get(300, TimeUnit.SECONDS);
      if (response.statusCode() != 200) {
        throw new IllegalStateException(response.body());
      }
    }
  }

  @FormatMethod
  private static void print(@FormatString String format, Object... args) {
    System.out.println(String.format(Locale.ROOT, format, args));
  }
}
