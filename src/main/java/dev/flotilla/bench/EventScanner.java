package dev.flotilla.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Finds tokens, usage, errors and the end in a stream of server-sent events, at the cost of a few
 * byte comparisons per event: only events without choices are parsed as JSON. A key between bare
 * quotes cannot stand inside a JSON string, so that a byte search for one is exact.
 */
final class EventScanner {
  /** An event holds one token; with 20 log-probabilities it stays far below this. */
  private static final int LINE_BYTES_MAX = 1 << 20;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final byte[] DATA = ascii("data:");
  private static final byte[] DONE = ascii("[DONE]");
  private static final byte[] CHOICES = ascii("\"choices\"");
  private static final byte[] TEXT = ascii("\"text\"");
  private static final byte[] CONTENT = ascii("\"content\"");
  private static final byte[] REASONING = ascii("\"reasoning_content\"");
  private static final byte[] FINISH = ascii("\"finish_reason\"");
  private static final byte[] USAGE = ascii("\"usage\"");

  private final Exchange exchange;
  private final boolean chat;
  private byte[] carry = new byte[512];
  private int carried;

  EventScanner(Exchange exchange, boolean chat) {
    this.exchange = exchange;
    this.chat = chat;
  }

  /** Takes the next bytes of the body, which arrived at {@code now}. */
  void accept(byte[] bytes, int from, int to, long now) {
    int start = from;
    for (int i = from; i < to; i++) {
      if (bytes[i] != '\n') {
        continue;
      }
      if (carried > 0) {
        keep(bytes, start, i);
        line(carry, 0, carried, now);
        carried = 0;
      } else {
        line(bytes, start, i, now);
      }
      start = i + 1;
    }
    if (start < to) {
      keep(bytes, start, to);
    }
  }

  private void keep(byte[] bytes, int from, int to) {
    int length = to - from;
    if (carried + length > LINE_BYTES_MAX) {
      exchange.fail("the server sent an event of more than " + LINE_BYTES_MAX + " bytes");
      return;
    }
    if (carried + length > carry.length) {
      carry = Arrays.copyOf(carry, Math.max(carried + length, carry.length * 2));
    }
    System.arraycopy(bytes, from, carry, carried, length);
    carried += length;
  }

  private void line(byte[] b, int from, int to, long now) {
    int end = to > from && b[to - 1] == '\r' ? to - 1 : to;
    if (!startsWith(b, from, end, DATA)) {
      return;
    }
    int payload = skipSpaces(b, from + DATA.length, end);
    if (startsWith(b, payload, end, DONE)) {
      exchange.done = true;
      return;
    }
    int choices = valueAfter(b, payload, end, CHOICES);
    int inside = choices < end && b[choices] == '[' ? skipSpaces(b, choices + 1, end) : end;
    if (inside >= end || b[inside] == ']') {
      withoutChoices(b, payload, end);
    } else if (carriesToken(b, inside, end)) {
      exchange.arrived(now);
    } else {
      int usage = valueAfter(b, payload, end, USAGE);
      if (usage < end && b[usage] == '{') {
        withoutChoices(b, payload, end);
      }
    }
  }

  /**
   * Whether an event with a choice carries a token. One without text does while the detokeniser
   * holds back an unfinished character; the closing event of a stream and chat's opening role do
   * not.
   */
  private boolean carriesToken(byte[] b, int from, int to) {
    if (filled(b, valueAfter(b, from, to, chat ? CONTENT : TEXT), to)
        || (chat && filled(b, valueAfter(b, from, to, REASONING), to))) {
      return true;
    }
    int finish = valueAfter(b, from, to, FINISH);
    boolean finished = finish < to && b[finish] == '"';
    return !finished && !chat;
  }

  private static boolean filled(byte[] b, int value, int to) {
    return value + 1 < to && b[value] == '"' && b[value + 1] != '"';
  }

  private void withoutChoices(byte[] b, int from, int to) {
    try {
      JsonNode event = JSON.readTree(b, from, to - from);
      String error = errorIn(event);
      if (error != null) {
        exchange.fail("the server broke the stream off: " + error);
      }
      JsonNode usage = event.path("usage");
      if (usage.isObject()) {
        exchange.promptTokens = usage.path("prompt_tokens").asLong(-1);
        exchange.completionTokens = usage.path("completion_tokens").asLong(-1);
      }
    } catch (IOException e) {
      String shown = new String(b, from, Math.min(80, to - from), StandardCharsets.UTF_8);
      exchange.fail("the server sent an event that is not JSON: " + shown);
    }
  }

  /** The message of an error object in one of its two usual shapes, or null. */
  static @Nullable String errorIn(JsonNode event) {
    JsonNode error = event.path("error");
    if (error.isObject()) {
      return error.path("message").asText("no message");
    }
    if (error.isTextual()) {
      return error.asText();
    }
    return event.path("object").asText().equals("error")
        ? event.path("message").asText("no message")
        : null;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static boolean startsWith(byte[] b, int from, int to, byte[] start) {
    return to - from >= start.length
        && Arrays.equals(b, from, from + start.length, start, 0, start.length);
  }

  private static int skipSpaces(byte[] b, int from, int to) {
    int i = from;
    while (i < to && (b[i] == ' ' || b[i] == '\t')) {
      i++;
    }
    return i;
  }

  /** Where the value of the key's first occurrence begins, or {@code to}. */
  private static int valueAfter(byte[] b, int from, int to, byte[] key) {
    byte second = key[1];
    for (int i = from; i <= to - key.length; i++) {
      if (b[i] == '"' && b[i + 1] == second && startsWith(b, i, to, key)) {
        int colon = skipSpaces(b, i + key.length, to);
        if (colon < to && b[colon] == ':') {
          return skipSpaces(b, colon + 1, to);
        }
      }
    }
    return to;
  }
}
