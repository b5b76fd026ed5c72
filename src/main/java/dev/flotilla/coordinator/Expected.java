package dev.flotilla.coordinator;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.CoordinatorConfig;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.coordinator.Rejection.OtherConfiguration;
import dev.flotilla.coordinator.Rejection.WrongMode;
import dev.flotilla.coordinator.Rejection.WrongPlace;
import dev.flotilla.protocol.GroupPlan;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToCoordinator.Hello;
import org.jspecify.annotations.Nullable;

/**
 * What a launch expects of the engines that come: where each rank is, whether its node has an API
 * server, and, where all step together, with which settings.
 *
 * @param policy by which engines are chosen
 * @param local ranks 0 to this, exclusive, are on the head; null: any rank may be anywhere
 * @param configHash of the group; null: the first engine's is
 * @param self where this coordinator is; null: not told to engines
 */
public record Expected(
    Balancing balancing,
    LoadBalancing policy,
    @Nullable Integer local,
    boolean lockstep,
    @Nullable String configHash,
    @Nullable NodeId self) {

  /** Under the default policy. */
  public Expected(
      Balancing balancing,
      @Nullable Integer local,
      boolean lockstep,
      @Nullable String configHash,
      @Nullable NodeId self) {
    this(balancing, LoadBalancing.FLOTILLA, local, lockstep, configHash, self);
  }

  /** Anyone may come from anywhere. */
  public static final Expected ANYONE = new Expected(Balancing.INTERNAL, null, false, null, null);

  /** From the coordinator's settings. */
  public static Expected of(CoordinatorConfig config, NodeId self) {
    return new Expected(
        config.balancing(),
        config.policy(),
        config.localRanks(),
        config.lockstep(),
        config.configHash(),
        self);
  }

  /** From the plan of the leader before. */
  static Expected of(GroupPlan plan, NodeId self) {
    return new Expected(
        plan.balancing(),
        plan.policy(),
        plan.localRanks(),
        plan.lockstep(),
        plan.configHash(),
        self);
  }

  /** The same, without a plan of who comes from where. */
  Expected anywhere() {
    return new Expected(balancing, null, lockstep, configHash, self);
  }

  /** What is wrong with a claim to a rank of the plan; null: nothing. */
  @Nullable Rejection place(Hello hello, Rank rank) {
    if (local == null) {
      return null;
    }
    boolean here = rank.value() < local;
    if (hello.local() != here) {
      return new WrongPlace(rank, "Hello", hello.local());
    }
    boolean headless = balancing == Balancing.INTERNAL;
    return !here && hello.headless() != headless ? new WrongMode(rank, balancing) : null;
  }

  /** What is wrong with a rank's configuration hash; null: nothing. */
  @Nullable Rejection hash(String status, Rank rank, String actual, Members members) {
    if (!lockstep) {
      return null;
    }
    String group = configHash;
    if (group == null) {
      Member first = members.first();
      group = first == null ? actual : first.configHash();
    }
    return actual.isEmpty() || !actual.equals(group)
        ? new OtherConfiguration(rank, status, group, actual)
        : null;
  }

  /** Whether a free rank is on the same side, head or elsewhere, as an engine that names none. */
  boolean suits(Rank rank, NodeId node) {
    return local == null || (rank.value() < local) == node.equals(self);
  }
}
