package dev.flotilla.frontend;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Turns what clients send as a prompt into token ids. Safe for use by several threads. */
final class PromptReader {
  /** More prompts than this in one request are a mistake, or belong into a batch. */
  static final int PROMPTS_MAX = 1024;

  private static final TypeReference<Map<String, Object>> MAP = new TypeReference<>() {};

  private final ServedModel model;

  PromptReader(ServedModel model) {
    this.model = model;
  }

  /** The prompts of a completion: a string, a list of strings, ids, or a list of lists of ids. */
  List<TokenIds> prompts(Fields fields) {
    JsonNode prompt = fields.get("prompt");
    if (prompt == null) {
      throw ApiException.badValue("prompt", "prompt is missing");
    }
    boolean special = fields.flag("add_special_tokens", true);
    List<TokenIds> prompts = new ArrayList<>();
    if (prompt.isTextual()) {
      prompts.add(text("prompt", prompt.textValue(), special));
    } else if (!prompt.isArray()) {
      throw Fields.wrong(
          "prompt", "a string, a list of strings, token ids or a list of lists of them", prompt);
    } else if (prompt.isEmpty()) {
      throw ApiException.badValue("prompt", "prompt must not be empty");
    } else if (prompt.get(0).isNumber()) {
      prompts.add(TokenIds.of(Fields.ids("prompt", prompt, model.tokenizer().vocab())));
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
  TokenIds conversation(Fields fields) {
    boolean special = fields.flag("add_special_tokens", false);
    String text;
    List<Map<String, Object>> messages = messages(fields);
    Map<String, Object> variables = Map.of();
    Fields given = fields.object("chat_template_kwargs");
    if (given != null) {
      variables = Fields.MAPPER.convertValue(given.json(), MAP);
    }
    try {
      text = model.chat().render(messages, fields.flag("add_generation_prompt", true), variables);
    } catch (RuntimeException e) {
      // The template is the model's and the values are the client's: either may be at fault.
      throw ApiException.badValue("messages", String.valueOf(e.getMessage()));
    }
    TokenIds ids = model.tokenizer().encode(text, special);
    if (ids.isEmpty()) {
      throw ApiException.badValue("messages", "messages make an empty prompt");
    }
    return ids;
  }

  private TokenIds item(String name, JsonNode item, boolean special) {
    if (item.isTextual()) {
      return text(name, item.textValue(), special);
    }
    if (!item.isArray()) {
      throw Fields.wrong(name, "a string or a list of token ids", item);
    }
    if (item.isEmpty()) {
      throw ApiException.badValue("prompt", name + " must not be empty");
    }
    return TokenIds.of(Fields.ids(name, item, model.tokenizer().vocab()));
  }

  private TokenIds text(String name, String text, boolean special) {
    if (text.isEmpty()) {
      throw ApiException.badValue("prompt", name + " must not be empty");
    }
    return model.tokenizer().encode(text, special);
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
    read.put("content", content(name + ".content", object.get("content"), object));
    return read;
  }

  private static String content(
      String name, @org.jspecify.annotations.Nullable JsonNode content, ObjectNode message) {
    if (content == null || content.isNull()) {
      if (message.hasNonNull("tool_calls")) {
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
