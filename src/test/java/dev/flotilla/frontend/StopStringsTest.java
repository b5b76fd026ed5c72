package dev.flotilla.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  private static String all(StopStrings stops, String... pieces) {
    StringBuilder text = new StringBuilder();
    for (String piece : pieces) {
      text.append(stops.append(piece));
    }
    return text.append(stops.finish()).toString();
  }

  @Test
  void findsAStopStringAtEverySplit() {
    String text = "one two END three";
    for (int i = 0; i <= text.length(); i++) {
      for (int j = i; j <= text.length(); j++) {
        StopStrings stops = new StopStrings(List.of("END", "never"), false);
        String kept = all(stops, text.substring(0, i), text.substring(i, j), text.substring(j));
        assertEquals("one two ", kept);
        assertEquals("END", stops.matched());
      }
    }
  }

  @Test
  void givesBackWhatOnlyLookedLikeAStop() {
    StopStrings stops = new StopStrings(List.of("abcd"), false);
    assertEquals("x", stops.append("xab"));
    assertEquals("", stops.append("c"));
    assertEquals("abcx", stops.append("x"));
    assertEquals("", stops.append("ab"));
    assertEquals("ab", stops.finish());
    assertNull(stops.matched());
  }

  @Test
  void holdsBackTheSecondStartOfARepeatingStop() {
    StopStrings stops = new StopStrings(List.of("aab"), false);
    assertEquals("a", all(stops, "a", "a", "a", "b"));
    assertEquals("aab", stops.matched());
  }

  @Test
  void takesTheStopThatStandsFirst() {
    StopStrings stops = new StopStrings(List.of("later", "first"), true);
    assertEquals("a first", all(stops, "a first b later"));
    assertEquals("first", stops.matched());
  }
}
