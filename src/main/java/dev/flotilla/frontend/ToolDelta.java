package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import org.jspecify.annotations.Nullable;

/**
 * New of one tool call.
 *
 * @param index of the call in its answer
 * @param id with the first part of a call, as the name; null later
 * @param arguments the next piece of their JSON
 * @param last whether the call is complete with it
 */
record ToolDelta(
    int index, @Nullable String id, @Nullable String name, String arguments, boolean last) {

  /** The two together; the other one is later and of the same call. */
  ToolDelta with(ToolDelta later) {
    return new ToolDelta(index, id, name, arguments + later.arguments, later.last);
  }

  ToolDelta withId(String given) {
    return new ToolDelta(index, given, name, arguments, last);
  }

  /** As an entry of {@code tool_calls}; the index goes with streams alone. */
  void write(JsonBytes out, boolean indexed) {
    out.raw("{");
    if (indexed) {
      out.raw("\"index\":").number(index).raw(",");
    }
    if (name != null) {
      out.raw("\"id\":").stringOrNull(id).raw(",\"type\":\"function\",\"function\":{\"name\":");
      out.string(name).raw(",\"arguments\":").string(arguments).raw("}}");
    } else {
      out.raw("\"function\":{\"arguments\":").string(arguments).raw("}}");
    }
  }

  /** The name of a finish reason, given whether the answer holds a complete call. */
  static String finishName(FinishReason reason, boolean called) {
    return called && reason == FinishReason.STOP ? "tool_calls" : reason.apiName();
  }
}
