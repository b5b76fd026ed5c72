package dev.flotilla.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import dev.flotilla.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Turns a conversation into a prompt as transformers' {@code apply_chat_template} does: {@code
 * chat_template.jinja} or the template in {@code tokenizer_config.json}, blocks trimmed, with the
 * variables {@code messages}, {@code add_generation_prompt} and the special tokens of {@code
 * tokenizer_config.json}, and the function {@code raise_exception}. Safe for use by several
 * threads.
 *
 * <p>Jinjava only collects errors and renders on; here every error is raised, since a broken prompt
 * would otherwise go to the model unseen. Text in messages is never interpreted as a template.
 */
public final class ChatTemplate {
  private static final List<String> SPECIAL =
      List.of("bos_token", "eos_token", "pad_token", "unk_token");

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private static final Jinjava JINJAVA = jinjava();
  private static final Set<String> FILTERS =
      JINJAVA.getGlobalContext().getAllFilters().stream()
          .map(Filter::getName)
          .collect(Collectors.toUnmodifiableSet());
  private static final Set<String> TESTS =
      JINJAVA.getGlobalContext().getAllExpTests().stream()
          .map(ExpTest::getName)
          .collect(Collectors.toUnmodifiableSet());

  private final Path folder;
  private final @Nullable String template;
  private final @Nullable String unknown;
  private final Map<String, String> special;

  private ChatTemplate(Path folder, @Nullable String template, Map<String, String> special) {
    this.folder = folder;
    // Jinja drops one newline at the end of the source; jinjava would drop it from the output.
    this.template =
        template != null && template.endsWith("\n")
            ? template.substring(0, template.length() - 1)
            : template;
    this.unknown = template == null ? null : TemplateNames.unknown(template, FILTERS, TESTS);
    this.special = Map.copyOf(special);
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
    return template != null;
  }

  /**
   * The prompt of a conversation.
   *
   * @param messages each with {@code role} and {@code content}, a string or a list of parts {@code
   *     {"type": "text", "text": …}}, which are joined
   * @param addGenerationPrompt whether the assistant's turn is begun
   * @param variables further ones that the template may read
   * @throws ChatTemplateException if there is no template, a content is no text, or the template
   *     fails or refuses the conversation
   */
  public String render(
      List<Map<String, Object>> messages,
      boolean addGenerationPrompt,
      Map<String, Object> variables) {
    if (template == null) {
      throw new ChatTemplateException(
          "the model in %s has no chat template, so it only completes prompts".formatted(folder));
    }
    if (unknown != null) {
      throw new ChatTemplateException(
          "the chat template in %s uses %s, which is not supported".formatted(folder, unknown));
    }
    Map<String, Object> all = new HashMap<>(variables);
    all.putAll(special);
    all.put("messages", flattened(messages));
    all.put("add_generation_prompt", addGenerationPrompt);
    RenderResult result = JINJAVA.renderForResult(template, all);
    for (TemplateError error : result.getErrors()) {
      throw new ChatTemplateException(sentence(error));
    }
    return result.getOutput();
  }

  private static List<Map<String, Object>> flattened(List<Map<String, Object>> messages) {
    List<Map<String, Object>> all = new ArrayList<>(messages.size());
    for (int i = 0; i < messages.size(); i++) {
      Map<String, Object> copy = new HashMap<>(messages.get(i));
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

  private static String sentence(TemplateError error) {
    for (Throwable cause = error.getException(); cause != null; cause = cause.getCause()) {
      if (cause instanceof ChatTemplateException refused && refused.getMessage() != null) {
        return "the chat template refuses the conversation: " + refused.getMessage();
      }
    }
    return "the chat template fails in line %d: %s"
        .formatted(error.getLineno(), error.getMessage());
  }

  /** What a template calls to refuse a conversation; jinjava finds it by reflection. */
  @SuppressWarnings("DoNotCallSuggester")
  public static String raise(String reason) {
    throw new ChatTemplateException(reason);
  }

  private static Jinjava jinjava() {
    JinjavaConfig config =
        JinjavaConfig.newBuilder()
            .withTrimBlocks(true)
            .withLstripBlocks(true)
            .withKeepTrailingNewline(true)
            .withNestedInterpretationEnabled(false)
            .withLegacyOverrides(
                LegacyOverrides.newBuilder()
                    .withEvaluateMapKeys(true)
                    .withIterateOverMapKeys(true)
                    .withUsePyishObjectMapper(true)
                    .withParseWhitespaceControlStrictly(true)
                    .withAllowAdjacentTextNodes(true)
                    .withUseTrimmingForNotesAndExpressions(true)
                    .withKeepNullableLoopValues(true)
                    .withHandleBackslashInQuotesOnly(true)
                    .build())
            .build();
    Jinjava jinjava = new Jinjava(config);
    jinjava.registerFunction(
        new ELFunctionDefinition("", "raise_exception", ChatTemplate.class, "raise", String.class));
    return jinjava;
  }
}
