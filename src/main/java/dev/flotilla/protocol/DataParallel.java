package dev.flotilla.protocol;

import dev.flotilla.config.Balancing;

/**
 * The settings of the whole group, as the coordinator gives them in {@link ToEngine.Init}.
 *
 * @param size ranks expected
 * @param balancing who chooses ranks; under external balancing counts are not reported on change
 * @param lockstep whether all ranks step together
 */
public record DataParallel(int size, Balancing balancing, boolean lockstep) {
  /** Dense ranks behind front-ends that choose among all. */
  public static DataParallel ofSize(int size) {
    return new DataParallel(size, Balancing.INTERNAL, false);
  }
}
