package dev.flotilla.bench;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.nio.charset.StandardCharsets;

/**
 * How each request is to be generated.
 *
 * @param model the served name
 */
record Generation(Backend backend, String model, double temperature, boolean ignoreEos) {

  /** The JSON body of one request. */
  byte[] body(Prompt prompt, int maxTokens) {
    StringBuilder json = new StringBuilder(256);
    json.append("{\"model\":\"").append(JsonStringEncoder.getInstance().quoteAsString(model));
    json.append("\",");
    if (backend == Backend.OPENAI_CHAT) {
      json.append("\"messages\":[{\"role\":\"user\",\"content\":");
      append(json, prompt);
      json.append("}]");
    } else {
      json.append("\"prompt\":");
      append(json, prompt);
    }
    json.append(",\"max_tokens\":").append(maxTokens);
    json.append(",\"temperature\":").append(temperature);
    json.append(",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    if (ignoreEos) {
      json.append(",\"ignore_eos\":true");
    }
    return json.append('}').toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void append(StringBuilder json, Prompt prompt) {
    switch (prompt) {
      case Prompt.Text(String text) ->
          json.append('"').append(JsonStringEncoder.getInstance().quoteAsString(text)).append('"');
      case Prompt.Ids(int[] ids) -> {
        char separator = '[';
        for (int id : ids) {
          json.append(separator).append(id);
          separator = ',';
        }
        json.append(ids.length == 0 ? "[]" : "]");
      }
    }
  }
}
