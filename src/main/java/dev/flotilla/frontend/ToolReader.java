package dev.flotilla.frontend;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flotilla.grammar.GrammarException;
import dev.flotilla.grammar.Grammars;
import dev.flotilla.protocol.Grammar;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a chat request says of tools: {@code tools}, {@code tool_choice}, {@code
 * parallel_tool_calls}, and the calls in its messages. Safe for use by several threads.
 */
final class ToolReader {
  /** The prompt holds each tool's description; more fit no model. */
  private static final int TOOLS_MAX = 512;

  private static final int NAME_CHARS_MAX = 256;
  private static final TypeReference<Map<String, Object>> MAP = new TypeReference<>() {};

  private ToolReader() {}

  /**
   * How the answer may call tools.
   *
   * @throws ApiException naming the field
   */
  static ToolChoice choice(Fields fields, boolean chat) {
    ArrayNode tools = tools(fields);
    JsonNode wanted = fields.get("tool_choice");
    boolean parallel = fields.flag("parallel_tool_calls", true);
    if (!chat && !tools.isEmpty()) {
      throw ApiException.badValue("tools", "tools are a field of chat completions");
    }
    if (wanted == null || wanted.isTextual()) {
      String name = wanted == null ? "auto" : wanted.textValue();
      return switch (name) {
        case "none" -> ToolChoice.NONE;
        case "auto" -> tools.isEmpty() ? ToolChoice.NONE : new ToolChoice(true, parallel, null);
        case "required" -> new ToolChoice(true, parallel, forced(some(tools), parallel));
        default -> throw wrongChoice(wanted);
      };
    }
    JsonNode name = wanted.path("function").path("name");
    if (!wanted.path("type").asText().equals("function") || !name.isTextual()) {
      throw wrongChoice(wanted);
    }
    for (JsonNode tool : some(tools)) {
      if (tool.at("/function/name").equals(name)) {
        return new ToolChoice(
            true, false, forced(Fields.MAPPER.createArrayNode().add(tool), false));
      }
    }
    throw ApiException.badValue(
        "tool_choice", "tool_choice names %s, which is none of the tools".formatted(name));
  }

  private static ApiException wrongChoice(@Nullable JsonNode came) {
    return ApiException.badValue(
        "tool_choice",
        "tool_choice must be none, auto, required or {\"type\": \"function\", \"function\":"
            + " {\"name\": …}}, not "
            + came);
  }

  private static ArrayNode some(ArrayNode tools) {
    if (tools.isEmpty()) {
      throw ApiException.badValue("tools", "tools must be given for this tool_choice");
    }
    return tools;
  }

  private static Grammar forced(ArrayNode tools, boolean parallel) {
    ObjectNode text = Fields.MAPPER.createObjectNode();
    ArrayNode wanted = text.putArray("tools");
    for (JsonNode tool : tools) {
      ObjectNode one = wanted.addObject();
      one.set("name", tool.at("/function/name"));
      if (tool.at("/function").hasNonNull("parameters")) {
        one.set("parameters", tool.at("/function/parameters"));
      }
    }
    text.put("parallel", parallel);
    String json = text.toString();
    if (json.length() > Grammar.TEXT_MAX) {
      throw ApiException.badValue(
          "tools",
          "tools that are forced may have %d characters, not %d"
              .formatted(Grammar.TEXT_MAX, json.length()));
    }
    Grammar grammar = new Grammar(Grammar.Kind.TOOL_CALLS, json);
    try {
      Grammars.check(grammar);
    } catch (GrammarException e) {
      throw ApiException.badValue("tools", String.valueOf(e.getMessage()));
    }
    return grammar;
  }

  /** The tools as the template reads them; null if there are none. */
  static @Nullable List<Object> forTemplate(Fields fields) {
    ArrayNode tools = tools(fields);
    return tools.isEmpty()
        ? null
        : Fields.MAPPER.convertValue(tools, new TypeReference<List<Object>>() {});
  }

  private static ArrayNode tools(Fields fields) {
    JsonNode given = fields.get("tools");
    if (given == null) {
      return Fields.MAPPER.createArrayNode();
    }
    if (!(given instanceof ArrayNode tools)) {
      throw Fields.wrong("tools", "a list of tools", given);
    }
    if (tools.size() > TOOLS_MAX) {
      throw ApiException.badValue(
          "tools", "tools may hold %d tools, not %d".formatted(TOOLS_MAX, tools.size()));
    }
    for (int i = 0; i < tools.size(); i++) {
      tool("tools[%d]".formatted(i), tools.get(i));
    }
    return tools;
  }

  private static void tool(String place, JsonNode tool) {
    if (!tool.path("type").asText().equals("function")) {
      throw ApiException.badValue(
          "tools", place + ".type must be function: no other tools are supported");
    }
    JsonNode function = tool.get("function");
    if (function == null || !function.isObject()) {
      throw ApiException.badValue("tools", place + ".function must be an object");
    }
    JsonNode name = function.path("name");
    int length = name.asText().length();
    if (!name.isTextual() || length == 0 || length > NAME_CHARS_MAX) {
      throw ApiException.badValue(
          "tools",
          "%s.function.name must be a string of 1 to %d characters"
              .formatted(place, NAME_CHARS_MAX));
    }
    JsonNode parameters = function.path("parameters");
    if (!parameters.isObject() && !parameters.isNull() && !parameters.isMissingNode()) {
      throw ApiException.badValue(
          "tools", place + ".function.parameters must be a JSON Schema (an object)");
    }
    JsonNode description = function.path("description");
    if (!description.isTextual() && !description.isNull() && !description.isMissingNode()) {
      throw ApiException.badValue("tools", place + ".function.description must be a string");
    }
  }

  /**
   * The calls of an assistant's message as templates expect them, arguments as values instead of
   * their JSON; null if there are none.
   *
   * @param place of the message, for errors
   */
  static @Nullable List<Object> calls(String place, ObjectNode message) {
    JsonNode calls = message.path("tool_calls");
    if (calls.isMissingNode() || calls.isNull()) {
      return null;
    }
    if (!calls.isArray()) {
      throw Fields.wrong(place + ".tool_calls", "a list of calls", calls);
    }
    List<Object> read = new ArrayList<>();
    for (JsonNode call : calls) {
      read.add(call("%s.tool_calls[%d]".formatted(place, read.size()), call));
    }
    return read.isEmpty() ? null : read;
  }

  private static Map<String, Object> call(String place, JsonNode call) {
    JsonNode name = call.path("function").path("name");
    if (!name.isTextual() || name.asText().isEmpty()) {
      throw ApiException.badValue(
          place + ".function.name", place + ".function.name must be a string");
    }
    Map<String, Object> read = Fields.MAPPER.convertValue(call, MAP);
    Map<String, Object> function =
        new LinkedHashMap<>(Fields.MAPPER.convertValue(call.path("function"), MAP));
    JsonNode arguments = call.path("function").path("arguments");
    function.put("arguments", arguments(place + ".function.arguments", arguments));
    read.put("function", function);
    return read;
  }

  private static Object arguments(String place, JsonNode given) {
    JsonNode arguments = given;
    if (given.isMissingNode()
        || given.isNull()
        || (given.isTextual() && given.asText().isBlank())) {
      return Map.of();
    }
    if (given.isTextual()) {
      try {
        arguments = Fields.MAPPER.readTree(given.textValue());
      } catch (JsonProcessingException e) {
        throw ApiException.badValue(
            place, "%s must hold JSON: %s".formatted(place, e.getOriginalMessage()));
      }
    }
    if (!arguments.isObject()) {
      throw Fields.wrong(place, "a JSON object or its text", arguments);
    }
    return Fields.MAPPER.convertValue(arguments, MAP);
  }
}
