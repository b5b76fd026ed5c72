package dev.flotilla.protocol;

/** Every event-bus address of the system; the only place where an address string is built. */
public final class Addresses {
  private static final String PREFIX = "flotilla.v1.";

  /** The coordinator: reports, presence, departures. */
  public static final Address<ToCoordinator> COORDINATOR =
      new Address<>(PREFIX + "coordinator", ToCoordinator.class);

  /** Served by the coordinator: Hello and Ready. */
  public static final Address<ToCoordinator> HANDSHAKE =
      new Address<>(PREFIX + "handshake", ToCoordinator.class);

  /** Publish only: every coordinator, whether it leads or stands by. */
  public static final Address<ToCoordinator> COORDINATORS =
      new Address<>(PREFIX + "coordinators", ToCoordinator.class);

  /** Publish only: every engine. */
  public static final Address<ToEngine> ALL_ENGINES =
      new Address<>(PREFIX + "engines", ToEngine.class);

  /** Publish only: every front-end. */
  public static final Address<ToFrontend> ALL_FRONTENDS =
      new Address<>(PREFIX + "frontends", ToFrontend.class);

  /** JSON, publish only: the queue stats; subscribe to it. */
  public static final String STATS = PREFIX + "stats";

  /** JSON, for any member: generate text. */
  public static final String GENERATE = PREFIX + "generate";

  /** JSON, for any member: call a utility of the engines. */
  public static final String UTILITY = PREFIX + "utility";

  /** JSON, for any member: which engine would get a prompt of so many tokens. */
  public static final String ROUTE = PREFIX + "route";

  /** JSON, for any member: what {@code /engines} shows. */
  public static final String STATUS = PREFIX + "status";

  /** JSON, for any member: which nodes there are, with their devices and ranks. */
  public static final String NODES = PREFIX + "nodes";

  /** JSON, for any member: change the number of ranks. */
  public static final String SCALE = PREFIX + "scale";

  /** JSON, for any member: pause and resume all ranks. */
  public static final String PAUSE = PREFIX + "pause";

  private Addresses() {}

  /**
   * One start of one engine: exactly one consumer, and a stale route can never reach a successor.
   */
  public static Address<ToEngine> engine(Rank rank, Incarnation incarnation) {
    return new Address<>(PREFIX + "engine." + rank + "." + incarnation, ToEngine.class);
  }

  /** One engine that has no rank yet: where Init and Refused go. */
  public static Address<ToEngine> candidate(Incarnation incarnation) {
    return new Address<>(PREFIX + "candidate." + incarnation, ToEngine.class);
  }

  /** One front-end. */
  public static Address<ToFrontend> frontend(FrontendId id) {
    return new Address<>(PREFIX + "frontend." + id, ToFrontend.class);
  }

  /** One node's coordinator, whether it leads or stands by. */
  public static Address<ToCoordinator> coordinator(NodeId id) {
    return new Address<>(PREFIX + "coordinator." + id, ToCoordinator.class);
  }

  /** One node's agent. */
  public static Address<ToNode> node(NodeId id) {
    return new Address<>(PREFIX + "node." + id, ToNode.class);
  }
}
