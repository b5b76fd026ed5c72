package dev.flotilla.scheduler;

/**
 * What a scheduler's requests still need, for the load report; the batch under way counts as not
 * yet computed.
 *
 * @param prefillTokens prompt tokens to be computed, without what the prefix cache holds of those
 *     of waiting requests
 * @param prefillSquares the sum of {@code end² - done²} over their stretches: twice the number of
 *     pairs of tokens that attend to each other
 * @param decoding running requests whose known tokens but one are computed
 * @param decodeContext tokens that these hold
 * @param kvQueued tokens of waiting requests that need room in the KV cache
 */
public record Backlog(
    long prefillTokens, double prefillSquares, int decoding, long decodeContext, long kvQueued) {

  /** Nothing. */
  public static final Backlog NONE = new Backlog(0, 0, 0, 0, 0);

  /** That of a scheduler, now. */
  public static Backlog of(Scheduler scheduler) {
    long tokens = 0;
    double squares = 0;
    int decoding = 0;
    long context = 0;
    for (Sequence sequence : scheduler.running()) {
      if (sequence.ended()) {
        continue;
      }
      int queued = sequence.queued();
      if (queued > 0) {
        tokens += queued;
        squares += squares(sequence.computed(), sequence.computed() + queued);
      } else {
        decoding++;
        context += sequence.length();
      }
    }
    long room = 0;
    for (Sequence sequence : scheduler.waiting()) {
      int cached = scheduler.cache.heldTokens(sequence);
      tokens += sequence.length() - cached;
      squares += squares(cached, sequence.length());
      room += sequence.length() - cached;
    }
    return new Backlog(tokens, squares, decoding, context, room);
  }

  private static double squares(double done, double end) {
    return end * end - done * done;
  }
}
