package dev.flotilla.model;

import java.util.Set;

/**
 * The named tensors of a model (Hugging Face names, e.g. {@code
 * model.layers.0.self_attn.q_proj.weight}). Safe for use by several threads.
 */
public interface Weights {
  /**
   * The tensor of that name and shape.
   *
   * @throws ModelException if it is missing or has another shape
   */
  Tensor tensor(String name, int... shape);

  /** The names of all tensors. */
  Set<String> names();

  /** Whether there is a tensor of that name. */
  boolean has(String name);
}
