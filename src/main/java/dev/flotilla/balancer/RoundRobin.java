package dev.flotilla.balancer;

/** One engine after the other; clients start apart. */
final class RoundRobin implements Policy {
  private Client client;
  private int decisions;

  RoundRobin(Client client) {
    this.client = client;
  }

  @Override
  public void client(Client now) {
    client = now;
  }

  @Override
  public Seat choose(Seat[] seats, int count, Query query, long now) {
    int at = Math.floorMod(client.start(count) + decisions, count);
    decisions = (decisions + 1) & Integer.MAX_VALUE;
    return seats[at];
  }

  @Override
  public Estimate estimate(Seat seat, Query query, long now) {
    return Estimate.count(0);
  }
}
