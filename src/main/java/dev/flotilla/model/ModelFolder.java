package dev.flotilla.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A model as Hugging Face lays it out in a folder: {@code config.json}, {@code *.safetensors},
 * {@code tokenizer.json}, {@code generation_config.json}. Opening reads the small files and maps
 * the weights; it checks that every tensor that the architecture needs is there in its shape, but
 * touches no weight. Immutable.
 *
 * @param path the folder
 * @param config its architecture
 * @param weights its tensors, in one mapping per file that all who open it in this JVM share
 * @param generation defaults of sampling
 * @param specialTokens text of each special token by its id, in the order of ids
 */
public record ModelFolder(
    Path path,
    ModelConfig config,
    Weights weights,
    GenerationDefaults generation,
    Map<Integer, String> specialTokens) {

  /** Keeps a private copy of the special tokens. */
  public ModelFolder {
    specialTokens = Collections.unmodifiableMap(new TreeMap<>(specialTokens));
  }

  /**
   * Opens a folder.
   *
   * @throws ModelException with a sentence if it is missing, incomplete, damaged, or a model that
   *     cannot be computed
   */
  public static ModelFolder open(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new ModelException(
          Files.exists(folder)
              ? "%s is not a model folder".formatted(folder)
              : "model folder %s does not exist".formatted(folder));
    }
    JsonFile generation = optional(folder.resolve("generation_config.json"));
    ModelConfig config = ConfigFile.parse(JsonFile.read(folder.resolve("config.json")), generation);
    FolderWeights weights = FolderWeights.open(folder);
    TensorShapes.of(config).forEach(weights::tensor);
    return new ModelFolder(
        folder,
        config,
        weights,
        generation == null ? GenerationDefaults.NONE : GenerationDefaults.parse(generation),
        special(optional(folder.resolve("tokenizer.json"))));
  }

  private static @Nullable JsonFile optional(Path file) {
    return Files.exists(file) ? JsonFile.read(file) : null;
  }

  private static Map<Integer, String> special(@Nullable JsonFile tokenizer) {
    Map<Integer, String> special = new TreeMap<>();
    JsonNode added = tokenizer == null ? null : tokenizer.find("added_tokens");
    if (added != null) {
      for (JsonNode token : added) {
        if (token.path("special").asBoolean()) {
          special.put(token.path("id").asInt(), token.path("content").asText());
        }
      }
    }
    return special;
  }

  /** Numbers that the model consists of. */
  public long parameters() {
    return TensorShapes.of(config).values().stream().mapToLong(ModelFolder::size).sum();
  }

  private static long size(int[] shape) {
    long size = 1;
    for (int length : shape) {
      size *= length;
    }
    return size;
  }

  /** The folder's own name, under which the model is served if no other is given. */
  public String name() {
    Path name = path.toAbsolutePath().normalize().getFileName();
    return name == null ? path.toString() : name.toString();
  }
}
