package dev.flotilla.grammar;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.BooleanNode;
import dev.flotilla.protocol.Grammar;

/** Compiles grammars. Safe for use by several threads. */
public final class Grammars {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private static final String CALL = "<tool_call>\n{\"name\":";

  private Grammars() {}

  /**
   * Says whether an engine can honour the grammar. Costs as much as compiling it: a millisecond for
   * most, some hundred at worst.
   *
   * @throws GrammarException with a sentence for the client if not
   */
  public static void check(Grammar grammar) {
    compile(grammar);
  }

  static Network compile(Grammar grammar) {
    NetworkBuilder net = new NetworkBuilder();
    int start = net.node();
    int end =
        switch (grammar.kind()) {
          case JSON_OBJECT -> new Schema(BooleanNode.TRUE, net).anyObject(start);
          case JSON_SCHEMA -> schema(net, start, grammar.text());
          case REGEX ->
              net.text(
                  start,
                  CharNfa.of(RegexParser.parse(grammar.text(), "regex"), "regex"),
                  NetworkBuilder.Writing.PLAIN);
          case CHOICE -> choice(net, start, grammar.text());
          case TOOL_CALLS -> calls(net, start, grammar.text());
        };
    net.end(end);
    Network network = net.build(start);
    int need = network.needs[start];
    if (need >= Network.DEPTH_MAX) {
      String keyword = grammar.kind() == Grammar.Kind.REGEX ? "regex" : "$ref";
      throw new GrammarException(
          keyword,
          need >= Network.NEVER
              ? "'%s': the grammar can never be fulfilled, since no text of finite length matches"
                  .formatted(keyword)
              : "'%s': the grammar nests more than %d levels"
                  .formatted(keyword, Network.DEPTH_MAX));
    }
    return network;
  }

  private static JsonNode read(String text, String what) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new GrammarException(
          what, "%s is not JSON: %s".formatted(what, e.getOriginalMessage()));
    }
  }

  private static int schema(NetworkBuilder net, int from, String text) {
    JsonNode root = read(text, "json_schema");
    return new Schema(root, net).value(from, root, SchemaPlace.ROOT);
  }

  private static int choice(NetworkBuilder net, int from, String text) {
    JsonNode choices = read(text, "choice");
    if (!choices.isArray() || choices.isEmpty()) {
      throw new GrammarException("choice", "choice must be an array of strings that is not empty");
    }
    int to = net.node();
    for (JsonNode option : choices) {
      if (!option.isTextual()) {
        throw new GrammarException("choice", "choice may hold strings only, not " + option);
      }
      net.empty(net.literal(from, option.textValue()), to);
    }
    return to;
  }

  private static int calls(NetworkBuilder net, int from, String text) {
    JsonNode wanted = read(text, "tools");
    JsonNode tools = wanted.path("tools");
    if (!tools.isArray() || tools.isEmpty()) {
      throw new GrammarException("tools", "tools must name a tool at least");
    }
    int call = net.node();
    net.empty(from, call);
    int to = net.node();
    for (int i = 0; i < tools.size(); i++) {
      JsonNode tool = tools.get(i);
      JsonNode parameters = tool.path("parameters");
      int name = net.optionalSpace(net.literal(call, CALL));
      int comma = JsonText.comma(net, net.literal(name, tool.path("name").toString()));
      int arguments = JsonText.colon(net, net.literal(comma, "\"arguments\""));
      // References within a tool's parameters start at the parameters.
      Schema schemas = new Schema(parameters, net);
      int end =
          parameters.isMissingNode() || parameters.isNull()
              ? schemas.anyObject(arguments)
              : schemas.value(arguments, parameters, SchemaPlace.ROOT);
      net.empty(net.literal(end, "}\n</tool_call>"), to);
    }
    if (wanted.path("parallel").asBoolean()) {
      net.empty(net.literal(to, "\n"), call);
    }
    return to;
  }
}
