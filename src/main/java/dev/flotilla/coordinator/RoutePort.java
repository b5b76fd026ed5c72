package dev.flotilla.coordinator;

import dev.flotilla.protocol.ClusterView;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves {@code flotilla.v1.route}: which engine would get a prompt. Used on the coordinator's
 * event loop.
 *
 * @param view the newest; null: this coordinator does not lead
 */
record RoutePort(Supplier<@Nullable ClusterView> view, Chooser chooser) {
  /** Longer prompts than any model takes; keeps scores within what a JSON number holds. */
  private static final int PROMPT_TOKENS_MAX = 100_000_000;

  void asked(Message<Object> request) {
    if (!(request.body() instanceof JsonObject body)
        || !(body.getValue("prompt_tokens") instanceof Number number)
        || number.doubleValue() != number.intValue()
        || number.intValue() < 0
        || number.intValue() > PROMPT_TOKENS_MAX) {
      request.fail(
          400,
          "route expects {\"prompt_tokens\": n} with n from 0 to %d, not %s"
              .formatted(PROMPT_TOKENS_MAX, request.body()));
      return;
    }
    ClusterView fresh = view.get();
    if (fresh == null) {
      request.fail(503, "this node's coordinator does not lead any more; ask again");
      return;
    }
    chooser
        .route(fresh, number.intValue(), System.nanoTime())
        .ifPresentOrElse(
            choice ->
                request.reply(
                    new JsonObject()
                        .put("rank", choice.engine().rank().value())
                        .put("score", choice.score())),
            () ->
                request.fail(
                    503,
                    "no engine is ready: %d of %d are known"
                        .formatted(fresh.engines().size(), fresh.dataParallelSize())));
  }
}
