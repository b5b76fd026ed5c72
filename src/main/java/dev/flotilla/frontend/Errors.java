package dev.flotilla.frontend;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;

/** Writes the error object of the OpenAI API. */
final class Errors {
  private Errors() {}

  /** Ends a response that nothing was written to. */
  static void send(HttpServerResponse response, ApiException failure) {
    if (response.ended() || response.closed() || response.headWritten()) {
      return;
    }
    if (failure.retryable()) {
      response.putHeader("Retry-After", Integer.toString(failure.retrySeconds()));
    }
    if (failure.status() == 401) {
      response.putHeader("WWW-Authenticate", "Bearer");
    }
    response
        .setStatusCode(failure.status())
        .putHeader("Content-Type", "application/json")
        .end(Buffer.buffer(failure.json()));
  }
}
