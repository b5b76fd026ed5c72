package dev.flotilla.balancer;

/**
 * The larger of what the last published view counts and of this client's own requests times the
 * number of clients; waiting requests cost more where the KV cache is more than half full. The
 * chosen engine's waiting rise until the next view, and the scan starts one further after each
 * decision.
 *
 * <p>Source: {@code DPLBAsyncMPClient} of vLLM 0.27 (pull requests 49204 and 47420).
 */
final class Vllm implements Policy {
  private static final double KV_WEIGHT = 6;
  private static final double KV_FREE = 0.5;

  private Client client;
  private int decisions;

  Vllm(Client client) {
    this.client = client;
  }

  @Override
  public void client(Client now) {
    client = now;
  }

  @Override
  public Seat choose(Seat[] seats, int count, Query query, long now) {
    int start = Math.floorMod(client.start(count) + decisions, count);
    decisions = (decisions + 1) & Integer.MAX_VALUE;
    Seat best = Policy.least(this, seats, count, start, query, now);
    best.account.bump(client.count());
    return best;
  }

  @Override
  public Estimate estimate(Seat seat, Query query, long now) {
    Account account = seat.account;
    int waiting = account.publishedWaiting();
    int known = waiting + account.publishedRunning();
    double floor = Math.max(client.count() * account.inFlight(), known);
    return Estimate.count(
        floor + waiting * KV_WEIGHT * Math.max(0, account.publishedKvUsage() - KV_FREE));
  }
}
