package dev.flotilla.executor.cpu;

import dev.flotilla.model.Executor;
import dev.flotilla.model.ModelFolder;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * An executor under test.
 *
 * @param fast whether it is fast enough for hundreds of questions
 */
record Subject(String name, boolean fast, Function<ModelFolder, Executor> opener) {
  static final int BLOCKS = 512;
  static final int BLOCK_SIZE = 16;

  private static final CpuOptions OPTIONS =
      new CpuOptions(BLOCK_SIZE, BLOCKS, 1024, 32, 2048, CpuOptions.Progress.NONE);

  static final Subject REFERENCE =
      new Subject("reference", false, folder -> ReferenceExecutor.open(folder, BLOCKS, BLOCK_SIZE));

  static final Subject VECTOR =
      new Subject("vector", true, folder -> CpuExecutor.open(folder, OPTIONS));

  static final List<Subject> ALL = List.of(REFERENCE, VECTOR);

  static final List<String> MODELS = List.of("tiny-llama", "tiny-qwen3-moe");

  static Path base() {
    return Path.of(Objects.requireNonNull(System.getProperty("flotilla.basedir")));
  }

  static Path folder(String model) {
    return base().resolve("src/main/models").resolve(model);
  }

  Executor open(String model) {
    return opener.apply(ModelFolder.open(folder(model)));
  }

  @Override
  public String toString() {
    return name;
  }
}
