package dev.flotilla.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rendering as transformers does it, and every failure raised. */
class ChatTemplateTest {
  private static final List<Map<String, Object>> HELLO =
      List.of(Map.of("role", "user", "content", "Hello"));

  @TempDir private Path folder = Path.of("");

  private ChatTemplate template(String source) throws Exception {
    Files.writeString(folder.resolve("chat_template.jinja"), source);
    return ChatTemplate.open(folder);
  }

  private static String refusal(ChatTemplate template, List<Map<String, Object>> messages) {
    return String.valueOf(
        assertThrows(ChatTemplateException.class, () -> template.render(messages, true, Map.of()))
            .getMessage());
  }

  @Test
  void rendersTheBundledTemplate() {
    Path models =
        Path.of(Objects.requireNonNull(System.getProperty("flotilla.basedir")), "src/main/models");
    for (String model : List.of("tiny-llama", "tiny-qwen3-moe")) {
      ChatTemplate template = ChatTemplate.open(models.resolve(model));
      assertEquals(
          "<|begin_of_text|><|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n",
          template.render(HELLO, true, Map.of()));
      assertEquals(
          "<|begin_of_text|><|im_start|>user\nHello<|im_end|>\n",
          template.render(HELLO, false, Map.of()));
    }
  }

  @Test
  void joinsTextParts() throws Exception {
    List<Map<String, Object>> parts =
        List.of(
            Map.of(
                "role",
                "user",
                "content",
                List.of(
                    Map.of("type", "text", "text", "Hel"), Map.of("type", "text", "text", "lo"))));
    assertEquals("Hello", template("{{ messages[0].content }}").render(parts, true, Map.of()));
    List<Map<String, Object>> image =
        List.of(Map.of("role", "user", "content", List.of(Map.of("type", "image_url"))));
    String refusal = refusal(template("{{ messages[0].content }}"), image);
    assertTrue(refusal.startsWith("messages[0].content has a part that is no text"), refusal);
  }

  @Test
  void neverInterpretsMessages() throws Exception {
    String text = "{{ 7 * 7 }} {% raw %} {# no #} {{ bos_token }} <b> & \"q\"";
    assertEquals(
        text,
        template("{{ messages[0]['content'] }}")
            .render(List.of(Map.of("role", "user", "content", text)), true, Map.of()));
  }

  @Test
  void trimsBlocksAsTransformersDoes() throws Exception {
    String source =
        """
        {% for message in messages %}
            {% if message.role == 'user' %}
        U: {{ message.content }}
            {% endif %}
        {% endfor %}
        end
        """;
    assertEquals("U: Hello\nend", template(source).render(HELLO, true, Map.of()));
  }

  @Test
  void raisesWhatTheTemplateRefuses() throws Exception {
    String refusal =
        refusal(
            template("{% if true %}{{ raise_exception('Roles must alternate') }}{% endif %}"),
            HELLO);
    assertEquals("the chat template refuses the conversation: Roles must alternate", refusal);
  }

  @Test
  void raisesEveryErrorWithItsLine() throws Exception {
    for (String source :
        List.of(
            "\n{% for m in messages %}{{ m.content",
            "\n{{ no_such_function(1) }}",
            "\n{{ messages[0].nothing.more }}",
            "\n{{ messages | no_such_filter }}",
            "\n{% if messages is no_test %}a{% endif %}",
            "\n{{ 'a' + 1 }}",
            "\n{% nonsense %}")) {
      String refusal = refusal(template(source), HELLO);
      assertTrue(refusal.startsWith("the chat template fails in line 2: "), source + refusal);
      assertFalse(refusal.contains("\n"), refusal);
    }
  }

  @Test
  void aBrokenTemplateFailsOnlyWhenItIsNeeded() throws Exception {
    ChatTemplate broken = template("{{ 1 +");
    assertTrue(broken.exists());
    String refusal = refusal(broken, HELLO);
    assertTrue(refusal.startsWith("the chat template fails in line 1: "), refusal);
  }

  @Test
  void toolsAreNoneUnlessGiven() throws Exception {
    ChatTemplate template =
        template("{% if tools is none %}no tools{% else %}{{ tools | tojson }}{% endif %}");
    assertEquals("no tools", template.render(HELLO, true, Map.of()));
    assertEquals(
        "[{\"name\": \"f\"}]",
        template.render(HELLO, true, Map.of("tools", List.of(Map.of("name", "f")))));
  }

  @Test
  void saysThatThereIsNoTemplate() {
    ChatTemplate none = ChatTemplate.open(folder);
    assertFalse(none.exists());
    assertEquals(
        "the model in %s has no chat template, so it only completes prompts".formatted(folder),
        refusal(none, HELLO));
  }

  @Test
  void readsTheTemplateOfTheTokenizerSettings() throws Exception {
    Path settings = folder.resolve("tokenizer_config.json");
    Files.writeString(
        settings,
        """
        {"bos_token": {"content": "<s>"}, "eos_token": null,
         "chat_template": "{{ bos_token }}{{ eos_token }}{{ enable_thinking }}"}
        """);
    assertEquals(
        "<s>yes", ChatTemplate.open(folder).render(HELLO, true, Map.of("enable_thinking", "yes")));
    Files.writeString(
        settings,
        """
        {"chat_template": [{"name": "tool_use", "template": "no"},
                           {"name": "default", "template": "default"}]}
        """);
    assertEquals("default", ChatTemplate.open(folder).render(HELLO, true, Map.of()));
  }
}
