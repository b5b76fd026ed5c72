package dev.flotilla.coordinator;

import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Those who have asked a leading coordinator for something that takes time, until they are
 * answered. Used on the coordinator's event loop.
 */
final class CallersPort {
  /** Callers that wait at once; each holds a message. */
  private static final int CALLERS_MAX = 1_024;

  private final Map<Long, Message<Object>> waiting = new HashMap<>();
  private long last;

  /** Takes one in and gives its number; null: there is no room, which it has been told. */
  @Nullable Long add(Message<Object> caller) {
    if (waiting.size() >= CALLERS_MAX) {
      caller.fail(429, "%d callers wait for an answer already".formatted(CALLERS_MAX));
      return null;
    }
    waiting.put(++last, caller);
    return last;
  }

  /** Answers one, if it still waits. */
  void answer(long number, int code, String sentence, JsonObject success) {
    Message<Object> caller = waiting.remove(number);
    if (caller != null && code == 200) {
      caller.reply(success);
    } else if (caller != null) {
      caller.fail(code, sentence);
    }
  }

  /** This coordinator leads no more; its successor goes on with what is under way. */
  void stop() {
    waiting.values().forEach(call -> call.fail(503, "another coordinator leads; ask again"));
    waiting.clear();
  }
}
