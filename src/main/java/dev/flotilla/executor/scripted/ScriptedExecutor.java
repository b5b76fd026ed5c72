package dev.flotilla.executor.scripted;

import dev.flotilla.config.ScriptedConfig;
import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A deterministic executor without weights: tokens are those of {@link ScriptedTokens}, and a step
 * takes the time of the linear cost model. It ignores the sampling parameters, emits no special
 * token, so that only {@code max_tokens} or a stop id ends a request, and reports log-probability 0
 * everywhere. Used by one thread.
 */
public final class ScriptedExecutor implements Executor {
  /** Far above any number of running sequences; a state is 16 bytes and its entry. */
  private static final int STATES_MAX = 65_536;

  private final ModelConfig config;
  private final ScriptedTokens tokens;
  private final ScriptedConfig cost;
  private final int blocks;
  private final int blockSize;

  /** The hash of all tokens up to the end of each block that is full: what its keys stand for. */
  private final long[] ends;

  private final BitSet full = new BitSet();
  private final Map<Long, State> states =
      new LinkedHashMap<>(1024, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, State> eldest) {
          return size() > STATES_MAX;
        }
      };

  /** The hash of the first {@code length} tokens of a sequence. */
  private static final class State {
    long hash = ScriptedTokens.START;
    int length;
  }

  /**
   * An executor.
   *
   * @param config its vocabulary is used, and the end tokens are never emitted
   * @param specials further ids that are never emitted
   * @param blocks null: as the cost model says
   */
  public ScriptedExecutor(
      ModelConfig config,
      TokenIds specials,
      ScriptedConfig cost,
      int blockSize,
      @Nullable Integer blocks) {
    this.config = config;
    this.cost = cost;
    this.blockSize = blockSize;
    this.blocks = blocks == null ? Math.max(1, cost.kvTokens() / blockSize) : blocks;
    ends = new long[this.blocks];
    tokens = ScriptedTokens.of(config.vocab(), specials.concat(config.eos()));
  }

  /** What an engine over this vocabulary answers to a prompt: the truth that clients check by. */
  public static TokenIds expectedTokens(int vocab, TokenIds specials, TokenIds prompt, int count) {
    return ScriptedTokens.of(vocab, specials).after(prompt, count);
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public int blocks() {
    return blocks;
  }

  @Override
  public int blockSize() {
    return blockSize;
  }

  @Override
  public StepResult execute(Batch batch) {
    long start = System.nanoTime();
    List<StepResult.Item> results = new ArrayList<>(batch.items().size());
    for (Batch.Item item : batch.items()) {
      results.add(result(item, advance(item)));
    }
    waitUntil(start + stepNanos(batch));
    return new StepResult(results);
  }

  @Override
  public void close() {
    states.clear();
  }

  private long advance(Batch.Item item) {
    State state = states.get(item.sequence());
    if (item.start() == 0) {
      state = new State();
      states.put(item.sequence(), state);
    }
    if (state == null || state.length != item.start()) {
      state = found(item, state);
    }
    if (state == null || state.length != item.start()) {
      throw new IllegalStateException(
          "sequence %d goes on at position %d, but %s"
              .formatted(
                  item.sequence(),
                  item.start(),
                  state == null ? "is not known" : "has come to " + state.length));
    }
    long hash = state.hash;
    int count = item.tokens().size();
    for (int i = 0; i < count; i++) {
      hash = ScriptedTokens.next(hash, item.tokens().get(i));
      int end = item.start() + i + 1;
      int block = (end - 1) / blockSize;
      if (block < item.blocks().size()) {
        ends[item.blocks().get(block)] = hash;
        full.set(item.blocks().get(block), end % blockSize == 0);
      }
    }
    state.hash = hash;
    state.length += count;
    return hash;
  }

  /** A sequence whose first blocks another one has computed. */
  private @Nullable State found(Batch.Item item, @Nullable State known) {
    int blocksBefore = item.start() / blockSize;
    if (item.start() % blockSize != 0 || !full.get(item.blocks().get(blocksBefore - 1))) {
      return known;
    }
    State state = new State();
    state.hash = ends[item.blocks().get(blocksBefore - 1)];
    state.length = item.start();
    states.put(item.sequence(), state);
    return state;
  }

  private StepResult.Item result(Batch.Item item, long hash) {
    Sampling sampling = item.sampling();
    List<Logprobs> prompt = item.promptLogprobs() < 0 ? List.of() : promptLogprobs(item);
    if (sampling == null) {
      return new StepResult.Item(-1, null, prompt);
    }
    int token = tokens.draw(hash);
    return new StepResult.Item(
        token, sampling.logprobs() < 0 ? null : certain(token, sampling.logprobs()), prompt);
  }

  private static List<Logprobs> promptLogprobs(Batch.Item item) {
    List<Logprobs> all = new ArrayList<>();
    for (int i = 1; i < item.tokens().size(); i++) {
      all.add(certain(item.tokens().get(i), item.promptLogprobs()));
    }
    if (item.nextToken() >= 0) {
      all.add(certain(item.nextToken(), item.promptLogprobs()));
    }
    return all;
  }

  private static Logprobs certain(int token, int top) {
    Logprobs.Entry entry = new Logprobs.Entry(token, 0);
    return new Logprobs(entry, top > 0 ? List.of(entry) : List.of());
  }

  /** What the step costs, scaled. */
  long stepNanos(Batch batch) {
    return cost.scale() == 0 ? 0 : (long) (stepMs(cost, batch) * cost.scale() * 1e6);
  }

  /**
   * What a step costs under the linear model of {@link ScriptedConfig}, unscaled. A stretch of a
   * prompt attends to half of itself on average, so that chunks cost what the whole does.
   */
  public static double stepMs(ScriptedConfig cost, Batch batch) {
    double ms = cost.baseMs();
    for (Batch.Item item : batch.items()) {
      int count = item.tokens().size();
      boolean decodes = count == 1 && item.start() > 0;
      ms +=
          decodes
              ? cost.decodeMs() + cost.residentMs() * (item.start() + 1)
              : cost.prefillMs() * count * (1 + (item.start() + count / 2.0) / cost.contextScale());
    }
    return ms;
  }

  /** Waits to the point in time: a park may end early, and an interrupt ends the wait. */
  private static void waitUntil(long deadline) {
    for (long left = deadline - System.nanoTime();
        left > 0 && !Thread.currentThread().isInterrupted();
        left = deadline - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }
}
