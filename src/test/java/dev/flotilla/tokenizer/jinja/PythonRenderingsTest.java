package dev.flotilla.tokenizer.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Everything that Python's jinja2 has rendered for {@code render_templates.py}: the same text, and
 * an error of the same kind with the same sentence where Python has one.
 */
class PythonRenderingsTest {
  private static final Path FOLDER =
      Path.of(
          Objects.requireNonNull(System.getProperty("flotilla.basedir")),
          "src/test/resources/chat-templates");
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final ZonedDateTime NOW = ZonedDateTime.of(2026, 7, 4, 9, 5, 3, 0, ZoneOffset.UTC);

  /** That a call passes wrong arguments, which Python words after its own functions. */
  private static final Pattern CALL =
      Pattern.compile("^TypeError .*(takes .* argument|missing .*required|expected .* argument)");

  private static JsonNode read(String name) throws Exception {
    return JSON.readTree(Files.readAllBytes(FOLDER.resolve(name)));
  }

  private static Map<String, Object> map(JsonNode json) {
    Map<String, Object> map = new LinkedHashMap<>();
    json.properties()
        .forEach(e -> map.put(e.getKey(), JSON.convertValue(e.getValue(), Object.class)));
    return map;
  }

  /** What Python's own compiler refuses is jinja2's duty here, and has no file. */
  private static String sentence(String kind, String message) {
    return kind.equals("SyntaxError")
        ? "TemplateSyntaxError " + message.replaceFirst(" \\(<template>.*", "")
        : kind + " " + message;
  }

  /** What is different; empty if nothing is. */
  private static String difference(
      JsonNode expected, Supplier<Template> template, Map<String, Object> given) {
    String text;
    try {
      text = "text " + template.get().render(given, NOW);
    } catch (TemplateException e) {
      text = e.kind().pythonName() + " " + e.sentence();
      assertTrue(e.line() > 0, () -> "no line: " + e.sentence());
    }
    String wanted =
        expected.has("text")
            ? "text " + expected.get("text").textValue()
            : sentence(expected.get("error").textValue(), expected.get("message").textValue());
    boolean same = CALL.matcher(wanted).find() ? CALL.matcher(text).find() : text.equals(wanted);
    return same ? "" : "Python %s\n  here %s".formatted(wanted, text);
  }

  @Test
  void rendersConversationsAsPythonDoes() throws Exception {
    JsonNode given = read("conversations.json");
    Map<String, Template> templates = new HashMap<>();
    List<String> wrong = new ArrayList<>();
    JsonNode cases = read("renderings.json");
    for (JsonNode one : cases) {
      String name = one.get("template").textValue();
      if (!templates.containsKey(name)) {
        Path file = FOLDER.resolve("templates/" + name + ".jinja");
        templates.put(name, Template.of(Files.readString(file)));
      }
      Map<String, Object> variables = map(given.get("special"));
      variables.put("tools", null);
      variables.putAll(map(given.at("/conversations/" + one.get("conversation").textValue())));
      variables.putAll(map(given.at("/variants/" + one.get("variant").textValue())));
      String difference =
          difference(one, () -> Objects.requireNonNull(templates.get(name)), variables);
      if (!difference.isEmpty()) {
        wrong.add(
            "%s, %s, %s\n  %s"
                .formatted(name, one.get("conversation"), one.get("variant"), difference));
      }
    }
    assertEquals("", String.join("\n", wrong));
    assertTrue(cases.size() > 600);
  }

  @Test
  void rendersSnippetsAsPythonDoes() throws Exception {
    Map<String, Object> variables = map(read("conversations.json").get("snippets"));
    List<String> wrong = new ArrayList<>();
    JsonNode cases = read("snippets.json");
    for (JsonNode one : cases) {
      String source = one.get("source").textValue();
      String difference = difference(one, () -> Template.of(source), variables);
      if (!difference.isEmpty()) {
        wrong.add(source + "\n  " + difference);
      }
    }
    assertEquals("", String.join("\n", wrong));
    assertTrue(cases.size() > 400);
  }
}
