package dev.flotilla.frontend;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.flotilla.protocol.Machine;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds tool calls of the Hermes form, {@code <tool_call>{"name": …, "arguments":
 * {…}}</tool_call>}, in one stream of text, however it is cut. White space around calls is dropped,
 * other text is content. What opens like a call and is none is content too; in a stream only as far
 * as nothing of it was sent as a call. Used by one thread.
 *
 * <p>Source: the behaviour of vLLM's hermes parser, less its re-reading of the whole text at every
 * token.
 */
final class ToolCallParser implements Machine {
  private static final String OPEN = "<tool_call>";
  private static final String CLOSE = "</tool_call>";

  private final boolean eager;
  private final int callsMax;
  private final StringBuilder content = new StringBuilder();
  private final List<ToolDelta> deltas = new ArrayList<>();

  /** What is still to be read, the next character last. */
  private final StringBuilder pending = new StringBuilder();

  /** White space and the beginning of a tag, which may still be dropped. */
  private final StringBuilder held = new StringBuilder();

  private boolean worded;
  private int calls;
  private @Nullable Call call;

  /**
   * A parser for one choice.
   *
   * @param eager whether calls are given piece by piece, not only when they are complete
   * @param parallel whether there may be more than one call; further ones are dropped
   */
  ToolCallParser(boolean eager, boolean parallel) {
    this.eager = eager;
    this.callsMax = parallel ? Integer.MAX_VALUE : 1;
  }

  /** What became certain: text that is no call, then what is new of calls. */
  record Found(String content, List<ToolDelta> deltas) {}

  /** A call that has been opened. */
  private static final class Call {
    final StringBuilder text = new StringBuilder();
    final CallScanner scanner = new CallScanner();
    int valueStart;
    String key = "";
    String name = "";
    int argumentsStart = -1;
    int argumentsEnd = -1;
    int sent = -1;
    int closing;
  }

  /** Takes the next piece of text. */
  Found append(String piece) {
    push(piece);
    while (!pending.isEmpty()) {
      char c = pending.charAt(pending.length() - 1);
      pending.setLength(pending.length() - 1);
      take(c);
    }
    if (call != null) {
      send(call, false);
    }
    return found();
  }

  /** The text has ended. */
  Found finish() {
    Call left = call;
    call = null;
    if (left != null && left.scanner.complete() && !left.name.isEmpty()) {
      // Models often end with the object, without the closing tag.
      complete(left);
    } else if (left != null && left.sent < 0) {
      word(OPEN + left.text);
    }
    boolean blank = held.chars().allMatch(Character::isWhitespace);
    if (!(blank && calls > 0)) {
      word("");
    }
    return found();
  }

  private Found found() {
    Found found = new Found(content.toString(), List.copyOf(deltas));
    content.setLength(0);
    deltas.clear();
    return found;
  }

  /** Puts text in front of what is still to be read. */
  private void push(CharSequence text) {
    for (int i = text.length() - 1; i >= 0; i--) {
      pending.append(text.charAt(i));
    }
  }

  private void take(char c) {
    if (call != null) {
      inCall(call, c);
      return;
    }
    held.append(c);
    int tag = held.indexOf("<");
    if (tag < 0) {
      // White space may turn out to lie around calls.
      if (!Character.isWhitespace(c) || (worded && calls == 0)) {
        word("");
      }
    } else if (held.length() - tag == OPEN.length() && held.indexOf(OPEN, tag) == tag) {
      if (worded && calls == 0) {
        content.append(held, 0, tag);
      }
      held.setLength(0);
      call = new Call();
    } else if (!OPEN.startsWith(held.substring(tag))) {
      String late = held.substring(held.length() - 1);
      held.setLength(held.length() - 1);
      word("");
      if (late.equals("<")) {
        held.append(late);
      } else {
        word(late);
      }
    }
  }

  /** What was held back, and more, is content. */
  private void word(String more) {
    worded |= held.length() + more.length() > 0;
    content.append(held).append(more);
    held.setLength(0);
  }

  private void inCall(Call open, char c) {
    open.text.append(c);
    if (!open.scanner.complete()) {
      if (!open.scanner.accept(c) || !note(open, open.text.length() - 1)) {
        broken(open);
      } else if (open.sent < 0) {
        // At once, so that what becomes of a broken call does not depend on how the text is cut.
        send(open, false);
      }
    } else if (c == CLOSE.charAt(open.closing)) {
      if (++open.closing == CLOSE.length()) {
        call = null;
        complete(open);
      }
    } else if (open.closing > 0 || !Character.isWhitespace(c)) {
      broken(open);
    }
  }

  /** Keeps where name and arguments lie; false if they are none. */
  private static boolean note(Call open, int at) {
    switch (open.scanner.event()) {
      case KEY_ENDS -> {
        open.key = unquoted(open.text.substring(open.scanner.keyStart(), at + 1));
      }
      case VALUE_BEGINS -> {
        open.valueStart = at;
        char first = open.text.charAt(at);
        if (open.key.equals("arguments")) {
          boolean again = open.argumentsStart >= 0;
          open.argumentsStart = at;
          return first == '{' && !again;
        }
        return !open.key.equals("name") || (first == '"' && open.name.isEmpty());
      }
      case VALUE_ENDS -> {
        if (open.key.equals("name")) {
          open.name = unquoted(open.text.substring(open.valueStart, at + 1));
          return !open.name.isEmpty();
        }
        if (open.key.equals("arguments")) {
          open.argumentsEnd = at + 1;
        }
      }
      case NONE -> {}
    }
    return !open.scanner.complete() || !open.name.isEmpty();
  }

  private static String unquoted(String json) {
    try {
      return Fields.MAPPER.readValue(json, String.class);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a string that was scanned is none: " + json, e);
    }
  }

  /** No call: its text is content, unless a part of it has been sent as a call already. */
  private void broken(Call open) {
    call = null;
    int last = open.text.length() - 1;
    if (open.sent < 0) {
      word(OPEN);
      // Another call may begin in what looked like this one.
      push(open.text);
    } else {
      push(open.text.substring(last));
      open.text.setLength(last);
      send(open, false);
      calls++;
    }
  }

  private void complete(Call done) {
    send(done, true);
    calls++;
  }

  /** Gives what is new of a call, once its name is known and its arguments have begun. */
  private void send(Call open, boolean last) {
    boolean ready = last || (eager && !open.name.isEmpty() && open.argumentsStart >= 0);
    if (!ready || calls >= callsMax) {
      return;
    }
    boolean first = open.sent < 0;
    String arguments;
    if (open.argumentsStart < 0) {
      arguments = "{}";
    } else {
      int from = first ? open.argumentsStart : open.sent;
      int to = open.argumentsEnd < 0 ? open.text.length() : open.argumentsEnd;
      arguments = open.text.substring(from, to);
      open.sent = to;
    }
    if (first || last || !arguments.isEmpty()) {
      deltas.add(new ToolDelta(calls, null, first ? open.name : null, arguments, last));
    }
  }
}
