package dev.flotilla.frontend;

import dev.flotilla.protocol.Machine;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Looks for stop strings in one stream of text and holds back what may still become one, so that a
 * stop string is found across token borders and none of it is ever sent. Used by one thread.
 */
final class StopStrings implements Machine {
  private final List<String> stops;
  private final boolean include;
  private final int longest;
  private String held = "";
  private @Nullable String matched;

  /**
   * Over the given strings.
   *
   * @param include whether the stop string itself is part of the text
   */
  StopStrings(List<String> stops, boolean include) {
    this.stops = List.copyOf(stops);
    this.include = include;
    this.longest = stops.stream().mapToInt(String::length).max().orElse(0);
  }

  /** The stop string that came; null as long as none did. */
  @Nullable String matched() {
    return matched;
  }

  /** The text that became certain with this piece; once a stop string has come, nothing follows. */
  String append(String piece) {
    if (longest == 0) {
      return piece;
    }
    if (matched != null || piece.isEmpty()) {
      return "";
    }
    String text = held.isEmpty() ? piece : held + piece;
    int at = -1;
    for (String stop : stops) {
      int found = text.indexOf(stop);
      if (found >= 0 && (at < 0 || found < at)) {
        at = found;
        matched = stop;
      }
    }
    if (matched != null) {
      held = "";
      return text.substring(0, include ? at + matched.length() : at);
    }
    int keep = undecided(text);
    held = text.substring(text.length() - keep);
    return text.substring(0, text.length() - keep);
  }

  /** What was held back, when the stream ends without a stop string. */
  String finish() {
    String rest = held;
    held = "";
    return rest;
  }

  private int undecided(String text) {
    for (int length = Math.min(longest - 1, text.length()); length > 0; length--) {
      for (String stop : stops) {
        if (length < stop.length() && text.endsWith(stop.substring(0, length))) {
          return length;
        }
      }
    }
    return 0;
  }
}
