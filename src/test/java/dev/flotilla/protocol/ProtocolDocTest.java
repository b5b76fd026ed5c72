package dev.flotilla.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The contract in {@code protocol.md} says what the code does. */
class ProtocolDocTest {
  private static final Path DOCUMENT =
      Path.of(System.getProperty("flotilla.basedir", "."), "src/site/markdown/protocol.md");
  private static final Pattern ADDRESS = Pattern.compile("`(flotilla\\.v1\\.[a-z<>.]+)`");

  /** The cells of the table under a heading, without its head. */
  private static List<List<String>> table(String heading) throws IOException {
    List<List<String>> rows = new ArrayList<>();
    boolean under = false;
    for (String line : Files.readAllLines(DOCUMENT)) {
      if (line.startsWith("## ")) {
        under = line.equals("## " + heading);
      } else if (under && line.startsWith("| `")) {
        rows.add(Arrays.stream(line.substring(1).split("\\|", -1)).map(String::strip).toList());
      }
    }
    assertFalse(rows.isEmpty(), "no table under " + heading);
    return rows;
  }

  @Test
  void everyMessageHasItsRow() throws IOException {
    Map<String, String> documented = new TreeMap<>();
    for (List<String> row : table("Messages")) {
      documented.put(row.get(0).replace("`", ""), row.get(1));
      assertEquals("1", row.get(2), "since");
      for (String cell : row.subList(0, 7)) {
        assertFalse(cell.isEmpty(), () -> "an empty cell in " + row);
      }
    }
    Map<String, String> typed = new TreeMap<>();
    for (FrameType type : FrameType.values()) {
      Class<?> message = type.message;
      typed.put(
          message.getDeclaringClass().getSimpleName() + "." + message.getSimpleName(),
          "0x%02x".formatted(type.id));
    }
    assertEquals(typed, documented);
  }

  @Test
  void everyAddressIsListedAndEveryMessageGoesToOneOfThem() throws Exception {
    Set<String> listed = new TreeSet<>();
    for (List<String> row : table("Addresses")) {
      Matcher name = ADDRESS.matcher(row.get(0));
      assertTrue(name.matches(), () -> row.get(0));
      listed.add(name.group(1));
    }
    Incarnation incarnation = new Incarnation("i");
    Set<String> built = new TreeSet<>();
    built.add(
        Addresses.engine(new Rank(7), incarnation).name().replace("7.i", "<rank>.<incarnation>"));
    built.add(Addresses.candidate(incarnation).name().replace(".i", ".<incarnation>"));
    built.add(Addresses.frontend(new FrontendId("X")).name().replace("X", "<id>"));
    built.add(Addresses.coordinator(new NodeId("X")).name().replace("X", "<id>"));
    built.add(Addresses.node(new NodeId("X")).name().replace("X", "<id>"));
    for (var field : Addresses.class.getDeclaredFields()) {
      if (Modifier.isPublic(field.getModifiers())) {
        built.add(String.valueOf(field.get(null)));
      }
    }
    assertEquals(built, listed);

    Set<String> unknown = new HashSet<>();
    for (List<String> row : table("Messages")) {
      for (String address : row.get(4).split(", ", -1)) {
        String full = "flotilla.v1." + address.replace("`", "");
        if (!listed.contains(full)) {
          unknown.add(full);
        }
      }
    }
    assertEquals(Set.of(), unknown);
  }

  @Test
  void thePublicMethodsOfAddressesAreAllCoveredAbove() {
    long factories =
        Arrays.stream(Addresses.class.getDeclaredMethods())
            .filter(m -> Modifier.isPublic(m.getModifiers()))
            .count();
    assertEquals(5, factories, "a new kind of address needs a row in protocol.md and a line here");
  }
}
