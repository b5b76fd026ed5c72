package dev.flotilla.protocol;

import java.util.List;

/**
 * Devices that a node has given to one rank.
 *
 * @param change number of the change of the group that asked for it; 0: the node's own start;
 *     {@link #ENDS}: nobody's, it goes when its engine has ended
 * @param devices indices on the node; empty where a node has more ranks than devices
 * @param kept whether it is for good; otherwise it ends by itself unless it is renewed
 * @param running whether its engine runs or starts
 */
public record Lease(Rank rank, long change, List<Integer> devices, boolean kept, boolean running) {
  /** In place of a change's number. */
  public static final long ENDS = -1;

  /** Keeps a private copy. */
  public Lease {
    devices = List.copyOf(devices);
  }
}
