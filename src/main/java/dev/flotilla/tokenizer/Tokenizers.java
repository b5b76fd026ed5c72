package dev.flotilla.tokenizer;

import dev.flotilla.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.ConcurrentHashMap;

/** Opens tokenizers; each folder's once in a JVM, since loading takes long and they are shared. */
public final class Tokenizers {
  private static final ConcurrentHashMap<Key, TextTokenizer> OPEN = new ConcurrentHashMap<>();

  private record Key(Path real, long bytes, FileTime modified) {}

  private Tokenizers() {}

  /**
   * The tokenizer of a model folder.
   *
   * @throws ModelException with a sentence if {@code tokenizer.json} is missing or cannot be used
   */
  public static TextTokenizer open(Path folder) {
    Path file = folder.resolve("tokenizer.json");
    if (!Files.isRegularFile(file)) {
      throw new ModelException("model folder %s has no tokenizer.json".formatted(folder));
    }
    try {
      Path real = file.toRealPath();
      Key key = new Key(real, Files.size(real), Files.getLastModifiedTime(real));
      return OPEN.computeIfAbsent(key, k -> HuggingFaceTokenizer.read(real));
    } catch (IOException e) {
      throw new ModelException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }
}
