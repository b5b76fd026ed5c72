package dev.flotilla.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One API server.
 *
 * @param host to listen on
 * @param port 0 takes a free one
 * @param model folder whose tokenizer and chat template are used
 * @param servedModelName names that a request may give; the first is shown; empty: the folder's
 * @param apiKey accepted bearer keys; empty: none is asked for
 * @param maxBodyBytes larger bodies get 413
 * @param requestTimeoutMs a request without an engine's sign of life for so long is failed
 * @param minReadyEngines readiness needs so many
 * @param ranks that it may choose; null: all
 * @param metricsEngineLabel whether metrics tell the engines apart
 * @param choice how engines are chosen
 * @param queue how much may be under way before requests are refused
 * @param index among the API servers of its node
 */
public record FrontendConfig(
    String host,
    int port,
    String model,
    List<String> servedModelName,
    List<String> apiKey,
    int maxBodyBytes,
    long requestTimeoutMs,
    int minReadyEngines,
    @Nullable RankRange ranks,
    EngineLabel metricsEngineLabel,
    ChoiceConfig choice,
    QueueLimits queue,
    int index) {

  /** What is not set. */
  public static final FrontendConfig DEFAULT =
      new FrontendConfig(
          "127.0.0.1",
          8000,
          "",
          List.of(),
          List.of(),
          32 * 1024 * 1024,
          600_000,
          1,
          null,
          EngineLabel.PER_ENGINE,
          ChoiceConfig.DEFAULT,
          QueueLimits.NONE,
          0);

  /** Checks every bound. */
  public FrontendConfig {
    servedModelName = List.copyOf(servedModelName);
    apiKey = List.copyOf(apiKey);
    Check.that(port >= 0 && port <= 65_535, "port must be 0 to 65535, not %d", port);
    Check.that(maxBodyBytes >= 1024, "max-body-bytes must be at least 1024, not %d", maxBodyBytes);
    Check.that(
        requestTimeoutMs >= 1, "request-timeout-ms must be at least 1, not %d", requestTimeoutMs);
    Check.that(
        minReadyEngines >= 1, "min-ready-engines must be at least 1, not %d", minReadyEngines);
  }

  /** The same at another place of its node. */
  public FrontendConfig with(int otherIndex, int otherPort) {
    return new FrontendConfig(
        host,
        otherPort,
        model,
        servedModelName,
        apiKey,
        maxBodyBytes,
        requestTimeoutMs,
        minReadyEngines,
        ranks,
        metricsEngineLabel,
        choice,
        queue,
        otherIndex);
  }
}
