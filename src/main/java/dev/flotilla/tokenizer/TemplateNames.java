package dev.flotilla.tokenizer;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds filters and tests in a template that jinjava does not have. Jinjava renders an unknown
 * filter as nothing and takes an unknown test for false, both without an error.
 */
final class TemplateNames {
  private static final Pattern TAG =
      Pattern.compile("\\{#.*?#\\}|\\{\\{.*?\\}\\}|\\{%.*?%\\}", Pattern.DOTALL);
  private static final Pattern STRING =
      Pattern.compile("'(?:\\\\.|[^'\\\\])*'|\"(?:\\\\.|[^\"\\\\])*\"", Pattern.DOTALL);
  private static final Pattern FILTER = Pattern.compile("\\|\\s*([A-Za-z_]\\w*)");
  private static final Pattern TEST = Pattern.compile("\\bis\\s+(?:not\\s+)?([A-Za-z_]\\w*)");

  private TemplateNames() {}

  /** What is unknown, as part of a sentence; null if all is known. */
  static @Nullable String unknown(String template, Set<String> filters, Set<String> tests) {
    Matcher tag = TAG.matcher(template);
    while (tag.find()) {
      if (!tag.group().startsWith("{#")) {
        String code = STRING.matcher(tag.group()).replaceAll("''");
        String filter = unknown(FILTER.matcher(code), filters);
        if (filter != null) {
          return "the filter '%s'".formatted(filter);
        }
        String test = unknown(TEST.matcher(code), tests);
        if (test != null) {
          return "the test '%s'".formatted(test);
        }
      }
    }
    return null;
  }

  private static @Nullable String unknown(Matcher names, Set<String> known) {
    while (names.find()) {
      if (!known.contains(names.group(1))) {
        return names.group(1);
      }
    }
    return null;
  }
}
