package dev.flotilla.frontend;

import dev.flotilla.protocol.Rank;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code /v1/completions} and {@code /v1/chat/completions}. */
final class GenerationRoutes {
  private static final Logger LOG = LoggerFactory.getLogger(GenerationRoutes.class);
  private static final String DECISION = "X-Flotilla-Decision";

  private final Parts parts;

  GenerationRoutes(Parts parts) {
    this.parts = parts;
  }

  void mount(Router router) {
    router.post("/v1/completions").handler(ctx -> generate(ctx, false));
    router.post("/v1/chat/completions").handler(ctx -> generate(ctx, true));
  }

  private void generate(RoutingContext ctx, boolean chat) {
    Rank rank;
    try {
      rank = parts.rank(ctx.request().getHeader(Parts.RANK));
    } catch (ApiException e) {
      Errors.send(ctx.response(), e);
      return;
    }
    Buffer body = ctx.body().buffer();
    byte[] bytes = body == null ? new byte[0] : body.getBytes();
    OptionalInt length = parts.maxModelLen();
    parts
        .read(bytes, fields -> parts.parser().parse(fields, chat, length, rank))
        .onSuccess(request -> open(ctx, request))
        .onFailure(e -> Errors.send(ctx.response(), failure(ctx, e)));
  }

  /** The error that a client may see of what went wrong. */
  static ApiException failure(RoutingContext ctx, Throwable cause) {
    if (cause instanceof ApiException known) {
      return known;
    }
    String id = Access.requestId(ctx);
    LOG.error("request {} failed", id, cause);
    return ApiException.of(500, "the front-end failed on request %s: %s".formatted(id, cause));
  }

  private void open(RoutingContext ctx, GenerationRequest request) {
    HttpServerResponse response = ctx.response();
    if (response.closed()) {
      return;
    }
    String id = (request.chat() ? "chatcmpl-" : "cmpl-") + Access.requestId(ctx);
    AnswerFormat format =
        new AnswerFormat(request, id, System.currentTimeMillis() / 1000, parts.model().tokenizer());
    Open open = new Open();
    Runnable close = () -> open.close(parts.streams());
    Answer answer =
        request.form().stream()
            ? new SseAnswer(request, response, format, parts.flusher(), close)
            : new WholeAnswer(
                request,
                format,
                whole ->
                    response
                        .putHeader("Content-Type", "application/json")
                        .end(Buffer.buffer(whole)),
                failure -> Errors.send(response, failure));
    response.closeHandler(_ -> close.run());
    response.exceptionHandler(_ -> close.run());
    if (parts.config().choice().header()) {
      response.headersEndHandler(_ -> open.tell(response));
    }
    try {
      open.generation = BestOf.open(parts.streams(), request, answer);
    } catch (ApiException e) {
      Errors.send(response, e);
    }
  }

  /** A request under way, known once it is. */
  private static final class Open {
    private @Nullable Generation generation;

    /** By now the first choice has an engine, or the request has failed. */
    void tell(HttpServerResponse response) {
      String decision = generation == null ? "" : generation.choices.getFirst().decision;
      if (!decision.isEmpty()) {
        response.putHeader(DECISION, decision);
      }
    }

    void close(Streams streams) {
      if (generation != null) {
        streams.close(generation);
      }
    }
  }
}
