package dev.flotilla.bench;

import org.jspecify.annotations.Nullable;

/**
 * When requests are sent.
 *
 * @param requests how many; null: all of a trace, {@link Dataset#DEFAULT_PROMPTS} otherwise
 * @param requestRate arrivals per second, infinite for all at once; a trace brings its own
 * @param burstiness shape of the gamma distribution between arrivals; 1 is a Poisson process, less
 *     is burstier
 * @param maxConcurrency most requests in flight; with an infinite rate this is a closed loop
 * @param warmups requests sent and forgotten before the clock starts
 * @param seed of lengths, ids and arrivals
 * @param requestTimeoutSeconds after which a request has failed
 */
public record LoadShape(
    @Nullable Integer requests,
    double requestRate,
    double burstiness,
    @Nullable Integer maxConcurrency,
    int warmups,
    long seed,
    int requestTimeoutSeconds) {

  /** Checks the bounds. */
  public LoadShape {
    Settings.require(
        requests == null || requests >= 1, "--num-prompts must be at least 1, not %d.", requests);
    Settings.require(requestRate > 0, "--request-rate must be above 0, not %s.", requestRate);
    Settings.require(
        burstiness > 0 && Double.isFinite(burstiness),
        "--burstiness must be above 0, not %s.",
        burstiness);
    Settings.require(
        maxConcurrency == null || maxConcurrency >= 1,
        "--max-concurrency must be at least 1, not %d.",
        maxConcurrency);
    Settings.require(warmups >= 0, "--num-warmups must not be negative, not %d.", warmups);
    Settings.require(
        requestTimeoutSeconds >= 1,
        "--request-timeout must be at least 1 second, not %d.",
        requestTimeoutSeconds);
  }
}
