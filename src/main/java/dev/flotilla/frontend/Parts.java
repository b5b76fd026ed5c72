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

  /**
   * Reads a body here if that is quick, else on a worker, so that others' tokens need not wait:
   * long bodies, and those with a grammar, which is compiled to see whether it can be honoured.
   */
  <T> Future<T> read(byte[] body, Function<Fields, T> reading) {
    if (body.length > INLINE_BYTES_MAX) {
      return elsewhere(() -> reading.apply(Fields.parse(body)));
    }
    try {
      Fields fields = Fields.parse(body);
      return GrammarReader.FIELDS.stream().anyMatch(fields::has)
          ? elsewhere(() -> reading.apply(fields))
          : Future.succeededFuture(reading.apply(fields));
    } catch (RuntimeException e) {
      return Future.failedFuture(e);
    }
  }

  private <T> Future<T> elsewhere(Callable<T> work) {
    return vertx.executeBlocking(work, false).map(Objects::requireNonNull);
  }

  OptionalInt maxModelLen() {
    return fleet.maxModelLen();
  }
}
