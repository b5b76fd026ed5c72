package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import org.jspecify.annotations.Nullable;

/**
 * Where the output of one request goes. Called on the front-end's event loop; never blocks. After
 * {@link #complete} or {@link #fail} nothing more comes.
 */
interface Answer {
  /** New output of a choice. */
  void piece(int choice, OutputText.Piece piece);

  /**
   * A choice has ended.
   *
   * @param stop the stop string (String) or stop id (Integer) that ended it; null otherwise
   */
  void finish(int choice, FinishReason reason, @Nullable Object stop);

  /** All choices have ended. */
  void complete(Usage usage);

  /** The request has failed; what was sent so far is not complete. */
  void fail(ApiException failure);
}
