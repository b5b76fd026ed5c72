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
 */
public record Counters(
    int waiting,
    int running,
    long queuedTokens,
    long residentTokens,
    int blocksUsed,
    long preemptions) {

  /** Of a scheduler that never had anything. */
  public static final Counters NONE = new Counters(0, 0, 0, 0, 0, 0);

  /** Whether there is nothing to do. */
  public boolean idle() {
    return waiting == 0 && running == 0;
  }
}
