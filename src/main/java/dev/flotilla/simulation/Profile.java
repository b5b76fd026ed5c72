package dev.flotilla.simulation;

/**
 * What goes wrong in a simulated cluster until the calm begins.
 *
 * @param lossShare of messages, 0 to 1
 * @param duplicateShare of messages, 0 to 1
 * @param delayMaxMs longest way of a message
 * @param ordered whether messages from one sender to one address keep their order
 * @param faults how many crashes, pauses, departures and joins
 * @param handovers how many times the coordinator dies and another starts
 */
public record Profile(
    String name,
    double lossShare,
    double duplicateShare,
    int delayMaxMs,
    boolean ordered,
    int faults,
    int handovers) {

  /** Nothing is lost: the messages alone must suffice, and nothing may be said twice. */
  public static final Profile LOSSLESS = new Profile("lossless", 0, 0, 20, true, 0, 0);

  /** Three of ten messages are lost; others are doubled, late or overtaken. */
  public static final Profile LOSSY = new Profile("lossy", 0.3, 0.1, 600, false, 0, 0);

  /** Engines crash, stand still, leave and join, and a tenth of the messages is lost. */
  public static final Profile CRASHES = new Profile("crashes", 0.1, 0.05, 60, false, 5, 0);

  /**
   * Coordinators start that know nothing, beside one that leads or after its death at any moment,
   * and messages are lost.
   */
  public static final Profile HANDOVER = new Profile("handover", 0.1, 0.05, 60, false, 0, 3);

  /** The same while engines crash, stand still, leave and join, and leaders stand still. */
  public static final Profile TAKEOVER = new Profile("takeover", 0.1, 0.05, 60, false, 4, 2);
}
