package dev.flotilla.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The tensors of all {@code .safetensors} files of a folder. */
final class FolderWeights implements Weights {
  private static final String INDEX = "model.safetensors.index.json";

  private final Path folder;
  private final Map<String, Safetensors> holders;

  private FolderWeights(Path folder, Map<String, Safetensors> holders) {
    this.folder = folder;
    this.holders = holders;
  }

  static FolderWeights open(Path folder) {
    Map<String, Safetensors> holders = new HashMap<>();
    for (Path file : files(folder)) {
      Safetensors tensors = Safetensors.open(file);
      for (String name : tensors.names()) {
        holders.put(name, tensors);
      }
    }
    return new FolderWeights(folder, Map.copyOf(holders));
  }

  private static List<Path> files(Path folder) {
    if (Files.exists(folder.resolve(INDEX))) {
      return shards(folder, JsonFile.read(folder.resolve(INDEX)));
    }
    try (Stream<Path> all = Files.list(folder)) {
      List<Path> found =
          all.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList();
      if (found.isEmpty()) {
        throw new ModelException(
            "model folder %s has no weights: expected model.safetensors or %s"
                .formatted(folder, INDEX));
      }
      if (found.size() > 1) {
        throw new ModelException(
            "model folder %s has %d .safetensors files but no %s that says what is in which"
                .formatted(folder, found.size(), INDEX));
      }
      return found;
    } catch (IOException e) {
      throw new ModelException("cannot list %s: %s".formatted(folder, e.getMessage()), e);
    }
  }

  private static List<Path> shards(Path folder, JsonFile index) {
    JsonFile map = index.section("weight_map");
    TreeSet<String> names = new TreeSet<>();
    if (map != null) {
      for (JsonNode file : map.object()) {
        names.add(file.asText());
      }
    }
    if (names.isEmpty()) {
      throw new ModelException("%s lacks the key weight_map".formatted(index.file()));
    }
    List<Path> files = new ArrayList<>();
    for (String name : names) {
      if (name.contains("/") || name.contains("\\")) {
        throw new ModelException(
            "%s: weight_map names %s, which is not a file of the folder"
                .formatted(index.file(), name));
      }
      files.add(folder.resolve(name));
    }
    return files;
  }

  @Override
  public Tensor tensor(String name, int... shape) {
    Safetensors holder = holders.get(name);
    Tensor tensor = holder == null ? null : holder.find(name);
    if (holder == null || tensor == null) {
      throw new ModelException("the weights in %s lack tensor %s".formatted(folder, name));
    }
    List<Integer> expected = Arrays.stream(shape).boxed().toList();
    if (!tensor.shape().equals(expected)) {
      throw new ModelException(
          "%s: tensor %s has shape %s, but config.json makes it %s"
              .formatted(holder.file(), name, tensor.shape(), expected));
    }
    return tensor;
  }

  @Override
  public Set<String> names() {
    return holders.keySet();
  }

  @Override
  public boolean has(String name) {
    return holders.containsKey(name);
  }
}
