package dev.flotilla.model;

import dev.flotilla.model.ModelConfig.Experts;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which tensors an architecture needs, in Hugging Face's names, and in which shapes. */
final class TensorShapes {
  private TensorShapes() {}

  static Map<String, int[]> of(ModelConfig c) {
    Map<String, int[]> all = new LinkedHashMap<>();
    all.put("model.embed_tokens.weight", shape(c.vocab(), c.hidden()));
    all.put("model.norm.weight", shape(c.hidden()));
    if (!c.tied()) {
      all.put("lm_head.weight", shape(c.vocab(), c.hidden()));
    }
    int width = c.heads() * c.headDim();
    for (int i = 0; i < c.layers(); i++) {
      String layer = "model.layers." + i + ".";
      all.put(layer + "input_layernorm.weight", shape(c.hidden()));
      all.put(layer + "post_attention_layernorm.weight", shape(c.hidden()));
      all.put(layer + "self_attn.q_proj.weight", shape(width, c.hidden()));
      all.put(layer + "self_attn.k_proj.weight", shape(c.kvWidth(), c.hidden()));
      all.put(layer + "self_attn.v_proj.weight", shape(c.kvWidth(), c.hidden()));
      all.put(layer + "self_attn.o_proj.weight", shape(c.hidden(), width));
      if (c.qkNorm()) {
        all.put(layer + "self_attn.q_norm.weight", shape(c.headDim()));
        all.put(layer + "self_attn.k_norm.weight", shape(c.headDim()));
      }
      Experts experts = c.experts();
      if (experts == null) {
        feedForward(all, layer + "mlp.", c.hidden(), c.intermediate());
      } else {
        all.put(layer + "mlp.gate.weight", shape(experts.count(), c.hidden()));
        for (int e = 0; e < experts.count(); e++) {
          feedForward(all, layer + "mlp.experts." + e + ".", c.hidden(), experts.intermediate());
        }
      }
    }
    return all;
  }

  private static void feedForward(Map<String, int[]> all, String prefix, int hidden, int width) {
    all.put(prefix + "gate_proj.weight", shape(width, hidden));
    all.put(prefix + "up_proj.weight", shape(width, hidden));
    all.put(prefix + "down_proj.weight", shape(hidden, width));
  }

  private static int[] shape(int... dims) {
    return dims;
  }
}
