package dev.flotilla.balancer;

/** The engine with the fewest requests of this client that have not ended; ties go round. */
final class LeastInFlight implements Policy {
  private Client client;
  private int decisions;

  LeastInFlight(Client client) {
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
    return Policy.least(this, seats, count, start, query, now);
  }

  @Override
  public Estimate estimate(Seat seat, Query query, long now) {
    return Estimate.count(seat.account.inFlight());
  }
}
