package dev.flotilla.frontend;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns what clients send as a prompt into token ids. Safe for use by several threads. */
final class PromptReader {
  /** More prompts than this in one request are a mistake, or belong into a batch. */
  static final int PROMPTS_MAX = 1024;

  private static final TypeReference<Map<String, Object>> MAP = new TypeReference<>() {};

  private final ServedModel model;

  PromptReader(ServedModel model) {
    this.model = model;
  }

  /**
   * One prompt.
   *
   * @param written what {@code echo} repeats; null if it was given as ids
   */
  record Text(TokenIds ids, @Nullable String written) {}

  /** The prompts of a completion: a string, a list of strings, ids, or a list of lists of ids. */
  List<Text> prompts(Fields fields) {
    JsonNode prompt = fields.get("prompt");
    if (prompt == null) {
      throw ApiException.badValue("prompt", "prompt is missing");
    }
    boolean special = fields.flag("add_special_tokens", true);
    List<Text> prompts = new ArrayList<>();
    if (prompt.isTextual()) {
      prompts.add(text("prompt", prompt.textValue(), special));
    } else if (!prompt.isArray()) {
      throw Fields.wrong(
          "prompt", "a string, a list of strings, token ids or a list of lists of them", prompt);
    } else if (prompt.isEmpty()) {
      throw ApiException.badValue("prompt", "prompt must not be empty");
    } else if (prompt.get(0).isNumber()) {
      prompts.add(ids("prompt", prompt));
    } else {
      if (prompt.size() > PROMPTS_MAX) {
        throw ApiException.badValue(
            "prompt", "prompt may hold %d prompts, not %d".formatted(PROMPTS_MAX, prompt.size()));
      }
      for (int i = 0; i < prompt.size(); i++) {
        prompts.add(item("prompt[%d]".formatted(i), prompt.get(i), special));
      }
    }
    return prompts;
  }

  /** The prompt that a conversation makes. */
  Text conversation(Fields fields) {
    boolean special = fields.flag("add_special_tokens", false);
    boolean further = fields.flag("continue_final_message", false);
    boolean generation = fields.flag("add_generation_prompt", !further);
    if (further && generation) {
      throw ApiException.badValue(
          "continue_final_message",
          "continue_final_message and add_generation_prompt cannot both be true");
    }
    List<Map<String, Object>> messages = messages(fields);
    String text;
    try {
      text = model.chat().render(messages, generation, variables(fields));
    } catch (RuntimeException e) {
      // The template is the model's and the values are the client's: either may be at fault.
      throw ApiException.badValue("messages", String.valueOf(e.getMessage()));
    }
    String last = String.valueOf(messages.getLast().get("content"));
    if (further) {
      text = throughFinalMessage(text, last);
    }
    TokenIds ids = model.tokenizer().encode(text, special);
    if (ids.isEmpty()) {
      throw ApiException.badValue("messages", "messages make an empty prompt");
    }
    boolean same = role(fields).equals(messages.getLast().get("role"));
    return new Text(ids, same ? last : "");
  }

  /** Who speaks in the answer: the assistant, or whoever spoke last if no turn is begun. */
  static String role(Fields fields) {
    JsonNode messages = fields.get("messages");
    boolean begins =
        fields.flag("add_generation_prompt", !fields.flag("continue_final_message", false));
    if (begins || messages == null || messages.isEmpty()) {
      return "assistant";
    }
    return messages.get(messages.size() - 1).path("role").asText("assistant");
  }

  /** What the template may read beside the messages. */
  private static Map<String, Object> variables(Fields fields) {
    Map<String, Object> variables = new HashMap<>();
    List<Object> tools = ToolReader.forTemplate(fields);
    if (tools != null) {
      variables.put("tools", tools);
    }
    JsonNode documents = fields.get("documents");
    if (documents != null) {
      variables.put("documents", Fields.MAPPER.convertValue(documents, Object.class));
    }
    String effort = fields.string("reasoning_effort");
    if (effort != null) {
      variables.put("reasoning_effort", effort);
    }
    Fields given = fields.object("chat_template_kwargs");
    if (given != null) {
      variables.putAll(Fields.MAPPER.convertValue(given.json(), MAP));
    }
    return variables;
  }

  /**
   * A rendered conversation without what the template puts behind the last message, so that the
   * model goes on with it. Templates may trim a message, so the trimmed one is looked for.
   *
   * <p>Source: {@code continue_final_message} of transformers' {@code apply_chat_template}.
   */
  private static String throughFinalMessage(String text, String last) {
    int at = last.isBlank() ? -1 : text.lastIndexOf(last.strip());
    if (at < 0) {
      throw ApiException.badValue(
          "continue_final_message",
          "continue_final_message needs a last message whose text the chat template shows");
    }
    String spaced = last.stripLeading();
    return text.startsWith(spaced, at)
        ? text.substring(0, at + spaced.length())
        : text.substring(0, at + last.strip().length());
  }

  private Text item(String name, JsonNode item, boolean special) {
    if (item.isTextual()) {
      return text(name, item.textValue(), special);
    }
    if (!item.isArray()) {
      throw Fields.wrong(name, "a string or a list of token ids", item);
    }
    if (item.isEmpty()) {
      throw ApiException.badValue("prompt", name + " must not be empty");
    }
    return ids(name, item);
  }

  private Text ids(String name, JsonNode list) {
    return new Text(TokenIds.of(Fields.ids(name, list, model.tokenizer().vocab())), null);
  }

  private Text text(String name, String text, boolean special) {
    if (text.isEmpty()) {
      throw ApiException.badValue("prompt", name + " must not be empty");
    }
    return new Text(model.tokenizer().encode(text, special), text);
  }

  private static List<Map<String, Object>> messages(Fields fields) {
    JsonNode messages = fields.get("messages");
    if (messages == null) {
      throw ApiException.badValue("messages", "messages are missing");
    }
    if (!messages.isArray()) {
      throw Fields.wrong("messages", "a list of messages", messages);
    }
    if (messages.isEmpty()) {
      throw ApiException.badValue("messages", "messages must not be empty");
    }
    List<Map<String, Object>> read = new ArrayList<>();
    for (JsonNode message : messages) {
      read.add(message("messages[%d]".formatted(read.size()), message));
    }
    return read;
  }

  private static Map<String, Object> message(String name, JsonNode message) {
    if (!(message instanceof ObjectNode object)) {
      throw Fields.wrong(name, "an object with role and content", message);
    }
    JsonNode role = object.get("role");
    if (role == null || !role.isTextual() || role.textValue().isEmpty()) {
      throw ApiException.badValue(name + ".role", name + ".role must be a string such as user");
    }
    Map<String, Object> read = Fields.MAPPER.convertValue(object, MAP);
    List<Object> calls = ToolReader.calls(name, object);
    if (calls == null) {
      read.remove("tool_calls");
    } else {
      read.put("tool_calls", calls);
    }
    read.put("content", content(name + ".content", object.get("content"), calls != null));
    return read;
  }

  private static String content(String name, @Nullable JsonNode content, boolean calls) {
    if (content == null || content.isNull()) {
      if (calls) {
        return "";
      }
      throw ApiException.badValue(name, name + " is missing");
    }
    if (content.isTextual()) {
      return content.textValue();
    }
    if (!content.isArray()) {
      throw Fields.wrong(name, "a string or a list of text parts", content);
    }
    List<String> parts = new ArrayList<>();
    for (JsonNode part : content) {
      JsonNode text = part.get("text");
      if (!"text".equals(part.path("type").asText()) || text == null || !text.isTextual()) {
        throw ApiException.badValue(
            name,
            "%s[%d] must be {\"type\": \"text\", \"text\": …}: this model reads text only"
                .formatted(name, parts.size()));
      }
      parts.add(text.textValue());
    }
    return String.join("\n", parts);
  }
}
