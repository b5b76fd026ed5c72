package dev.flotilla.executor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.model.Batch;
import dev.flotilla.model.DType;
import dev.flotilla.model.GenerationDefaults;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelException;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.model.StepResult;
import dev.flotilla.model.Tensor;
import dev.flotilla.model.Weights;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CpuExecutorTest {
  private static final int VOCAB = 203;
  private static final int PROMPT = 45;

  @TempDir Path folder;

  private final RandomGenerator random = RandomGenerator.of("L64X128MixRandom");

  /** Widths that are multiples of nothing. */
  private static ModelConfig config(boolean mixture) {
    return new ModelConfig(
        mixture ? ModelConfig.Kind.QWEN3_MOE : ModelConfig.Kind.LLAMA,
        50,
        70,
        2,
        6,
        2,
        20,
        VOCAB,
        1e-5f,
        new ModelConfig.Rope(10_000, null),
        256,
        true,
        mixture,
        mixture ? new ModelConfig.Experts(5, 2, 37, true) : null,
        TokenIds.of(0),
        -1);
  }

  /** Tensors made when they are asked for. */
  private final class RandomWeights implements Weights {
    private final Map<String, Tensor> made = new HashMap<>();

    @Override
    public synchronized Tensor tensor(String name, int... shape) {
      return made.computeIfAbsent(name, n -> make(n, shape));
    }

    @Override
    public Set<String> names() {
      return IntStream.range(0, 64)
          .mapToObj(i -> "model.layers." + i + ".self_attn.q_proj.weight")
          .collect(Collectors.toSet());
    }

    private Tensor make(String name, int... shape) {
      int elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
      MemorySegment data = Arena.ofAuto().allocate(elements * 2L);
      for (int i = 0; i < elements; i++) {
        float value = (float) random.nextGaussian(shape.length == 1 ? 1 : 0, 0.2);
        data.set(
            ValueLayout.JAVA_SHORT_UNALIGNED,
            i * 2L,
            (short) (Float.floatToRawIntBits(value) >>> 16));
      }
      return new Tensor(name, DType.BF16, Arrays.stream(shape).boxed().toList(), data);
    }

    @Override
    public boolean has(String name) {
      return true;
    }
  }

  private ModelFolder model(boolean mixture) {
    GenerationDefaults none = GenerationDefaults.NONE;
    return new ModelFolder(folder, config(mixture), new RandomWeights(), none, Map.of());
  }

  private static CpuOptions options(int blockSize) {
    return new CpuOptions(blockSize, 1024 / blockSize, 200, 8, 256, CpuOptions.Progress.NONE);
  }

  private TokenIds prompt(int tokens) {
    return TokenIds.of(random.ints(tokens, 0, VOCAB).toArray());
  }

  /** Block tables that are neither ascending nor shared. */
  private static TokenIds blocks(int sequence, int blockSize) {
    int[] blocks = new int[128 / blockSize];
    Arrays.setAll(blocks, i -> (blocks.length - 1 - i) * 8 + sequence);
    return TokenIds.of(blocks);
  }

  private static Batch.Item item(
      int sequence, TokenIds all, int from, int to, int blockSize, boolean draws) {
    return new Batch.Item(
        sequence,
        all.slice(from, to),
        from,
        blocks(sequence, blockSize),
        draws ? Sampling.greedy(9).withLogprobs(3, 2) : null,
        2,
        to < all.size() ? all.get(to) : -1);
  }

  private static StepResult.Item alone(CpuExecutor executor, TokenIds prompt, int blockSize) {
    Batch.Item item = item(0, prompt, 0, prompt.size(), blockSize, true);
    return executor.execute(new Batch(List.of(item))).items().getFirst();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 16, 64})
  void givesTheSameBitsHoweverAPromptIsCutAndWhateverRunsBeside(int blockSize) {
    for (boolean mixture : new boolean[] {false, true}) {
      TokenIds prompt = prompt(PROMPT);
      TokenIds other = prompt(100);
      try (CpuExecutor executor = CpuExecutor.open(model(mixture), options(blockSize))) {
        StepResult.Item expected = alone(executor, prompt, blockSize);
        assertEquals(PROMPT - 1, expected.promptLogprobs().size());
        for (int chunk : new int[] {1, 3, 8, 17}) {
          List<Object> promptLogprobs = new ArrayList<>();
          StepResult.Item last = expected;
          for (int from = 0; from < PROMPT; from += chunk) {
            int to = Math.min(PROMPT, from + chunk);
            List<Batch.Item> items = new ArrayList<>();
            for (int s = 1; s <= from % 5; s++) {
              items.add(item(s, other, 0, 20 * s - from % 4, blockSize, true));
            }
            items.add(item(7, prompt, from, to, blockSize, to == PROMPT));
            last = executor.execute(new Batch(items)).items().getLast();
            promptLogprobs.addAll(last.promptLogprobs());
          }
          assertEquals(expected.promptLogprobs(), promptLogprobs);
          assertEquals(expected.token(), last.token());
          assertEquals(expected.logprobs(), last.logprobs());
        }
      }
    }
  }

  @Test
  void ranksShareOneCopyOfTheWeightsUntilTheLastCloses() {
    ModelFolder model = model(false);
    TokenIds prompt = prompt(PROMPT);
    List<Long> repacked = new ArrayList<>();
    CpuOptions loud = new CpuOptions(16, 64, 200, 8, 256, (done, total) -> repacked.add(done));
    try (CpuExecutor first = CpuExecutor.open(model, loud)) {
      int calls = repacked.size();
      assertTrue(calls > 0);
      StepResult.Item expected = alone(first, prompt, 16);
      try (CpuExecutor second = CpuExecutor.open(model, loud);
          SharedWeights a = SharedWeights.open(model, false, CpuOptions.Progress.NONE);
          SharedWeights b = SharedWeights.open(model, false, CpuOptions.Progress.NONE)) {
        assertSame(a.weights(), b.weights());
        assertEquals(calls, repacked.size());
        assertEquals(expected, alone(second, prompt, 16));
      }
      assertEquals(expected, alone(first, prompt, 16));
    }
  }

  @Test
  void refusesWhatWouldReadBeyondItsMemory() {
    try (CpuExecutor executor = CpuExecutor.open(model(false), options(16))) {
      Sampling greedy = Sampling.greedy(1);
      TokenIds one = TokenIds.of(1);
      List<Batch.Item> wrong =
          List.of(
              new Batch.Item(1, TokenIds.of(VOCAB), 0, one, greedy, -1, -1),
              new Batch.Item(1, one, 16, one, greedy, -1, -1),
              new Batch.Item(1, one, 0, TokenIds.of(64), greedy, -1, -1),
              new Batch.Item(1, TokenIds.EMPTY, 0, one, greedy, -1, -1));
      for (Batch.Item item : wrong) {
        Batch batch = new Batch(List.of(item));
        assertThrows(ModelException.class, () -> executor.execute(batch));
      }
    }
  }

  @Test
  void takesOneLongestSequenceAtLeast() {
    CpuOptions options = new CpuOptions(16, null, 200, 3, 256, CpuOptions.Progress.NONE);
    assertEquals(13 * 3, CacheSize.blocks(config(false), options));
  }
}
