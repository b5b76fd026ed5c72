package dev.flotilla.engine;

import dev.flotilla.collective.InStep;
import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.ExecutorKind;
import dev.flotilla.config.ModelLocation;
import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.executor.cpu.CpuOptions;
import dev.flotilla.executor.scripted.ScriptedExecutor;
import dev.flotilla.grammar.GrammarMasks;
import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelException;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.tokenizer.TokenBytes;
import org.jspecify.annotations.Nullable;

/** Opens what an engine's configuration asks for. Loads weights, so it may take long. */
final class Executors {
  private Executors() {}

  /**
   * An executor that is ready.
   *
   * @param model the model's name
   * @param maxModelLen most tokens of prompt and output together
   * @param masks of structured output; null if the executor draws what it likes
   * @param member whether it steps together with others, which it has yet to be told of
   */
  record Opened(
      Executor executor,
      String model,
      int maxModelLen,
      @Nullable GrammarMasks masks,
      boolean member) {

    Opened(Executor executor, String model, int maxModelLen) {
      this(executor, model, maxModelLen, null, false);
    }
  }

  /** Opens an executor; replaced in tests. */
  interface Source {
    Opened open(EngineConfig config);
  }

  /**
   * The configured one.
   *
   * @throws ModelException with a sentence if the model or the executor cannot be used
   */
  static Opened open(EngineConfig config) {
    if (config.executor() == ExecutorKind.CUDA) {
      throw new ModelException("executor cuda is not built yet; use --executor cpu");
    }
    ModelFolder folder = ModelFolder.open(ModelLocation.resolve(config.model()));
    boolean member = member(config, folder);
    return config.executor() == ExecutorKind.CPU
        ? cpu(config, folder, member)
        : scripted(config, folder, member);
  }

  /** Whether the experts are spread: only a mixture has some, and only several ranks share. */
  private static boolean member(EngineConfig config, ModelFolder folder) {
    return config.expertParallel()
        && config.dataParallelSize() > 1
        && folder.config().experts() != null;
  }

  private static Opened cpu(EngineConfig config, ModelFolder folder, boolean member) {
    int longest = maxModelLen(config, folder.config());
    CpuOptions options =
        new CpuOptions(
            config.blockSize(),
            config.numGpuBlocksOverride(),
            longest,
            config.maxNumSeqs(),
            config.maxNumBatchedTokens(),
            new LoadProgress(folder.name()));
    Executor executor =
        member ? CpuExecutor.openMember(folder, options) : CpuExecutor.open(folder, options);
    GrammarMasks masks =
        new GrammarMasks(() -> TokenBytes.read(folder.path()), folder.config().eos());
    return new Opened(executor, folder.name(), fitting(config, longest, executor), masks, member);
  }

  private static Opened scripted(EngineConfig config, ModelFolder folder, boolean member) {
    int longest = maxModelLen(config, config.scripted().maxModelLen(), "the scripted executor's");
    TokenIds specials =
        TokenIds.of(folder.specialTokens().keySet().stream().mapToInt(Integer::intValue).toArray());
    Executor scripted =
        new ScriptedExecutor(
            folder.config(),
            specials,
            config.scripted(),
            config.blockSize(),
            config.numGpuBlocksOverride());
    Executor executor = member ? new InStep(scripted) : scripted;
    return new Opened(executor, folder.name(), fitting(config, longest, executor), null, member);
  }

  private static int maxModelLen(EngineConfig config, int models, String whose) {
    Integer wanted = config.maxModelLen();
    if (wanted != null && wanted > models) {
      throw new ModelException(
          "--max-model-len %d is more than %s longest sequence of %d tokens"
              .formatted(wanted, whose, models));
    }
    return wanted == null ? models : wanted;
  }

  /**
   * A sequence of full length must fit into the KV cache: an explicit length that does not is an
   * error, the model's own is cut.
   */
  private static int fitting(EngineConfig config, int longest, Executor executor) {
    long capacity = (long) executor.blocks() * executor.blockSize();
    if (longest <= capacity) {
      return longest;
    }
    if (config.maxModelLen() != null) {
      executor.close();
      throw new ModelException(
          "--max-model-len %d does not fit into a KV cache of %d blocks of %d tokens; ask for at most %d, or for more blocks with --num-gpu-blocks-override"
              .formatted(longest, executor.blocks(), executor.blockSize(), capacity));
    }
    return (int) capacity;
  }

  /** The longest sequence that the model knows, or that the configuration allows. */
  static int maxModelLen(EngineConfig config, ModelConfig model) {
    return maxModelLen(config, model.maxPositions(), "the model's");
  }
}
