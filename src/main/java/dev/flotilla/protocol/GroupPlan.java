package dev.flotilla.protocol;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.LoadBalancing;
import org.jspecify.annotations.Nullable;

/**
 * What a leader expects of its group; told to those who stand by, so that a successor goes on with
 * the same plan.
 *
 * @param dataParallelSize ranks are 0 to this, exclusive
 * @param balancing who chooses ranks
 * @param policy by which engines are chosen
 * @param localRanks ranks 0 to this, exclusive, are on the head; null: any rank may be anywhere
 * @param lockstep whether all ranks step together
 * @param configHash of what must then be equal; null: the first engine's
 * @param placing how ranks are placed on nodes, as JSON of the coordinator's setting
 */
public record GroupPlan(
    int dataParallelSize,
    Balancing balancing,
    LoadBalancing policy,
    @Nullable Integer localRanks,
    boolean lockstep,
    @Nullable String configHash,
    String placing) {

  /** Of a leader that places nothing. */
  public GroupPlan(
      int dataParallelSize,
      Balancing balancing,
      LoadBalancing policy,
      @Nullable Integer localRanks,
      boolean lockstep,
      @Nullable String configHash) {
    this(dataParallelSize, balancing, policy, localRanks, lockstep, configHash, "{}");
  }

  /** Of a leader of so many ranks. */
  public GroupPlan of(int size, String its) {
    return new GroupPlan(size, balancing, policy, localRanks, lockstep, configHash, its);
  }
}
