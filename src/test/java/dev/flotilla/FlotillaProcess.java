package dev.flotilla;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A real process of the distribution under {@code target/flotilla}, for the tests that end in IT.
 */
final class FlotillaProcess implements AutoCloseable {
  /** Generous: CI's two cores start several JVMs at once. */
  static final Duration START = Duration.ofSeconds(90);

  private static final Pattern READY = Pattern.compile("Flotilla is ready on (http://\\S+) .*");
  private static final ObjectMapper JSON = new ObjectMapper();
  static final HttpClient HTTP =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

  /** Set by the build: many JVMs start on few cores, and most of their time is compiling. */
  private static final boolean LIGHT = Boolean.getBoolean("flotilla.light");

  private static final String LIGHT_OPTIONS = "-Xmx700m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

  private final Process process;
  private final List<String> output = new CopyOnWriteArrayList<>();

  private FlotillaProcess(Process process) {
    this.process = process;
    Thread.ofVirtual().start(this::collect);
  }

  static Path home() {
    return Path.of(System.getProperty("flotilla.home", "target/flotilla"));
  }

  /** A cluster name that no other test uses. */
  static String uniqueCluster() {
    return "it-" + UUID.randomUUID();
  }

  static FlotillaProcess start(String... arguments) throws IOException {
    return start("flotilla", Map.of(), arguments);
  }

  static FlotillaProcess start(String script, Map<String, String> environment, String... arguments)
      throws IOException {
    return start(List.of(), script, environment, arguments);
  }

  /** Behind a command that runs it, for example on another host. */
  static FlotillaProcess start(
      List<String> prefix, String script, Map<String, String> environment, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.add(home().resolve("bin").resolve(script).toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
    builder.environment().putAll(environment);
    String ours = LIGHT && light(List.of(arguments)) ? LIGHT_OPTIONS : "-Xmx700m";
    builder.environment().merge("FLOTILLA_JAVA_OPTS", ours, (given, own) -> own + " " + given);
    return new FlotillaProcess(builder.start());
  }

  /** Whether it computes no model, which takes the compiler that is left out. */
  private static boolean light(List<String> arguments) {
    return arguments.contains("scripted");
  }

  private void collect() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        output.add(line);
      }
    } catch (IOException e) {
      output.add("output ended: " + e);
    }
  }

  String output() {
    return String.join("\n", output);
  }

  /** Waits for a line that contains the text. */
  void awaitLine(String text) {
    await("line with '" + text + "'")
        .atMost(Slowness.scaled(START))
        .failFast(
            () -> {
              if (!alive()) {
                throw new AssertionError("the process ended:\n" + output());
              }
            })
        .untilAsserted(
            () -> {
              if (output.stream().noneMatch(l -> l.contains(text))) {
                throw new AssertionError("no line with '" + text + "' in:\n" + output());
              }
            });
  }

  /** Waits for the ready line; the address that it names. */
  URI awaitReady() {
    awaitLine("Flotilla is ready on ");
    return output.stream()
        .map(READY::matcher)
        .filter(Matcher::matches)
        .map(m -> URI.create(m.group(1)))
        .findFirst()
        .orElseThrow();
  }

  long pid() {
    return process.pid();
  }

  boolean alive() {
    return process.isAlive();
  }

  /** Waits for the end; the exit code. */
  int awaitExit(Duration limit) throws InterruptedException {
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("still runs after " + limit + ":\n" + output());
    }
    return process.exitValue();
  }

  /** The processes that it has started, and theirs. */
  Stream<ProcessHandle> descendants() {
    return process.descendants();
  }

  /** The JVM of a rank under the process backend: one started for it, or a spare taken over. */
  ProcessHandle engine(int rank) {
    String name = " EngineCore_DP" + rank;
    List<Long> taken =
        Pattern.compile("pid (\\d+), becomes" + name + "\\b")
            .matcher(output())
            .results()
            .map(m -> Long.valueOf(m.group(1)))
            .toList();
    return descendants()
        .filter(p -> taken.contains(p.pid()) || p.info().commandLine().orElse("").endsWith(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no process of rank " + rank + ":\n" + output()));
  }

  /** SIGTERM; what it writes then is read on, which {@link Process#destroy} would end. */
  void terminate() {
    process.toHandle().destroy();
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  static HttpResponse<String> get(URI base, String path) throws Exception {
    return HTTP.send(
        HttpRequest.newBuilder(base.resolve(path)).timeout(Duration.ofSeconds(30)).build(),
        BodyHandlers.ofString());
  }

  static HttpResponse<String> post(URI base, String path, String body, String... headers)
      throws Exception {
    HttpRequest request = postRequest(base, path, body);
    if (headers.length > 0) {
      request = HttpRequest.newBuilder(request, (name, value) -> true).headers(headers).build();
    }
    return HTTP.send(request, BodyHandlers.ofString());
  }

  static HttpRequest postRequest(URI base, String path, String body) {
    return HttpRequest.newBuilder(base.resolve(path))
        .timeout(Duration.ofSeconds(60))
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  static JsonNode json(String text) throws IOException {
    return JSON.readTree(text);
  }

  /** The ranks that {@code /engines} shows as READY. */
  static List<Integer> readyRanks(URI base) throws Exception {
    List<Integer> ranks = new ArrayList<>();
    for (JsonNode engine : json(get(base, "/engines").body()).path("engines")) {
      if (engine.path("state").asText().equals("READY")) {
        ranks.add(engine.path("rank").asInt());
      }
    }
    return ranks;
  }

  /** A chat question about the corpus. */
  static String chat(String question, boolean stream) {
    return """
        {"messages": [{"role": "user", "content": "%s"}], "temperature": 0, "max_tokens": 60,
         "stream": %s}"""
        .formatted(question, stream);
  }

  /** The text of a streamed chat answer, and a check of its frame. */
  static String streamedText(String sse) throws IOException {
    StringBuilder text = new StringBuilder();
    for (String event : sse.split("\n\n", -1)) {
      String data = event.startsWith("data: ") ? event.substring(6).strip() : "";
      if (!data.isEmpty() && !data.equals("[DONE]")) {
        text.append(json(data).path("choices").path(0).path("delta").path("content").asText(""));
      }
    }
    return text.toString();
  }
}
