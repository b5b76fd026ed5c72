package dev.flotilla.frontend;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Rank;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The JSON address {@code flotilla.v1.generate}: the same requests as over HTTP, with the same
 * checks, for any member of the cluster. Without {@code reply_to} the reply is the whole answer;
 * with it the reply is the request's id, and the address receives the output in order.
 */
final class BusGenerate {
  private final Parts parts;
  private final EventBus events;

  BusGenerate(Parts parts) {
    this.parts = parts;
    this.events = parts.vertx().eventBus();
  }

  /** Takes one request. */
  void accept(Message<Object> message) {
    if (!(message.body() instanceof JsonObject body)) {
      message.fail(400, "the body must be a JSON object");
      return;
    }
    String replyTo;
    try {
      replyTo = body.getString("reply_to");
    } catch (ClassCastException e) {
      message.fail(400, "reply_to must be an address");
      return;
    }
    Rank rank;
    try {
      rank = parts.rank(message.headers().get(Parts.RANK));
    } catch (ApiException e) {
      refuse(message, e);
      return;
    }
    OptionalInt length = parts.maxModelLen();
    parts
        .read(
            body.encode().getBytes(StandardCharsets.UTF_8),
            fields -> parts.parser().parse(unified(fields), fields.has("messages"), length, rank))
        .onSuccess(request -> open(message, request, replyTo))
        .onFailure(e -> refuse(message, e));
  }

  private static Fields unified(Fields fields) {
    ObjectNode json = fields.json();
    int ways = 0;
    for (String way : new String[] {"prompt", "prompt_token_ids", "messages"}) {
      ways += fields.has(way) ? 1 : 0;
    }
    if (ways != 1) {
      throw ApiException.badRequest(
          "one of prompt, prompt_token_ids and messages must be given, not " + ways);
    }
    if (fields.has("prompt_token_ids")) {
      json.set("prompt", json.remove("prompt_token_ids"));
    }
    // How the answer comes is said by reply_to alone.
    json.remove("stream");
    json.remove("stream_options");
    return fields;
  }

  private void open(Message<Object> message, GenerationRequest request, @Nullable String replyTo) {
    String id = UUID.randomUUID().toString();
    try {
      if (replyTo == null) {
        String name = (request.chat() ? "chatcmpl-" : "cmpl-") + id;
        long now = System.currentTimeMillis() / 1000;
        AnswerFormat format = new AnswerFormat(request, name, now, parts.model().tokenizer());
        BestOf.open(
            parts.streams(),
            request,
            new WholeAnswer(
                request,
                format,
                whole -> message.reply(new JsonObject(new String(whole, StandardCharsets.UTF_8))),
                failure -> refuse(message, failure)));
      } else {
        Pieces pieces = new Pieces(id, replyTo, request);
        message.reply(new JsonObject().put("request_id", id));
        pieces.generation = BestOf.open(parts.streams(), request, pieces);
      }
    } catch (ApiException e) {
      refuse(message, e);
    }
  }

  private static void refuse(Message<Object> message, Throwable cause) {
    if (cause instanceof ApiException known) {
      message.fail(known.status(), known.sentence());
    } else {
      message.fail(500, "the front-end failed: " + cause);
    }
  }

  /** Sends the output as it comes; a receiver that cannot be reached ends the request. */
  private final class Pieces implements Answer {
    private final String id;
    private final String address;
    private final boolean several;
    private final int[] offsets;
    private final boolean[] called;
    private @Nullable Generation generation;

    Pieces(String id, String address, GenerationRequest request) {
      this.id = id;
      this.address = address;
      this.several = request.choices() > 1;
      this.offsets = new int[request.choices()];
      this.called = new boolean[request.choices()];
    }

    @Override
    public void piece(int choice, OutputText.Piece piece) {
      JsonArray ids = new JsonArray();
      piece.ids().stream().forEach(ids::add);
      JsonObject message = message(choice).put("text", piece.text()).put("token_ids", ids);
      if (!piece.calls().isEmpty()) {
        JsonArray calls = new JsonArray();
        for (ToolDelta call : piece.calls()) {
          JsonBytes json = new JsonBytes(128);
          call.write(json, true);
          calls.add(new JsonObject(new String(json.toArray(), StandardCharsets.UTF_8)));
          called[choice] |= call.last();
        }
        message.put("tool_calls", calls);
      }
      send(message);
      offsets[choice] += piece.ids().size();
    }

    @Override
    public void finish(int choice, FinishReason reason, @Nullable Object stop) {
      send(
          message(choice)
              .put("text", "")
              .put("token_ids", new JsonArray())
              .put("finish_reason", ToolDelta.finishName(reason, called[choice]))
              .put("stop_reason", stop));
    }

    @Override
    public void complete(Usage usage) {
      // The finish of the last choice was the end.
    }

    @Override
    public void fail(ApiException failure) {
      send(
          message(0)
              .put("text", "")
              .put("token_ids", new JsonArray())
              .put("finish_reason", FinishReason.ERROR.apiName())
              .put("code", failure.status())
              .put("error", failure.sentence()));
    }

    private JsonObject message(int choice) {
      JsonObject message =
          new JsonObject()
              .put("request_id", id)
              .put("offset", offsets[choice])
              .putNull("finish_reason");
      return several ? message.put("index", choice) : message;
    }

    private void send(JsonObject json) {
      events
          .<JsonObject>sender(address)
          .write(json)
          .onFailure(
              _ -> {
                if (generation != null) {
                  parts.streams().close(generation);
                }
              });
    }
  }
}
