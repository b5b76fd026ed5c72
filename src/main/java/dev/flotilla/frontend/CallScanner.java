package dev.flotilla.frontend;

import dev.flotilla.protocol.Machine;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Pattern;

/**
 * Reads one JSON object character by character, refuses what is none as soon as that shows, and
 * tells where the keys and values of its first level lie. Used by one thread.
 */
final class CallScanner implements Machine {
  /** Deeper arguments are a model that has lost its way. */
  private static final int DEPTH_MAX = 256;

  private static final Pattern NUMBER =
      Pattern.compile("-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][-+]?\\d+)?");
  private static final String NUMBER_CHARACTERS = "0123456789+-.eE";

  /** What happened on the first level with the last character. */
  enum Event {
    NONE,
    /** A key's closing quote. */
    KEY_ENDS,
    /** A value's first character. */
    VALUE_BEGINS,
    /** The last character of a string, an object or an array. */
    VALUE_ENDS
  }

  private enum Await {
    OBJECT,
    FIRST_KEY,
    KEY,
    COLON,
    VALUE,
    FIRST_VALUE,
    COMMA,
    STRING,
    ESCAPE,
    HEX,
    NUMBER,
    LITERAL,
    NOTHING
  }

  private final Deque<Character> open = new ArrayDeque<>();
  private final StringBuilder scalar = new StringBuilder();
  private Await await = Await.OBJECT;
  private Event event = Event.NONE;
  private String literal = "";
  private boolean key;
  private int hexLeft;
  private int taken;
  private int keyStart;

  /** Whether the object has ended. */
  boolean complete() {
    return await == Await.NOTHING;
  }

  Event event() {
    return event;
  }

  /** Where the last key began, counted in characters taken. */
  int keyStart() {
    return keyStart;
  }

  /** Takes the next character; false if no JSON object goes on with it. */
  boolean accept(char c) {
    event = Event.NONE;
    taken++;
    return advance(c);
  }

  private boolean advance(char c) {
    return switch (await) {
      case STRING -> string(c);
      case ESCAPE -> escape(c);
      case HEX -> hex(c);
      case NUMBER -> number(c);
      case LITERAL -> literal(c);
      case NOTHING -> false;
      default -> c == ' ' || c == '\n' || c == '\r' || c == '\t' || structure(c);
    };
  }

  private boolean structure(char c) {
    return switch (await) {
      case OBJECT -> c == '{' && begin(c);
      case FIRST_KEY, KEY -> {
        if (c == '"') {
          key = true;
          keyStart = taken - 1;
          await = Await.STRING;
          yield true;
        }
        yield c == '}' && await == Await.FIRST_KEY && end();
      }
      case COLON -> {
        await = Await.VALUE;
        yield c == ':';
      }
      case COMMA -> {
        if (c == ',') {
          await = inObject() ? Await.KEY : Await.VALUE;
          yield true;
        }
        yield c == (inObject() ? '}' : ']') && end();
      }
      default -> (c == ']' && await == Await.FIRST_VALUE) ? end() : value(c);
    };
  }

  private boolean inObject() {
    return !open.isEmpty() && open.peek() == '{';
  }

  private boolean value(char c) {
    if (open.size() == 1) {
      event = Event.VALUE_BEGINS;
    }
    switch (c) {
      case '{', '[' -> {
        return begin(c);
      }
      case '"' -> {
        key = false;
        await = Await.STRING;
        return true;
      }
      case 't', 'f', 'n' -> {
        literal = c == 't' ? "true" : c == 'f' ? "false" : "null";
        await = Await.LITERAL;
      }
      default -> await = Await.NUMBER;
    }
    scalar.setLength(0);
    scalar.append(c);
    return await == Await.LITERAL || c == '-' || (c >= '0' && c <= '9');
  }

  private boolean begin(char c) {
    open.push(c);
    await = c == '{' ? Await.FIRST_KEY : Await.FIRST_VALUE;
    return open.size() <= DEPTH_MAX;
  }

  private boolean end() {
    open.pop();
    return ended();
  }

  private boolean ended() {
    if (open.size() == 1) {
      event = Event.VALUE_ENDS;
    }
    await = open.isEmpty() ? Await.NOTHING : Await.COMMA;
    return true;
  }

  private boolean string(char c) {
    if (c == '\\') {
      await = Await.ESCAPE;
    } else if (c == '"' && key) {
      await = Await.COLON;
      event = open.size() == 1 ? Event.KEY_ENDS : Event.NONE;
    } else if (c == '"') {
      return ended();
    }
    return c >= ' ';
  }

  private boolean escape(char c) {
    await = c == 'u' ? Await.HEX : Await.STRING;
    hexLeft = 4;
    return "\"\\/bfnrtu".indexOf(c) >= 0;
  }

  private boolean hex(char c) {
    if (--hexLeft == 0) {
      await = Await.STRING;
    }
    return Character.digit(c, 16) >= 0 && c < 0x80;
  }

  private boolean literal(char c) {
    scalar.append(c);
    boolean fits = literal.startsWith(scalar.toString());
    if (fits && scalar.length() == literal.length()) {
      await = Await.COMMA;
    }
    return fits;
  }

  private boolean number(char c) {
    if (NUMBER_CHARACTERS.indexOf(c) >= 0) {
      scalar.append(c);
      return true;
    }
    await = Await.COMMA;
    return NUMBER.matcher(scalar).matches() && advance(c);
  }
}
