package dev.flotilla.frontend;

import io.vertx.core.Context;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the answers that got output, once all messages that have already arrived are taken: a
 * front-end with time to spare writes every token at once, a busy one several tokens in one chunk,
 * since the write to the socket costs more than all else. Used on its event loop.
 */
final class Flusher {
  private final Context context;
  private List<Runnable> waiting = new ArrayList<>();

  Flusher(Context context) {
    this.context = context;
  }

  /** Has it run soon; the caller sees to it that an answer does not wait twice. */
  void soon(Runnable write) {
    waiting.add(write);
    if (waiting.size() == 1) {
      context.runOnContext(_ -> flush());
    }
  }

  private void flush() {
    List<Runnable> now = waiting;
    waiting = new ArrayList<>(now.size());
    now.forEach(Runnable::run);
  }
}
