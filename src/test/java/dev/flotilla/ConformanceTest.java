package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The table in {@code conformance.md} names, for every acceptance scenario, the tests that carry
 * its number as {@link Scenario}. {@code -Dconformance.write=true} fills in the tests' column.
 */
class ConformanceTest {
  private static final Path DOCUMENT =
      SourceFormat.root().resolve("src/site/markdown/conformance.md");
  private static final Pattern MARKED =
      Pattern.compile(
          "@Scenario\\(([^)]*)\\)\\s*(?:@\\w+(?:\\([^)]*\\))?\\s*)*(?:static )?(?:void|<\\w+> void) (\\w+)\\(");
  private static final Pattern NUMBER = Pattern.compile("\"(A\\d+)\"");
  private static final Pattern ROW = Pattern.compile("\\| (A\\d+) \\| ([^|]+) \\| ([^|]*)\\|");

  /** Tests by scenario, as {@code Class.method}, in alphabetical order. */
  private static Map<String, List<String>> marked() throws IOException {
    Map<String, List<String>> tests = new TreeMap<>();
    for (Path file : SourceFormat.sources()) {
      if (!file.toString().contains("/test/")) {
        continue;
      }
      String type = file.getFileName().toString().replace(".java", "");
      Matcher mark = MARKED.matcher(Files.readString(file));
      while (mark.find()) {
        Matcher number = NUMBER.matcher(mark.group(1));
        while (number.find()) {
          tests
              .computeIfAbsent(number.group(1), ignored -> new ArrayList<>())
              .add("`" + type + "." + mark.group(2) + "`");
        }
      }
    }
    tests.values().forEach(names -> names.sort(null));
    return tests;
  }

  @Test
  void everyScenarioHasItsTestsInTheTable() throws IOException {
    Map<String, List<String>> tests = marked();
    List<String> wanted = new ArrayList<>();
    List<String> lines = Files.readAllLines(DOCUMENT);
    Map<String, String> listed = new TreeMap<>();
    for (String line : lines) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        listed.put(row.group(1), row.group(3).strip());
        wanted.add(
            "| %s | %s | %s |"
                .formatted(
                    row.group(1),
                    row.group(2),
                    String.join(", ", tests.getOrDefault(row.group(1), List.of()))));
      } else {
        wanted.add(line);
      }
    }
    assertFalse(listed.isEmpty(), "no row in " + DOCUMENT);
    if (Boolean.getBoolean("conformance.write")) {
      Files.write(DOCUMENT, wanted);
      return;
    }
    for (String number : tests.keySet()) {
      assertEquals(true, listed.containsKey(number), number + " has tests but no row");
    }
    listed.forEach((number, names) -> assertFalse(names.isEmpty(), number + " has no test"));
    assertEquals(String.join("\n", wanted), String.join("\n", lines));
  }

  @Test
  void noMarkIsOverlooked() throws IOException {
    int annotations = 0;
    for (Path file : SourceFormat.sources()) {
      boolean own = file.endsWith("ConformanceTest.java") || file.endsWith("Scenario.java");
      if (file.toString().contains("/test/") && !own) {
        Matcher any = Pattern.compile("@Scenario\\(([^)]*)\\)").matcher(Files.readString(file));
        while (any.find()) {
          annotations += (int) NUMBER.matcher(any.group(1)).results().count();
        }
      }
    }
    int found = marked().values().stream().mapToInt(List::size).sum();
    assertEquals(annotations, found, "a mark stands before something that is no test method");
  }

  @Test
  void rowsAreInOrder() throws IOException {
    List<Integer> numbers =
        Files.readAllLines(DOCUMENT).stream()
            .map(ROW::matcher)
            .filter(Matcher::matches)
            .map(row -> Integer.parseInt(row.group(1).substring(1)))
            .toList();
    assertEquals(Arrays.asList(numbers.stream().sorted().distinct().toArray()), numbers);
  }
}
