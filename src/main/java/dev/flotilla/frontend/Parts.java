package dev.flotilla.frontend;

import dev.flotilla.config.FrontendConfig;
import dev.flotilla.protocol.FrontendId;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.Function;

/** What the routes of one front-end share; used on its event loop. */
record Parts(
    Vertx vertx,
    FrontendId id,
    FrontendConfig config,
    ServedModel model,
    RequestParser parser,
    Fleet fleet,
    Streams streams,
    Flusher flusher,
    FrontendMetrics metrics,
    long startedSeconds) {

  /** Bodies up to this size take well under a millisecond to read and tokenise. */
  private static final int INLINE_BYTES_MAX = 2048;

  /** Reads a body here if it is short, else on a worker, so that others' tokens need not wait. */
  <T> Future<T> read(byte[] body, Function<Fields, T> reading) {
    Callable<T> work = () -> reading.apply(Fields.parse(body));
    if (body.length > INLINE_BYTES_MAX) {
      return vertx.executeBlocking(work, false).map(Objects::requireNonNull);
    }
    try {
      return Future.succeededFuture(work.call());
    } catch (Exception e) {
      return Future.failedFuture(e);
    }
  }

  OptionalInt maxModelLen() {
    return fleet.maxModelLen();
  }
}
