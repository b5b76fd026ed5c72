package dev.flotilla.config;

/**
 * The linear cost model of the scripted executor; a step takes {@code baseMs + prefillMs *
 * prefillTokens * (1 + context / contextScale) + decodeMs * decodingSequences + residentMs * sum of
 * their contexts} milliseconds, times {@code scale}.
 *
 * @param scale 0: steps take no time
 */
public record ScriptedConfig(
    double baseMs,
    double prefillMs,
    double contextScale,
    double decodeMs,
    double residentMs,
    double scale,
    int kvTokens,
    int maxModelLen) {

  /** The cost model that the shipped traces are scaled for: an 8B-class model on one H100. */
  public static final ScriptedConfig DEFAULT =
      new ScriptedConfig(6, 0.03, 40_000, 0.03, 0.00002, 1, 400_000, 131_072);

  /** Checks every bound. */
  public ScriptedConfig {
    Check.that(
        baseMs >= 0 && prefillMs >= 0 && decodeMs >= 0 && residentMs >= 0 && scale >= 0,
        "scripted: costs must not be negative");
    Check.that(contextScale > 0, "scripted: context-scale must be positive");
    Check.that(kvTokens > 0 && maxModelLen > 0, "scripted: sizes must be positive");
  }

  /** The same with another time scale. */
  public ScriptedConfig withScale(double factor) {
    return new ScriptedConfig(
        baseMs, prefillMs, contextScale, decodeMs, residentMs, factor, kvTokens, maxModelLen);
  }
}
