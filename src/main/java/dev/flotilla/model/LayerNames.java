package dev.flotilla.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which attention layer of the weights each layer of the KV cache belongs to: in the numeric order
 * of their indices, so that 10 comes after 2.
 *
 * <p>Source: the original's {@code bind_kv_cache}, which refuses two layers of one index too.
 */
public final class LayerNames {
  private static final Pattern ATTENTION =
      Pattern.compile("((?:\\w+\\.)*?layers\\.(\\d{1,5}))\\.self_attn\\..+");

  private LayerNames() {}

  /**
   * The layers' names, one per layer of the cache; what a model has beyond its layers (for example
   * to predict several tokens) is left out.
   *
   * @param tensors names of all tensors
   * @throws ModelException if two layers have one index, or one is missing
   */
  public static List<String> bind(Set<String> tensors, int layers) {
    Map<Integer, String> byIndex = new TreeMap<>();
    for (String tensor : tensors) {
      Matcher matcher = ATTENTION.matcher(tensor);
      if (matcher.matches()) {
        String name = matcher.group(1);
        int index = Integer.parseInt(matcher.group(2));
        String other = byIndex.putIfAbsent(index, name);
        if (other != null && !other.equals(name)) {
          throw new ModelException(
              "layers %s and %s have one index; a KV cache layer can belong to one of them only"
                  .formatted(min(name, other), max(name, other)));
        }
      }
    }
    List<String> bound = new ArrayList<>();
    for (int index = 0; index < layers; index++) {
      String name = byIndex.get(index);
      if (name == null) {
        throw new ModelException(
            "the weights lack the attention of layer %d of %d; they have those of %s"
                .formatted(index, layers, byIndex.keySet()));
      }
      bound.add(name);
    }
    return bound;
  }

  private static String min(String a, String b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  private static String max(String a, String b) {
    return a.compareTo(b) < 0 ? b : a;
  }
}
