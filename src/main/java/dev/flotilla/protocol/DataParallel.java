package dev.flotilla.protocol;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.LoadBalancing;

/**
 * The settings of the whole group, as the coordinator gives them in {@link ToEngine.Init}.
 *
 * @param size ranks expected
 * @param balancing who chooses ranks; under external balancing counts are not reported on change
 * @param lockstep whether all ranks step together
 * @param policy by which engines are chosen; under the original's two, the coordinator is told what
 *     the original's is: the scheduler's counts at each step
 */
public record DataParallel(int size, Balancing balancing, boolean lockstep, LoadBalancing policy) {
  /** Under the default policy. */
  public DataParallel(int size, Balancing balancing, boolean lockstep) {
    this(size, balancing, lockstep, LoadBalancing.FLOTILLA);
  }

  /** Dense ranks behind front-ends that choose among all. */
  public static DataParallel ofSize(int size) {
    return new DataParallel(size, Balancing.INTERNAL, false);
  }
}
