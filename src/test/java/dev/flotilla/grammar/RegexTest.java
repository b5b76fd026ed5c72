package dev.flotilla.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Grammar;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Expressions against java.util.regex, both ways: what is generated, and what is accepted. */
class RegexTest {
  private static final List<String> EXPRESSIONS =
      List.of(
          "abc",
          "a|bc|",
          "(a|b)*abb",
          "a{2,4}b{0,2}c{3}",
          "(ab?){1,3}",
          "[a-fA-F0-9]+",
          "[^a-y\\u0000-\\u001f]{1,3}",
          "\\d{3}-\\d{4}",
          "\\w+@\\w+\\.(com|org)",
          "(?:x|y)(?<name>z)?",
          "^a+$",
          "(^a|b)c$",
          "a$|b",
          "[\\-\\]x]+",
          "\\p{Lu}\\p{Ll}+",
          "[\\u00e4\\u00f6\\u00fc]{2}\\u{1F600}?",
          "\\x41\\t\\.",
          "a{x}",
          "(a*)*b",
          "(a?){20}a{3}",
          ".{2,5}",
          "\\S\\s\\D\\W",
          "x*?y+?");

  private static Grammar regex(String text) {
    return new Grammar(Grammar.Kind.REGEX, text);
  }

  private static Pattern java(String text) {
    return Pattern.compile(
        text.replace("\\u{1F600}", "\\x{1F600}").replace("a{x}", "a\\{x}"), Pattern.DOTALL);
  }

  @Test
  void whatIsGeneratedMatches() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);
    for (String expression : EXPRESSIONS) {
      Automaton automaton = Texts.automaton(regex(expression));
      Pattern pattern = java(expression);
      for (int i = 0; i < 100; i++) {
        String text = generated(Texts.random(automaton, random, 2000));
        assertTrue(pattern.matcher(text).matches(), () -> expression + " made '" + text + "'");
      }
    }
  }

  private static String generated(@Nullable String text) {
    return Objects.requireNonNull(text);
  }

  @Test
  void whatMatchesIsAcceptedAndNothingElse() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(2);
    String alphabet = "aabbccxyz01@.-] \tA\u00e4\u00f6{}";
    for (String expression : EXPRESSIONS) {
      Pattern pattern = java(expression);
      Automaton automaton = Texts.automaton(regex(expression));
      for (int i = 0; i < 2000; i++) {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(8); n > 0; n--) {
          text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        assertEquals(
            pattern.matcher(text).matches(),
            Texts.accepts(automaton, text.toString()),
            () -> expression + " and '" + text + "'");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", "(a)\\1", "\\bword", "(?i)a", "a++", "\\Aa",
            "a**",
        "(a", "a)", "[a", "*a", "\\", "\\p{Greek}", "a{20000}", "(a{1000}){1000}", "[b-a]", "\\u12",
        "\\q", "^*", "(?P=x)", "[]a]", "\\ud800"
      })
  void whatIsBeyondTheDialectIsRefused(String expression) {
    GrammarException refused =
        assertThrows(GrammarException.class, () -> Grammars.check(regex(expression)));
    assertEquals("regex", refused.keyword());
    assertTrue(String.valueOf(refused.getMessage()).startsWith("regex:"), refused::getMessage);
  }

  @Test
  void whatCanNeverMatchIsRefused() {
    assertThrows(GrammarException.class, () -> Grammars.check(regex("a^b")));
    assertThrows(GrammarException.class, () -> Grammars.check(regex("[^\\s\\S]")));
  }
}
