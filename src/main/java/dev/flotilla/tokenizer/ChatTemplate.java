package dev.flotilla.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.flotilla.model.ModelException;
import dev.flotilla.tokenizer.jinja.Template;
import dev.flotilla.tokenizer.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns a conversation into a prompt as transformers' {@code apply_chat_template} does: {@code
 * chat_template.jinja} or the template in {@code tokenizer_config.json}, with the variables {@code
 * messages}, {@code tools}, {@code documents}, {@code add_generation_prompt} and the special tokens
 * of {@code tokenizer_config.json}. Safe for use by several threads.
 *
 * <p>Every error of the template is raised, since a broken prompt would otherwise go to the model
 * unseen. Text in messages is never interpreted as a template.
 */
public final class ChatTemplate {
  private static final List<String> SPECIAL =
      List.of("bos_token", "eos_token", "pad_token", "unk_token");

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path folder;
  private final @Nullable Template template;
  private final @Nullable ChatTemplateException broken;
  private final Map<String, String> special;

  private ChatTemplate(Path folder, @Nullable String source, Map<String, String> special) {
    this.folder = folder;
    this.special = Map.copyOf(special);
    Template read = null;
    ChatTemplateException failure = null;
    if (source != null) {
      try {
        read = Template.of(source);
      } catch (TemplateException e) {
        failure = new ChatTemplateException(sentence(e));
      }
    }
    this.template = read;
    this.broken = failure;
  }

  /**
   * Reads a model folder's template. That there is none is no error until something is rendered: a
   * model without it still completes prompts.
   *
   * @throws ModelException with a sentence if a file cannot be read
   */
  public static ChatTemplate open(Path folder) {
    Path file = folder.resolve("chat_template.jinja");
    Path settings = folder.resolve("tokenizer_config.json");
    try {
      JsonNode json =
          Files.exists(settings)
              ? JSON.readTree(Files.readAllBytes(settings))
              : JSON.createObjectNode();
      Map<String, String> special = new HashMap<>();
      for (String name : SPECIAL) {
        JsonNode token = json.path(name);
        String content = token.isObject() ? token.path("content").asText() : token.asText();
        if (!content.isEmpty() && !token.isNull()) {
          special.put(name, content);
        }
      }
      String template = Files.exists(file) ? Files.readString(file) : embedded(json);
      return new ChatTemplate(folder, template, special);
    } catch (JsonProcessingException e) {
      throw new ModelException("%s is not JSON: %s".formatted(settings, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new ModelException(
          "cannot read the chat template in %s: %s".formatted(folder, e.getMessage()), e);
    }
  }

  /** One template, or a list of named ones of which the default counts. */
  private static @Nullable String embedded(JsonNode settings) {
    JsonNode value = settings.path("chat_template");
    if (value.isTextual()) {
      return value.textValue();
    }
    for (JsonNode named : value) {
      if (named.path("name").asText().equals("default")) {
        return named.path("template").asText();
      }
    }
    return null;
  }

  /** Whether the model has a template at all. */
  public boolean exists() {
    return template != null || broken != null;
  }

  /**
   * The prompt of a conversation.
   *
   * @param messages each with {@code role} and {@code content}, a string or a list of parts {@code
   *     {"type": "text", "text": …}}, which are joined
   * @param addGenerationPrompt whether the assistant's turn is begun
   * @param variables further ones that the template may read, {@code tools} among them; they take
   *     the place of special tokens of the same name
   * @throws ChatTemplateException if there is no template, a content is no text, or the template
   *     fails or refuses the conversation
   */
  public String render(
      List<Map<String, Object>> messages,
      boolean addGenerationPrompt,
      Map<String, Object> variables) {
    if (broken != null) {
      throw broken;
    }
    if (template == null) {
      throw new ChatTemplateException(
          "the model in %s has no chat template, so it only completes prompts".formatted(folder));
    }
    Map<String, @Nullable Object> all = new HashMap<>();
    // Transformers always passes these two, so templates ask whether they are none.
    all.put("tools", null);
    all.put("documents", null);
    all.putAll(special);
    all.putAll(variables);
    all.put("messages", flattened(messages));
    all.put("add_generation_prompt", addGenerationPrompt);
    try {
      return template.render(all, ZonedDateTime.now(ZoneId.systemDefault()));
    } catch (TemplateException e) {
      throw new ChatTemplateException(
          e.kind() == TemplateException.Kind.RAISED
              ? "the chat template refuses the conversation: " + e.sentence()
              : sentence(e));
    }
  }

  private static String sentence(TemplateException e) {
    return "the chat template fails in line %d: %s".formatted(e.line(), e.sentence());
  }

  private static List<Map<String, Object>> flattened(List<Map<String, Object>> messages) {
    List<Map<String, Object>> all = new ArrayList<>(messages.size());
    for (int i = 0; i < messages.size(); i++) {
      Map<String, Object> copy = new LinkedHashMap<>(messages.get(i));
      if (copy.get("content") instanceof List<?> parts) {
        copy.put("content", joined(parts, i));
      }
      all.add(copy);
    }
    return all;
  }

  private static String joined(List<?> parts, int message) {
    StringBuilder text = new StringBuilder();
    for (Object part : parts) {
      boolean isText =
          part instanceof Map<?, ?> map
              && "text".equals(map.get("type"))
              && map.get("text") instanceof String;
      if (!isText) {
        throw new ChatTemplateException(
            "messages[%d].content has a part that is no text: %s; this model reads text only"
                .formatted(message, part));
      }
      text.append(((Map<?, ?>) part).get("text"));
    }
    return text.toString();
  }
}
