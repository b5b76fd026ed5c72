package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An answer as server-sent events: {@code data:} lines without event names. The head is written
 * with the first output, so that a request that fails before has its own status. To a slow reader
 * the output is held back and runs together, up to a bound at which it is cut off.
 */
final class SseAnswer implements Answer {
  /** What may wait for a slow reader. */
  static final int HELD_BYTES_MAX = 256 * 1024;

  /** Output that is written although more messages wait. */
  private static final int WRITE_BYTES_MAX = 16 * 1024;

  private final HttpServerResponse response;
  private final AnswerFormat format;
  private final Flusher flusher;
  private final Runnable cut;
  private final boolean includeUsage;
  private final List<ChoiceOutput> choices = new ArrayList<>();
  private final JsonBytes out = new JsonBytes(512);
  private @Nullable Usage usage;
  private @Nullable ApiException failure;
  private int held;
  private boolean waiting;
  private boolean draining;

  /**
   * Over a response that nothing was written to.
   *
   * @param cut aborts the request; called when the reader is too slow
   */
  SseAnswer(
      GenerationRequest request,
      HttpServerResponse response,
      AnswerFormat format,
      Flusher flusher,
      Runnable cut) {
    this.response = response;
    this.format = format;
    this.flusher = flusher;
    this.cut = cut;
    this.includeUsage = request.form().includeUsage();
    for (int i = 0; i < request.choices(); i++) {
      choices.add(new ChoiceOutput(i));
    }
  }

  @Override
  public void piece(int choice, OutputText.Piece piece) {
    held += choices.get(choice).add(piece);
    if (waiting && held > WRITE_BYTES_MAX) {
      // So many messages have piled up that waiting for the last of them would only delay.
      write();
    }
    soon();
  }

  @Override
  public void finish(int choice, FinishReason reason, @Nullable Object stop) {
    choices.get(choice).finish(reason, stop);
    soon();
  }

  @Override
  public void complete(Usage counts) {
    usage = counts;
    soon();
  }

  @Override
  public void fail(ApiException reason) {
    if (!response.headWritten() && choices.stream().noneMatch(ChoiceOutput::pending)) {
      Errors.send(response, reason);
    } else {
      failure = reason;
      soon();
    }
  }

  private void soon() {
    if (!draining && !waiting) {
      waiting = true;
      flusher.soon(this::write);
    } else if (draining && held > HELD_BYTES_MAX) {
      cut.run();
      response.reset();
    }
  }

  private void write() {
    waiting = false;
    if (draining || response.closed() || response.ended()) {
      return;
    }
    if (response.writeQueueFull()) {
      draining = true;
      response.drainHandler(
          _ -> {
            draining = false;
            write();
          });
      return;
    }
    out.clear();
    held = 0;
    for (ChoiceOutput choice : choices) {
      if (choice.pending()) {
        format.chunk(out, choice);
        choice.written();
      }
    }
    boolean end = usage != null || failure != null;
    if (failure != null) {
      format.failed(out, failure);
    } else if (usage != null) {
      if (includeUsage) {
        format.usageChunk(out, Objects.requireNonNull(usage));
      }
      format.done(out);
    }
    if (out.size() == 0) {
      return;
    }
    if (!response.headWritten()) {
      head();
    }
    Buffer chunk = Buffer.buffer(out.toArray());
    if (end) {
      response.end(chunk);
    } else {
      response.write(chunk);
    }
  }

  private void head() {
    response
        .setChunked(true)
        .putHeader("Content-Type", "text/event-stream; charset=utf-8")
        .putHeader("Cache-Control", "no-cache")
        .putHeader("X-Accel-Buffering", "no");
  }
}
