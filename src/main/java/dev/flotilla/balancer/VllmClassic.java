package dev.flotilla.balancer;

/**
 * Four times the waiting plus the running requests, as the last published view counts them. Until
 * the next view, the chosen engine's waiting rise by the number of clients, as if all chose alike;
 * the next view replaces everything. The scan starts at a fixed place of each client.
 *
 * <p>Source: {@code DPLBAsyncMPClient} of vLLM up to 0.26.
 */
final class VllmClassic implements Policy {
  private static final int WAITING_WEIGHT = 4;

  private Client client;

  VllmClassic(Client client) {
    this.client = client;
  }

  @Override
  public void client(Client now) {
    client = now;
  }

  @Override
  public Seat choose(Seat[] seats, int count, Query query, long now) {
    Seat best = Policy.least(this, seats, count, client.start(count), query, now);
    best.account.bump(client.count());
    return best;
  }

  @Override
  public Estimate estimate(Seat seat, Query query, long now) {
    Account account = seat.account;
    return Estimate.count(WAITING_WEIGHT * account.publishedWaiting() + account.publishedRunning());
  }
}
