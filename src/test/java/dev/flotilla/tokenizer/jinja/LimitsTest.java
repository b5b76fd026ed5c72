package dev.flotilla.tokenizer.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.flotilla.tokenizer.jinja.TemplateException.Kind;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A template cannot hold a thread for long nor fill the memory, and says what it may not do. */
class LimitsTest {
  private static final ZonedDateTime NOW = ZonedDateTime.of(2026, 7, 4, 9, 5, 3, 0, ZoneOffset.UTC);

  private static TemplateException failure(String source) {
    return assertTimeoutPreemptively(
        Duration.ofSeconds(30),
        () ->
            assertThrows(
                TemplateException.class,
                () -> Template.of(source).render(Map.of("l", List.of(1, 2)), NOW),
                source));
  }

  @Test
  void endsWhatWouldTakeForEverOrTooMuch() {
    String loop =
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}";
    for (String source :
        List.of(
            loop,
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{{ 'abcdefgh' * 100000000 }}",
            "{{ [1] * 100000000 }}",
            "{{ 10 ** 100000000 }}",
            "{{ ('a' * 10000000) | replace('a', 'b' * 1000) }}",
            "{{ 'a' | center(1000000000) }}",
            "{{ '%1000000000d' % 1 }}",
            "{{ (['a' * 10000000] * 10) | join }}{% for i in range(9) %}{{ 'a' * 9000000 }}{% endfor %}",
            "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s * 2 %}{% endfor %}",
            "{% set ns = namespace(s='a') %}{% for i in range(99999) %}{% set ns.s = ns.s ~ ns.s[:99] ~ 'bc' %}{{ ns.s | length }}{% for c in ns.s %}{% endfor %}{% endfor %}",
            "{{ " + "(".repeat(500) + "1" + ")".repeat(500) + " }}",
            "{{ " + "not ".repeat(5000) + "1 }}",
            "{{ " + "-".repeat(5000) + "1 }}",
            "{% if 1 %}".repeat(500) + "{% endif %}".repeat(500))) {
      assertEquals(Kind.LIMIT, failure(source).kind(), source);
    }
  }

  @Test
  void namesWhatPythonCouldDoAndThisCannot() {
    for (String source :
        List.of(
            "{% include 'a' %}",
            "{% block a %}{% endblock %}",
            "{% for x in l recursive %}{% endfor %}",
            "{{ 'a' | urlize }}",
            "{{ 'a'.encode() }}",
            "{{ lipsum() }}",
            "{{ '{:>5}'.format(1) }}",
            "{{ '%e' % 1.5 }}",
            "{{ '\\N{BULLET}' }}",
            "{{ strftime_now('%Q') }}")) {
      assertEquals(Kind.UNSUPPORTED, failure(source).kind(), source);
    }
  }

  @Test
  void theLineIsThatOfTheFault() {
    assertEquals(4, failure("a\n{{ 1 }}\n{{ [\n'a' + 1\n] }}").line());
    assertEquals(2, failure("{% for x in l %}\n{{ x.y.z }}{% endfor %}").line());
    assertEquals(4, failure("{#\n\n#}\n{% nonsense %}").line());
    assertEquals(3, failure("{% macro m(a) %}\n\n{{ a.b }}{% endmacro %}\n{{ m() }}").line());
  }

  @Test
  void deepChainsOfElifAreNoDepth() {
    String chain = "{% if 0 %}" + "{% elif 0 %}".repeat(300) + "{% else %}x{% endif %}";
    assertEquals("x", Template.of(chain).render(Map.of(), NOW));
  }
}
