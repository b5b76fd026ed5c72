package dev.flotilla.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** Asks the server, before the clock starts, what a run needs to know. */
final class ServerProbe implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Ordinary words whose ids make up the vocabulary of random prompts. */
  private static final String WORDS =
      "The quick brown fox jumps over the lazy dog while seven old ships sail north along a quiet "
          + "coast; people on land count each mast, name its harbour and ask when rain may come. "
          + "In 1987 about 46 cities, towns and villages had a market where bread, salt, wood and "
          + "paper were sold. What is the capital of Kenya? How far does light travel in a year? "
          + "Give two reasons, then explain them with simple examples for a child of twelve.";

  private final Target target;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .build();

  ServerProbe(Target target) {
    this.target = target;
  }

  /** The first served model. */
  String firstModel() {
    String id = get("/v1/models").path("data").path(0).path("id").asText();
    if (id.isEmpty()) {
      throw new BenchException(
          "the server at " + target.base() + " lists no model; name one with --model");
    }
    return id;
  }

  /** Fails with a sentence unless something answers HTTP there. */
  void requireReachable() {
    send(request("/v1/models").GET().build());
  }

  Vocabulary vocabulary(String model) {
    return Vocabulary.of(tokenize(model, WORDS));
  }

  int[] tokenize(String model, String text) {
    ObjectNode body = JSON.createObjectNode();
    body.put("model", model).put("prompt", text).put("add_special_tokens", false);
    JsonNode tokens = post("/tokenize", body).path("tokens");
    int[] ids = new int[tokens.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = tokens.get(i).asInt();
    }
    return ids;
  }

  String detokenize(String model, int[] ids) {
    ObjectNode body = JSON.createObjectNode().put("model", model);
    for (int id : ids) {
      body.withArray("tokens").add(id);
    }
    return post("/detokenize", body).path("prompt").asText();
  }

  @Override
  public void close() {
    client.close();
  }

  private JsonNode get(String path) {
    return answer(path, request(path).GET().build());
  }

  private JsonNode post(String path, ObjectNode body) {
    return answer(
        path,
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body.toString()))
            .build());
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(target.base() + path)).timeout(TIMEOUT);
    target.headers().forEach(request::header);
    return request;
  }

  private JsonNode answer(String path, HttpRequest request) {
    Answer answer = send(request);
    try {
      JsonNode json = JSON.readTree(answer.body());
      if (answer.status() == 200) {
        return json;
      }
      throw refused(path, answer.status(), String.valueOf(EventScanner.errorIn(json)));
    } catch (JsonProcessingException e) {
      throw refused(path, answer.status(), "its answer is not JSON");
    }
  }

  private record Answer(int status, String body) {}

  private Answer send(HttpRequest request) {
    try {
      var response = client.send(request, BodyHandlers.ofString());
      return new Answer(response.statusCode(), response.body());
    } catch (ConnectException e) {
      throw new BenchException(
          "no server answers at "
              + target.base()
              + "; start one or name it with --base-url, or --host and --port");
    } catch (IOException e) {
      throw new BenchException(
          "the server at " + target.base() + " does not answer: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchException("interrupted while asking the server at " + target.base());
    }
  }

  private BenchException refused(String path, int status, String why) {
    String hint =
        path.equals("/tokenize") ? "; set --random-vocab to the size of its vocabulary" : "";
    return new BenchException(
        "%s%s answered with status %d (%s)%s".formatted(target.base(), path, status, why, hint));
  }
}
