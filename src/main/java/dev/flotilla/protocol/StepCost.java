package dev.flotilla.protocol;

/**
 * What a step of one engine takes, linear in what it computes. Fitted by each engine to its own
 * steps, so that a slower card, or a throttled one, prices itself.
 *
 * @param baseMs of any step
 * @param prefillMs of each prompt token
 * @param prefillContextMs of each pair of a prompt token and a token that it attends to
 * @param decodeMs of each decoding sequence
 * @param decodeContextMs of each token that a decoding sequence attends to
 */
public record StepCost(
    double baseMs,
    double prefillMs,
    double prefillContextMs,
    double decodeMs,
    double decodeContextMs) {

  /** Before an engine has measured itself: an 8B-class model on one H100. */
  public static final StepCost DEFAULT = new StepCost(6, 0.03, 0.03 / 40_000, 0.03, 0.00002);

  /** Refuses what no step can take. */
  public StepCost {
    boolean sane =
        sane(baseMs)
            && sane(prefillMs)
            && sane(prefillContextMs)
            && sane(decodeMs)
            && sane(decodeContextMs);
    if (!sane) {
      throw new IllegalArgumentException(
          "step costs must be finite and not negative: %s, %s, %s, %s, %s"
              .formatted(baseMs, prefillMs, prefillContextMs, decodeMs, decodeContextMs));
    }
  }

  private static boolean sane(double ms) {
    return ms >= 0 && ms < Double.POSITIVE_INFINITY;
  }

  /**
   * Prefill of the tokens from {@code done} to {@code end} of a prompt, without any step's base.
   */
  public double prefill(double done, double end) {
    return prefillMs * (end - done) + prefillContextMs * (end * end - done * done) / 2;
  }

  /** Prefill given as sums over requests: of tokens, and of {@code end² - done²}. */
  public double prefillOfSums(double tokens, double squares) {
    return prefillMs * tokens + prefillContextMs * squares / 2;
  }

  /** A step that only decodes. */
  public double decodeStep(double sequences, double context) {
    return baseMs + decodeMs * sequences + decodeContextMs * context;
  }

  /** The same engine, so many times slower. */
  public StepCost times(double factor) {
    return new StepCost(
        baseMs * factor,
        prefillMs * factor,
        prefillContextMs * factor,
        decodeMs * factor,
        decodeContextMs * factor);
  }
}
