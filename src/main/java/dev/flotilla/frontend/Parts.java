package dev.flotilla.frontend;

import dev.flotilla.config.FrontendConfig;
import dev.flotilla.config.RankRange;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Rank;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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

  /** The header that names the rank of a request. */
  static final String RANK = "X-data-parallel-rank";

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

  /**
   * The rank that a client insists on; null: none.
   *
   * @throws ApiException 400 if it is none of those that may be chosen here, 503 if it is down
   */
  @Nullable Rank rank(@Nullable String header) {
    if (header == null) {
      return null;
    }
    RankRange ranks = fleet.ranks();
    int value;
    try {
      value = Integer.parseInt(header.trim());
    } catch (NumberFormatException e) {
      throw ApiException.badValue(RANK, RANK + " must be a number, not " + header);
    }
    if (fleet.view().dataParallelSize() == 0) {
      throw ApiException.of(503, "no engine is ready");
    }
    if (!ranks.contains(value)) {
      int last = ranks.first() + ranks.count() - 1;
      throw ApiException.badValue(
          RANK, "%s must be %d to %d, not %d".formatted(RANK, ranks.first(), last, value));
    }
    Rank rank = new Rank(value);
    if (fleet.view().engine(rank).filter(e -> e.serving()).isEmpty()) {
      throw ApiException.of(503, "engine %d does not serve now".formatted(value));
    }
    return rank;
  }
}
