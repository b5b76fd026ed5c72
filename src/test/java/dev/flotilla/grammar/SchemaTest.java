package dev.flotilla.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Grammar;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Schemas against an independent validator, by random walks; and what is refused, by its name. */
class SchemaTest {

  @Test
  void everyTextOfAGrammarIsValid() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(3);
    for (Grammar grammar : Cases.ALL) {
      Automaton automaton = Texts.automaton(grammar);
      int made = 0;
      for (int i = 0; i < 40; i++) {
        String text = Texts.random(automaton, random, 4000);
        if (text != null) {
          made++;
          assertEquals("", Cases.fault(grammar, text), () -> grammar + " made " + text);
        }
      }
      assertTrue(made > 20, grammar::toString);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}},\"required\":[\"b\"]}; {\"a\": 1, \"b\": \"x\"}; true",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}},\"required\":[\"b\"]}; {\"b\":\"\\u00e9\\n\"}; true",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}},\"required\":[\"b\"]}; {\"a\":1}; false",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}; {}; true",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}; {\"c\":1}; false",
        "{\"type\":\"object\",\"properties\":{\"ab\":{\"type\":\"integer\"}},\"additionalProperties\":true}; {\"ab\":1,\"a\":[{}],\"abc\":\"x\"}; true",
        "{\"type\":\"object\",\"properties\":{\"ab\":{\"type\":\"integer\"}},\"additionalProperties\":true}; {\"ab\":\"x\"}; false",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2}; [1]; false",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2}; [1, 2,3]; true",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"maxItems\":0}; []; true",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"maxItems\":2}; [1,2,3]; false",
        "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":12}; -5; true",
        "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":12}; 12; true",
        "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":12}; 13; false",
        "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":12}; -6; false",
        "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":12}; -0; false",
        "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":12}; 007; false",
        "{\"type\":\"number\",\"exclusiveMinimum\":0.25,\"maximum\":10}; 0.25; false",
        "{\"type\":\"number\",\"exclusiveMinimum\":0.25,\"maximum\":10}; 0.2500001; true",
        "{\"type\":\"number\",\"exclusiveMinimum\":0.25,\"maximum\":10}; 10.0; true",
        "{\"type\":\"number\",\"exclusiveMinimum\":0.25,\"maximum\":10}; 10.01; false",
        "{\"type\":\"number\",\"minimum\":-1.5}; -1.50; true",
        "{\"type\":\"number\",\"minimum\":-1.5}; -1.51; false",
        "{\"type\":\"number\"}; -12.5e-3; true",
        "{\"type\":\"string\",\"maxLength\":2}; \"\\\"\\u00e9\"; true",
        "{\"type\":\"string\",\"maxLength\":2}; \"abc\"; false",
        "{\"type\":\"string\",\"pattern\":\"b\"}; \"abc\"; true",
        "{\"type\":\"string\",\"pattern\":\"^b\"}; \"abc\"; false",
        "{\"const\":{\"a\":[1,\"x\"]}}; {\"a\":[1,\"x\"]}; true",
        "true; [null,{\"a\":-1.5e3,\"a\":{}}]; true",
        "{}; \"x\"; true",
        "{\"properties\":{\"a\":{}}}; {\"a\":[[[]]]}; true",
      })
  void documentsAreTakenOrNot(String schema, String document, boolean taken) {
    assertEquals(taken, Texts.accepts(Cases.schema(schema), document));
  }

  /**
   * The validator at hand knows the top-level domains of its day, so that mail is held otherwise.
   */
  @Test
  void everyMailAddressHasItsForm() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(4);
    Automaton automaton =
        Texts.automaton(Cases.schema("{\"type\":\"string\",\"format\":\"email\"}"));
    for (int i = 0; i < 100; i++) {
      String text = String.valueOf(Texts.random(automaton, random, 1000));
      assertTrue(text.matches("\"[\\w.-]+@(?!-)[\\w-]+(\\.[\\w-]+)*\\.[a-z]{2,}\""), text);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "date",
        "time",
        "date-time",
        "duration",
        "uuid",
        "hostname",
        "ipv4",
        "ipv6",
        "uri"
      })
  void everyTextOfAFormatIsOfThatFormat(String format) {
    Grammar grammar = Cases.schema("{\"type\":\"string\",\"format\":\"%s\"}".formatted(format));
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(4);
    Automaton automaton = Texts.automaton(grammar);
    for (int i = 0; i < 100; i++) {
      String text = Texts.random(automaton, random, 1000);
      assertEquals("", Cases.fault(grammar, String.valueOf(text)), () -> format + ": " + text);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "not; {\"not\":{}}",
        "if; {\"type\":\"object\",\"if\":{},\"then\":{}}",
        "patternProperties; {\"patternProperties\":{\"a\":{}}}",
        "uniqueItems; {\"type\":\"array\",\"uniqueItems\":true}",
        "contains; {\"type\":\"array\",\"contains\":{}}",
        "format; {\"type\":\"string\",\"format\":\"iri\"}",
        "multipleOf; {\"type\":\"number\",\"multipleOf\":0.3}",
        "oneOf; {\"oneOf\":[{\"type\":\"number\"},{\"type\":\"integer\"}]}",
        "$ref; {\"$ref\":\"https://example.com/schema\"}",
        "$ref; {\"$ref\":\"#/$defs/none\"}",
        "$ref; {\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}},\"$ref\":\"#/$defs/a\"}",
        "$ref; {\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}",
        "pattern; {\"type\":\"string\",\"pattern\":\"(?=a)\"}",
        "pattern; {\"type\":\"string\",\"pattern\":\"^a{5}$\",\"maxLength\":3}",
        "type; {\"type\":\"text\"}",
        "minLength; {\"type\":\"string\",\"minLength\":5,\"maxLength\":4}",
        "minLength; {\"type\":\"string\",\"minLength\":-1}",
        "minimum; {\"type\":\"integer\",\"minimum\":5,\"maximum\":4}",
        "minItems; {\"type\":\"array\",\"minItems\":5,\"maxItems\":4}",
        "required; {\"type\":\"object\",\"required\":[\"a\"],\"additionalProperties\":false}",
        "enum; {\"enum\":[]}",
        "minLength; {\"enum\":[\"a\"],\"minLength\":1}",
        "maxLenght; {\"type\":\"string\",\"maxLenght\":1}",
        "false; {\"type\":\"object\",\"properties\":{\"a\":{\"anyOf\":[false]}}}",
        "json_schema; {\"type\":",
        "schema; 7",
      })
  void whatCannotBeHonouredIsNamed(String keyword, String schema) {
    GrammarException refused =
        assertThrows(GrammarException.class, () -> Grammars.check(Cases.schema(schema)));
    assertEquals(keyword, refused.keyword(), refused::getMessage);
    assertTrue(String.valueOf(refused.getMessage()).contains(keyword), () -> refused.getMessage());
  }

  @Test
  void anyObjectNestsAndEnds() {
    Grammar grammar = Grammar.jsonObject();
    assertTrue(Texts.accepts(grammar, "{\"a\": {\"b\": [1, {\"c\": null}]}, \"\": \"😀\"}"));
    assertTrue(Texts.accepts(grammar, "{}"));
    assertEquals(false, Texts.accepts(grammar, "[]"));
    assertEquals(false, Texts.accepts(grammar, "{\"a\":1,}"));
    String deep = "{\"a\":".repeat(30) + "1" + "}".repeat(30);
    assertTrue(Texts.accepts(grammar, deep));
    String tooDeep = "{\"a\":".repeat(300) + "1" + "}".repeat(300);
    assertEquals(false, Texts.accepts(grammar, tooDeep));
  }

  @Test
  void toolCallsHaveTheHermesForm() {
    Grammar grammar =
        new Grammar(
            Grammar.Kind.TOOL_CALLS,
            """
            {"tools": [{"name": "weather", "parameters": {"type": "object", "properties":
             {"city": {"type": "string"}}, "required": ["city"]}}, {"name": "now"}], "parallel": true}""");
    String weather =
        "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Bern\"}}\n</tool_call>";
    String now = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";
    assertTrue(Texts.accepts(grammar, weather));
    assertTrue(Texts.accepts(grammar, now + "\n" + weather));
    assertEquals(false, Texts.accepts(grammar, now + now));
    assertEquals(false, Texts.accepts(grammar, weather.replace("city", "town")));
    Grammar single = new Grammar(Grammar.Kind.TOOL_CALLS, grammar.text().replace("true", "false"));
    assertTrue(Texts.accepts(single, now));
    assertEquals(false, Texts.accepts(single, now + "\n" + weather));
  }
}
