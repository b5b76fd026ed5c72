package dev.flotilla;

import io.vertx.core.Future;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits on a thread that may block, for what runs on event loops; always with a deadline. */
final class Waiting {
  private Waiting() {}

  /** The value, or a failure that a person can read. */
  static <T> T await(Future<T> future, long seconds, String otherwise) throws InterruptedException {
    try {
      return future.toCompletionStage().toCompletableFuture().get(seconds, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new FailedCommand(otherwise + " within " + seconds + " s", e);
    } catch (ExecutionException e) {
      throw failure(e.getCause() == null ? e : e.getCause(), otherwise);
    }
  }

  /** Sentences go through as they are; anything else is put into one. */
  static RuntimeException failure(Throwable cause, String otherwise) {
    return cause instanceof RuntimeException known && known.getMessage() != null
        ? known
        : new FailedCommand(otherwise + ": " + cause.getMessage(), cause);
  }
}
