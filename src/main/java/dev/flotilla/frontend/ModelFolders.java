package dev.flotilla.frontend;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.config.FrontendConfig;
import dev.flotilla.config.ModelLocation;
import dev.flotilla.model.ModelException;
import dev.flotilla.tokenizer.ChatTemplate;
import dev.flotilla.tokenizer.TextTokenizer;
import dev.flotilla.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Opens what a front-end needs of a model's folder: all but the weights. */
final class ModelFolders {
  private ModelFolders() {}

  /**
   * The model that a configuration names.
   *
   * @throws ModelException with a sentence if the folder or its tokenizer cannot be used
   */
  static ServedModel open(FrontendConfig config) {
    Path folder = ModelLocation.resolve(config.model()).toAbsolutePath().normalize();
    if (!Files.isDirectory(folder)) {
      throw new ModelException("model folder %s does not exist".formatted(folder));
    }
    TextTokenizer tokenizer = Tokenizers.open(folder);
    ChatTemplate template = ChatTemplate.open(folder);
    List<String> names =
        config.servedModelName().isEmpty()
            ? List.of(String.valueOf(folder.getFileName()))
            : config.servedModelName();
    return new ServedModel(names, tokenizer, template::render, defaults(folder));
  }

  private static ServedModel.Defaults defaults(Path folder) {
    Path file = folder.resolve("generation_config.json");
    if (!Files.exists(file)) {
      return ServedModel.Defaults.NONE;
    }
    try {
      JsonNode json = Fields.MAPPER.readTree(Files.readAllBytes(file));
      JsonNode topK = json.path("top_k");
      return new ServedModel.Defaults(
          number(json, "temperature"),
          number(json, "top_p"),
          topK.isNumber() ? Integer.valueOf(topK.intValue()) : null,
          number(json, "min_p"),
          number(json, "repetition_penalty"));
    } catch (IOException e) {
      throw new ModelException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static @Nullable Float number(JsonNode json, String name) {
    JsonNode value = json.path(name);
    return value.isNumber() ? Float.valueOf(value.floatValue()) : null;
  }
}
