package dev.flotilla.executor.cpu;

import dev.flotilla.model.Batch;
import dev.flotilla.model.Collective;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Experts;
import dev.flotilla.model.ModelException;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.model.StepResult;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Computes batches with the Vector API. Ranks of one JVM share the repacked weights and the compute
 * pool; each has its KV cache.
 *
 * <p>A token's result has the same bits in whatever batch it is computed, and however its prompt
 * was cut: every output has one accumulator that runs over its inputs in ascending order.
 */
public final class CpuExecutor implements Executor {
  private final ModelConfig config;
  private final CpuOptions options;
  private final SharedWeights weights;
  private final KvCache cache;
  private final ComputePool pool;
  private final Forward forward;
  private final Draws draws;
  private final ModelFolder folder;
  private final boolean member; // of a group, over which the experts are spread
  private @Nullable ExpertWeights share;
  private @Nullable SpreadMixture mixture;
  private long waitedBefore;
  private boolean closed;

  private CpuExecutor(
      ModelFolder folder, CpuOptions options, SharedWeights weights, boolean member) {
    this.folder = folder;
    this.member = member;
    this.config = folder.config();
    this.options = options;
    this.weights = weights;
    this.pool = ComputePool.shared();
    this.cache = new KvCache(config, options.blockSize(), CacheSize.blocks(config, options));
    this.forward =
        new Forward(
            config, weights.weights(), cache, EarlyKernels.of(folder), pool, options.maxModelLen());
    this.draws = new Draws(config.vocab(), config.eos(), pool);
  }

  /**
   * Compiles and tests the kernels, once per JVM, which opening waits for otherwise. Takes seconds
   * of processor time: a node calls it while it joins its cluster.
   */
  public static void prepare() {
    EarlyKernels.prepare();
  }

  /**
   * From now on executors of small models do not wait for their kernels: they begin with plain
   * loops, whose results have the same bits. For a rank that is waited for; whoever calls this
   * calls {@link #prepare} once the rank is there.
   */
  public static void beginEarly() {
    EarlyKernels.hurry();
  }

  /**
   * Opens a model: tests the kernels, repacks the weights if no other rank of this JVM has, and
   * takes memory for the KV cache.
   *
   * @throws ModelException with a sentence if the weights are incomplete or memory does not suffice
   */
  public static CpuExecutor open(ModelFolder folder, CpuOptions options) {
    EarlyKernels.expect(folder);
    SharedWeights weights = SharedWeights.open(folder, false, options.progress());
    try {
      return new CpuExecutor(folder, options, weights, false);
    } catch (RuntimeException | Error e) {
      weights.close();
      throw e;
    }
  }

  /**
   * Opens one rank of a mixture model whose experts are spread over a group: it repacks its own
   * share of them, and every step, also one without tokens, takes part in the group's exchanges.
   * The ranks of this JVM share the other weights.
   *
   * @throws ModelException as {@link #open(ModelFolder, CpuOptions)} does, and if the model is
   *     dense
   */
  public static CpuExecutor open(ModelFolder folder, CpuOptions options, Collective collective) {
    CpuExecutor executor = openMember(folder, options);
    try {
      executor.regroup(collective);
      return executor;
    } catch (RuntimeException | Error e) {
      executor.close();
      throw e;
    }
  }

  /**
   * Opens one rank of such a group, which it has yet to be told of by {@link #regroup}; until then
   * it has no experts and computes nothing.
   *
   * @throws ModelException as {@link #open(ModelFolder, CpuOptions)} does, and if the model is
   *     dense
   */
  public static CpuExecutor openMember(ModelFolder folder, CpuOptions options) {
    if (folder.config().experts() == null) {
      throw new ModelException(
          "model %s has no experts to be spread; leave --enable-expert-parallel out"
              .formatted(folder.name()));
    }
    EarlyKernels.expect(folder);
    SharedWeights weights = SharedWeights.open(folder, true, options.progress());
    try {
      return new CpuExecutor(folder, options, weights, true);
    } catch (RuntimeException | Error e) {
      weights.close();
      throw e;
    }
  }

  /** Gives up the experts of another share first, so that both need never fit into memory. */
  @Override
  public void share(int own, int members) {
    Experts experts = Objects.requireNonNull(config.experts());
    ExpertShares shares = new ExpertShares(experts.count(), members);
    ExpertWeights before = share;
    if (before != null && before.from() == shares.from(own) && before.to() == shares.to(own)) {
      return;
    }
    leave();
    if (before != null) {
      share = null;
      before.close();
    }
    AtomicReference<ExpertWeights> repacked = new AtomicReference<>();
    pool.hold(
        () ->
            repacked.set(
                ExpertWeights.repack(
                    config, folder.weights(), shares, own, pool, options.progress())));
    share = repacked.get();
  }

  @Override
  public void regroup(Collective collective) {
    share(collective.own(), collective.size());
    leave();
    mixture = forward.spread(Objects.requireNonNull(share), collective);
  }

  private void leave() {
    if (mixture != null) {
      waitedBefore += mixture.waitedNanos();
      mixture = null;
    }
  }

  /** Bytes of the repacked experts that this rank alone holds; 0 if it shares them with others. */
  public long expertBytes() {
    return share == null ? 0 : share.bytes();
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public int blocks() {
    return cache.blocks();
  }

  @Override
  public int blockSize() {
    return cache.blockSize();
  }

  @Override
  public StepResult execute(Batch batch) {
    if (closed) {
      throw new IllegalStateException("this executor is closed");
    }
    if (member && mixture == null) {
      throw new IllegalStateException("this executor has no group that shares its experts");
    }
    if (batch.isEmpty()) {
      if (member) {
        pool.hold(forward::runDummy);
      }
      return new StepResult(List.of());
    }
    Step step = new Step(batch);
    step.check(config.vocab(), cache.blocks(), cache.blockSize(), options.maxModelLen());
    AtomicReference<StepResult> result = new AtomicReference<>();
    pool.hold(
        () -> {
          forward.run(step);
          result.set(draws.run(step, forward));
        });
    return result.get();
  }

  @Override
  public long waitedNanos() {
    return waitedBefore + (mixture == null ? 0 : mixture.waitedNanos());
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      if (share != null) {
        share.close();
      }
      forward.close();
      cache.close();
      weights.close();
    }
  }
}
