package dev.flotilla.frontend;

import dev.flotilla.protocol.TokenIds;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Function;

/** {@code /v1/models}, {@code /tokenize}, {@code /detokenize}. */
final class TextRoutes {
  private final Parts parts;

  TextRoutes(Parts parts) {
    this.parts = parts;
  }

  void mount(Router router) {
    router.get("/v1/models").handler(this::models);
    router.get("/v1/models/*").handler(this::model);
    router.post("/tokenize").handler(ctx -> answer(ctx, this::tokenize));
    router.post("/detokenize").handler(ctx -> answer(ctx, this::detokenize));
  }

  private void answer(RoutingContext ctx, Function<Fields, byte[]> reading) {
    Buffer body = ctx.body().buffer();
    Future<byte[]> answer = parts.read(body == null ? new byte[0] : body.getBytes(), reading);
    answer
        .onSuccess(json -> json(ctx, json))
        .onFailure(e -> Errors.send(ctx.response(), GenerationRoutes.failure(ctx, e)));
  }

  private byte[] tokenize(Fields fields) {
    TokenIds ids = parts.parser().tokenize(fields);
    JsonBytes out = new JsonBytes(64 + 6 * ids.size());
    out.raw("{\"count\":").number(ids.size());
    out.raw(",\"max_model_len\":").number(parts.maxModelLen().orElse(0)).raw(",\"tokens\":[");
    for (int i = 0; i < ids.size(); i++) {
      out.raw(i == 0 ? "" : ",").number(ids.get(i));
    }
    out.raw("],\"token_strs\":");
    if (fields.flag("return_token_strs", false)) {
      out.raw("[");
      for (int i = 0; i < ids.size(); i++) {
        out.raw(i == 0 ? "" : ",").string(parts.model().tokenizer().piece(ids.get(i)));
      }
      out.raw("]");
    } else {
      out.raw("null");
    }
    return out.raw("}").toArray();
  }

  private byte[] detokenize(Fields fields) {
    parts.parser().checkModel(fields);
    if (!fields.has("tokens")) {
      throw ApiException.badValue("tokens", "tokens are missing");
    }
    TokenIds ids = TokenIds.of(fields.ids("tokens", parts.model().tokenizer().vocab()));
    String text = parts.model().tokenizer().decode(ids, false);
    return new JsonBytes(64).raw("{\"prompt\":").string(text).raw("}").toArray();
  }

  private void models(RoutingContext ctx) {
    JsonBytes out = new JsonBytes(256).raw("{\"object\":\"list\",\"data\":[");
    String comma = "";
    for (String name : parts.model().names()) {
      out.raw(comma);
      model(out, name);
      comma = ",";
    }
    json(ctx, out.raw("]}").toArray());
  }

  private void model(RoutingContext ctx) {
    // A model's name may hold slashes, so it is all that follows.
    String name = ctx.normalizedPath().substring("/v1/models/".length());
    String decoded = java.net.URLDecoder.decode(name, java.nio.charset.StandardCharsets.UTF_8);
    if (!parts.model().names().contains(decoded)) {
      Errors.send(ctx.response(), ApiException.unknownModel(decoded, parts.model().name()));
      return;
    }
    JsonBytes out = new JsonBytes(256);
    model(out, decoded);
    json(ctx, out.toArray());
  }

  private void model(JsonBytes out, String name) {
    out.raw("{\"id\":").string(name).raw(",\"object\":\"model\",\"created\":");
    out.number(parts.startedSeconds()).raw(",\"owned_by\":\"flotilla\",\"root\":");
    out.string(parts.model().name()).raw(",\"parent\":null,\"max_model_len\":");
    if (parts.maxModelLen().isPresent()) {
      out.number(parts.maxModelLen().getAsInt()).raw("}");
    } else {
      out.raw("null}");
    }
  }

  private static void json(RoutingContext ctx, byte[] json) {
    ctx.response().putHeader("Content-Type", "application/json").end(Buffer.buffer(json));
  }
}
