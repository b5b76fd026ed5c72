package dev.flotilla;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.config.ConfigException;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Changes the number of engines of a running cluster. */
@Command(
    name = "scale",
    description = "Change the number of engines of a running cluster; it serves on meanwhile.",
    mixinStandardHelpOptions = true)
final class ScaleCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofHours(1);

  @Spec
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private CommandSpec spec;

  @Parameters(paramLabel = "N", description = "Engines in all.")
  private int size;

  @Option(
      names = "--drain-timeout",
      description =
          "Seconds that requests of engines that go get before they move (${DEFAULT-VALUE}).")
  private int drainTimeout = 120;

  @Mixin private ServerCall server = new ServerCall();

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (size < 1 || drainTimeout < 1) {
      throw new ConfigException(
          "the number of engines and --drain-timeout must be at least 1, not %d and %d"
              .formatted(size, drainTimeout));
    }
    String body =
        "{\"new_data_parallel_size\": %d, \"drain_timeout\": %d}".formatted(size, drainTimeout);
    JsonNode answer = server.post("/scale_elastic_ep", body, PATIENCE);
    PrintWriter out = spec.commandLine().getOut();
    out.println(answer.path("message").asText("the group has " + size + " ranks"));
    out.flush();
    return 0;
  }
}
