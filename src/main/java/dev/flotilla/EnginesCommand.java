package dev.flotilla;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flotilla.config.ConfigException;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows the engines of a running cluster as any of its front-ends sees them. */
@Command(
    name = "engines",
    description = "Shows the engines of a running cluster.",
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
final class EnginesCommand implements Callable<Integer> {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  @Spec
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private CommandSpec spec;

  @Option(names = "--host", description = "Host of a front-end.")
  private String host = "127.0.0.1";

  @Option(names = "--port", description = "Port of a front-end.")
  private int port = 8000;

  @Option(names = "--url", description = "Address of a front-end; instead of --host and --port.")
  private @Nullable String url;

  @Option(names = "--json", description = "Print the object as the server sent it.")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    URI address = address();
    HttpResponse<String> response = ask(address);
    if (response.statusCode() != 200) {
      throw new FailedCommand(
          "%s answered with status %d; is it a Flotilla server?"
              .formatted(address, response.statusCode()));
    }
    JsonNode engines;
    try {
      engines = new ObjectMapper().readTree(response.body());
    } catch (IOException e) {
      throw new FailedCommand(address + " did not answer with JSON; is it a Flotilla server?");
    }
    PrintWriter out = spec.commandLine().getOut();
    out.print(json ? engines + "\n" : EnginesTable.render(engines));
    out.flush();
    return 0;
  }

  private URI address() {
    String base = url == null ? "http://" + host + ":" + port : url.replaceAll("/+$", "");
    try {
      URI address = URI.create(base + "/engines");
      String scheme = String.valueOf(address.getScheme());
      if (address.getHost() != null && (scheme.equals("http") || scheme.equals("https"))) {
        return address;
      }
    } catch (IllegalArgumentException _) {
      // Said below, like an address without a host.
    }
    throw new ConfigException("'" + base + "' is not an address such as http://127.0.0.1:8000");
  }

  private static HttpResponse<String> ask(URI address) throws IOException, InterruptedException {
    try (HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIMEOUT)
            .build()) {
      return client.send(
          HttpRequest.newBuilder(address).timeout(TIMEOUT).build(), BodyHandlers.ofString());
    } catch (ConnectException e) {
      throw new FailedCommand(
          "no server answers at %s:%d; start one with 'flotilla serve' or name it with --host and"
                  .formatted(address.getHost(), address.getPort())
              + " --port");
    }
  }
}
