package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

/** Calls found in text: the same ones however the text is cut. */
class ToolCallParserTest {
  private static final String WEATHER =
      "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Köln\", \"n\": [1, -2.5e3]}}\n"
          + "</tool_call>";
  private static final String ARGUMENTS = "{\"city\": \"Köln\", \"n\": [1, -2.5e3]}";
  private static final String ADD =
      "<tool_call>{\"arguments\":{\"a\":{\"b\":\"</tool_call>}\\\"\"}},\"name\":\"add\"}</tool_call>";
  private static final String ADD_ARGUMENTS = "{\"a\":{\"b\":\"</tool_call>}\\\"\"}}";

  /** What all pieces make together, each call as name and arguments, unfinished ones with dots. */
  private static String all(boolean eager, boolean parallel, List<String> pieces) {
    ToolCallParser parser = new ToolCallParser(eager, parallel);
    StringBuilder content = new StringBuilder();
    List<ToolDelta> calls = new ArrayList<>();
    List<ToolCallParser.Found> found = new ArrayList<>();
    pieces.forEach(p -> found.add(parser.append(p)));
    found.add(parser.finish());
    for (ToolCallParser.Found one : found) {
      content.append(one.content());
      for (ToolDelta delta : one.deltas()) {
        assertEquals(delta.index() == calls.size(), delta.name() != null, "name comes first");
        if (delta.name() != null) {
          calls.add(delta);
        } else {
          calls.set(delta.index(), calls.get(delta.index()).with(delta));
        }
      }
    }
    StringBuilder out = new StringBuilder(content);
    for (ToolDelta call : calls) {
      out.append("|").append(call.name()).append(call.arguments()).append(call.last() ? "" : "…");
    }
    return out.toString();
  }

  private static String whole(String text) {
    return all(false, true, List.of(text));
  }

  private static String eager(String text) {
    return all(true, true, List.of(text));
  }

  @Test
  void findsCallsBetweenText() {
    assertEquals("no call", whole("no call"));
    assertEquals("|weather" + ARGUMENTS, whole(WEATHER));
    assertEquals("|weather" + ARGUMENTS, whole("\n " + WEATHER + "\n"));
    assertEquals("Let me see.\n|weather" + ARGUMENTS, whole("Let me see.\n" + WEATHER));
    assertEquals(
        "before  after|weather" + ARGUMENTS + "|add" + ADD_ARGUMENTS,
        whole("before " + WEATHER + "\n" + ADD + " after\n"));
    assertEquals("|now{}", whole("<tool_call>{\"name\": \"now\"}</tool_call>"));
    assertEquals("|now{}", whole("<tool_call>{\"id\": 1, \"name\": \"now\"} </tool_call>"));
  }

  @Test
  void keepsBlanksWhereThereIsNoCall() {
    assertEquals(" \n", whole(" \n"));
    assertEquals(" a < b <tool <tool_calls> \n", whole(" a < b <tool <tool_calls> \n"));
    assertEquals("<tool_call", whole("<tool_call"));
    assertEquals("<<tool_cal", whole("<<tool_cal"));
  }

  @Test
  void takesAnObjectWithoutItsClosingTag() {
    assertEquals("|now{}", whole("<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n"));
    assertEquals("|now{}", eager("<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n"));
  }

  @Test
  void whatIsNoCallIsText() {
    for (String broken :
        List.of(
            "<tool_call>",
            "<tool_call>\n</tool_call>",
            "<tool_call>now()</tool_call>",
            "<tool_call>[]</tool_call>",
            "<tool_call>{}</tool_call>",
            "<tool_call>{\"name\": \"\"}</tool_call>",
            "<tool_call>{\"name\": 5}</tool_call>",
            "<tool_call>{\"name\": null, \"arguments\": {}}</tool_call>",
            "<tool_call>{\"arguments\": {}}</tool_call>",
            "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>",
            "<tool_call>{\"name\": \"f\", \"arguments\": \"{}\"}</tool_call>",
            "<tool_call>{\"name\": \"f\" \"arguments\": {}}</tool_call>",
            "<tool_call>{\"name\": \"f\", \"x\": 01, \"arguments\": {}}</tool_call>",
            "<tool_call>{\"name\": \"f\", \"x\": trui}</tool_call>",
            "<tool_call>{\"name\": \"f\nf\"}</tool_call>",
            "<tool_call>{\"name\": \"f\\x\"}</tool_call>",
            "<tool_call>{\"name\": \"f\", \"name\": \"g\"}</tool_call>",
            "<tool_call>{'name': 'f'}</tool_call>",
            "<tool_call>{\"name\": \"f\",}</tool_call>")) {
      assertEquals(broken, whole(broken));
      assertEquals(broken, eager(broken));
      assertEquals(broken + " |weather" + ARGUMENTS, whole(broken + " " + WEATHER));
    }
  }

  @Test
  void aCallThatBreaksLateIsTextUnlessItWasStreamed() {
    String late = "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1]}</tool_call>";
    assertEquals(late, whole(late));
    assertEquals("]}</tool_call>|f{\"a\": 1…", eager(late));
    String cut = "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": ";
    assertEquals(cut, whole(cut));
    assertEquals("|f{\"a\": …", eager(cut));
    String behind = "<tool_call>{\"name\": \"f\", \"arguments\": {}} x</tool_call>";
    assertEquals(behind, whole(behind));
  }

  @Test
  void dropsFurtherCallsIfOnlyOneIsWanted() {
    assertEquals("|weather" + ARGUMENTS, all(false, false, List.of(WEATHER + "\n" + ADD + ADD)));
    assertEquals("|weather" + ARGUMENTS, all(true, false, List.of(WEATHER + "\n" + ADD)));
  }

  @Test
  void streamsTheNameFirstAndArgumentsAsTheyCome() {
    ToolCallParser parser = new ToolCallParser(true, true);
    assertEquals(List.of(), parser.append("<tool_call>\n{\"name\": \"f\", \"argu").deltas());
    assertEquals(
        List.of(new ToolDelta(0, null, "f", "{", false)), parser.append("ments\": {").deltas());
    assertEquals(
        List.of(new ToolDelta(0, null, null, "\"a\": 1", false)),
        parser.append("\"a\": 1").deltas());
    assertEquals(
        List.of(new ToolDelta(0, null, null, "}", false)), parser.append("}}\n</tool").deltas());
    assertEquals(List.of(new ToolDelta(0, null, null, "", true)), parser.append("_call>").deltas());
    assertEquals(new ToolCallParser.Found("", List.of()), parser.finish());
  }

  @Test
  void cutsInTwoChangeNothing() {
    for (String text :
        List.of(
            "Let me see.\n" + WEATHER + "\n" + ADD + " done",
            "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1]}</tool_call> " + WEATHER,
            "a <tool_call>\n{bad} " + ADD + "<tool_call>",
            "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"<tool_call>\n")) {
      for (boolean eager : new boolean[] {false, true}) {
        String expected = all(eager, true, List.of(text));
        for (int i = 0; i <= text.length(); i++) {
          List<String> cut = List.of(text.substring(0, i), text.substring(i));
          assertEquals(expected, all(eager, true, cut), text.substring(0, i));
        }
        assertEquals(
            expected, all(eager, true, text.chars().mapToObj(Character::toString).toList()));
      }
    }
  }

  @Test
  void randomTextsAndCutsChangeNothing() {
    String[] parts = {
      WEATHER,
      ADD,
      "<tool_call>",
      "</tool_call>",
      "{\"name\": \"f\"",
      ", \"arguments\": ",
      "{",
      "}",
      "\"",
      "a",
      " ",
      "\n",
      "<",
      "[1, 2",
      "]",
      ",",
      ":",
      "tool_call>",
      "\\u00e9",
      "-1.5",
      "true"
    };
    for (long seed = 0; seed < 3000; seed++) {
      RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      StringBuilder text = new StringBuilder();
      int count = random.nextInt(1, 14);
      for (int i = 0; i < count; i++) {
        text.append(parts[random.nextInt(parts.length)]);
      }
      List<String> pieces = new ArrayList<>();
      int at = 0;
      while (at < text.length()) {
        int end = Math.min(text.length(), at + random.nextInt(1, 9));
        pieces.add(text.substring(at, end));
        at = end;
      }
      for (boolean eager : new boolean[] {false, true}) {
        String expected = all(eager, true, List.of(text.toString()));
        assertEquals(expected, all(eager, true, pieces), "seed %d: %s".formatted(seed, text));
      }
    }
  }

  @Test
  void manyOpenedCallsCostLittle() {
    String nested = "<tool_call>{\"a\":\"".repeat(1500);
    assertTrue(whole(nested + "\n" + WEATHER).endsWith("|weather" + ARGUMENTS));
  }
}
