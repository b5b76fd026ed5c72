package dev.flotilla;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flotilla.bench.BenchException;
import dev.flotilla.bench.BenchResult;
import dev.flotilla.bench.LoadShape;
import dev.flotilla.bench.ResultText;
import dev.flotilla.bench.RunProgress;
import dev.flotilla.bench.ServeBench;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Drives a server with requests and reports throughput and latencies. */
@Command(
    name = "serve",
    description = "Drives an OpenAI-compatible server and reports throughput and latencies.",
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
final class BenchServeCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private CommandSpec spec;

  @Mixin
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private BenchFlags flags;

  @Option(names = "--save-result", description = "Write the result object to a file.")
  private boolean saveResult;

  @Option(names = "--result-dir", description = "Where to write it; by default here.")
  private @Nullable Path resultDir;

  @Option(names = "--result-filename", description = "Its name; by default rate, model and time.")
  private @Nullable String resultFilename;

  @Option(names = "--disable-tqdm", description = "Show no progress.")
  private boolean disableTqdm;

  @Override
  public Integer call() {
    ServeBench.Options options = flags.options();
    ServeBench.Finished finished = ServeBench.run(options, progress());
    BenchResult result = finished.result();
    PrintWriter out = spec.commandLine().getOut();
    out.print(ResultText.table(result, options.load()));
    out.flush();
    if (saveResult) {
      save(object(finished, options), finished.model());
    }
    String failure = result.firstFailure();
    if (failure == null) {
      return 0;
    }
    String sentence =
        "%d of %d requests failed, the first with: %s"
            .formatted(result.failed(), finished.requests(), failure);
    if (result.completed() == 0) {
      throw new BenchException(sentence);
    }
    spec.commandLine().getErr().println(sentence);
    return 0;
  }

  @SuppressWarnings("SystemConsoleNull") // It does again in JDK 25, without a terminal.
  private RunProgress progress() {
    Console console = System.console();
    RunProgress.Kind shown =
        console != null && console.isTerminal() ? RunProgress.Kind.BAR : RunProgress.Kind.LINES;
    return new RunProgress(System.err, disableTqdm ? RunProgress.Kind.NONE : shown);
  }

  private static ObjectNode object(ServeBench.Finished finished, ServeBench.Options options) {
    LoadShape load = options.load();
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put(
        "date",
        DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss")
            .format(LocalDateTime.now(ZoneId.systemDefault())));
    json.put("backend", options.backend().flag());
    json.put("model_id", finished.model());
    json.put("num_prompts", finished.requests());
    if (Double.isInfinite(load.requestRate())) {
      json.put("request_rate", "inf");
    } else {
      json.put("request_rate", load.requestRate());
    }
    json.put("burstiness", load.burstiness());
    json.put("max_concurrency", load.maxConcurrency());
    return json.setAll(ResultText.json(finished.result()));
  }

  private void save(ObjectNode json, String model) {
    String name =
        resultFilename == null
            ? String.format(
                Locale.ROOT,
                "%s-%sqps-%s-%s.json",
                json.path("backend").asText(),
                json.path("request_rate").asText(),
                model.replaceAll("[^A-Za-z0-9._-]", "_"),
                json.path("date").asText())
            : resultFilename;
    Path file = resultDir == null ? Path.of(name) : resultDir.resolve(name);
    try {
      if (file.getParent() != null) {
        Files.createDirectories(file.getParent());
      }
      Files.writeString(file, json.toPrettyString() + "\n");
    } catch (IOException e) {
      throw new BenchException("the result cannot be written to " + file + ": " + e.getMessage());
    }
  }
}
