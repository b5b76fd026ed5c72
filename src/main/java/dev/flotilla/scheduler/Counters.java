package dev.flotilla.scheduler;

/**
 * What a scheduler holds.
 *
 * @param waiting requests not in the running batch, preempted ones included
 * @param running requests in the running batch
 * @param queuedTokens prompt tokens still to be computed, of waiting and running requests; those
 *     that a preempted request has to compute again count too
 * @param residentTokens tokens whose keys and values are held
 * @param blocksUsed KV cache blocks in use
 * @param preemptions since the start
 * @param resting whether a step would compute nothing now
 */
public record Counters(
    int waiting,
    int running,
    long queuedTokens,
    long residentTokens,
    int blocksUsed,
    long preemptions,
    boolean resting) {

  /** Of a scheduler that never had anything. */
  public static final Counters NONE = new Counters(0, 0, 0, 0, 0, 0);

  /** Of one that rests if it has nothing. */
  public Counters(
      int waiting,
      int running,
      long queuedTokens,
      long residentTokens,
      int blocksUsed,
      long preemptions) {
    this(
        waiting,
        running,
        queuedTokens,
        residentTokens,
        blocksUsed,
        preemptions,
        waiting == 0 && running == 0);
  }

  /** Whether there is nothing to do. */
  public boolean idle() {
    return waiting == 0 && running == 0;
  }
}
