package dev.flotilla;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flotilla.config.ConfigException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which front-end of a running cluster a command asks, and the asking. */
final class ServerCall {
  private static final Duration CONNECT = Duration.ofSeconds(10);

  @Option(names = "--host", description = "Host of a front-end (${DEFAULT-VALUE}).")
  private String host = "127.0.0.1";

  @Option(names = "--port", description = "Port of a front-end (${DEFAULT-VALUE}).")
  private int port = 8000;

  @Option(names = "--url", description = "Address of a front-end; instead of --host and --port.")
  private @Nullable String url;

  /** What a GET answers. */
  JsonNode get(String path) throws IOException, InterruptedException {
    return send(path, HttpRequest.newBuilder(address(path)).timeout(CONNECT).GET());
  }

  /** What a POST of JSON answers within the time. */
  JsonNode post(String path, String json, Duration patience)
      throws IOException, InterruptedException {
    return send(
        path,
        HttpRequest.newBuilder(address(path))
            .timeout(patience)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json)));
  }

  private URI address(String path) {
    String base = url == null ? "http://" + host + ":" + port : url.replaceAll("/+$", "");
    try {
      URI address = URI.create(base + path);
      String scheme = String.valueOf(address.getScheme());
      if (address.getHost() != null && (scheme.equals("http") || scheme.equals("https"))) {
        return address;
      }
    } catch (IllegalArgumentException _) {
      // Said below, like an address without a host.
    }
    throw new ConfigException("'" + base + "' is not an address such as http://127.0.0.1:8000");
  }

  private JsonNode send(String path, HttpRequest.Builder request)
      throws IOException, InterruptedException {
    URI address = address(path);
    try (HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT)
            .build()) {
      HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
      JsonNode body = parsed(response.body());
      if (response.statusCode() != 200) {
        String sentence = body == null ? "" : body.path("error").path("message").asText();
        throw new FailedCommand(
            sentence.isEmpty()
                ? "%s answered with status %d; is it a Flotilla server?"
                    .formatted(address, response.statusCode())
                : sentence);
      }
      if (body == null) {
        throw new FailedCommand(address + " did not answer with JSON; is it a Flotilla server?");
      }
      return body;
    } catch (ConnectException e) {
      throw new FailedCommand(
          "no server answers at %s:%d; start one with 'flotilla serve' or name it with --host and --port"
              .formatted(address.getHost(), address.getPort()));
    } catch (HttpTimeoutException e) {
      throw new FailedCommand(address + " did not answer in time");
    }
  }

  private static @Nullable JsonNode parsed(String body) {
    try {
      return new ObjectMapper().readTree(body);
    } catch (IOException e) {
      return null;
    }
  }
}
