package dev.flotilla.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Grammar;
import org.junit.jupiter.api.Test;

/** What a forced call may look like. */
class ToolCallGrammarTest {
  private static Grammar calls(boolean parallel) {
    return new Grammar(
        Grammar.Kind.TOOL_CALLS,
        "{\"tools\":[{\"name\":\"now\"},{\"name\":\"add\",\"parameters\":{\"type\":\"object\","
            + "\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}}],"
            + "\"parallel\":"
            + parallel
            + "}");
  }

  private static String call(String name, String arguments) {
    return "<tool_call>\n{\"name\": \"%s\", \"arguments\": %s}\n</tool_call>"
        .formatted(name, arguments);
  }

  @Test
  void takesCallsOfTheToolsAndNothingElse() {
    for (boolean parallel : new boolean[] {false, true}) {
      Grammar grammar = calls(parallel);
      assertTrue(Texts.accepts(grammar, call("now", "{}")));
      assertTrue(Texts.accepts(grammar, call("add", "{\"a\": 5}")));
      assertFalse(Texts.accepts(grammar, call("add", "{\"a\": \"5\"}")));
      assertFalse(Texts.accepts(grammar, call("other", "{}")));
      assertFalse(Texts.accepts(grammar, ""));
      assertFalse(Texts.accepts(grammar, "now"));
      String two = call("now", "{}") + "\n" + call("add", "{\"a\": -1}");
      assertEquals(parallel, Texts.accepts(grammar, two));
    }
  }
}
