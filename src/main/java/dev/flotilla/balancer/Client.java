package dev.flotilla.balancer;

/**
 * Who decides.
 *
 * @param index among the clients of the same engines, from 0
 * @param count of those clients
 */
public record Client(int index, int count) {
  /** The only one. */
  public static final Client ALONE = new Client(0, 1);

  /** Refuses an index that is none. */
  public Client {
    if (count < 1 || index < 0 || index >= count) {
      throw new IllegalArgumentException("client %d of %d".formatted(index, count));
    }
  }

  /** Where its scan of so many engines starts, so that clients start apart. */
  int start(int engines) {
    return (int) ((long) engines * index / count);
  }
}
