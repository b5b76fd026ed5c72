package dev.flotilla.protocol;

/** One start of one engine under one membership. */
public record EngineAt(Rank rank, Incarnation incarnation, Epoch epoch) {
  /** Where its messages go. */
  public Address<ToEngine> address() {
    return Addresses.engine(rank, incarnation);
  }
}
