package dev.flotilla.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.model.ModelConfig.Experts;
import dev.flotilla.model.ModelConfig.Kind;
import dev.flotilla.model.ModelConfig.Llama3Scaling;
import dev.flotilla.model.ModelConfig.Rope;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code config.json}. What a model asks for and no executor computes is refused here, since
 * ignoring it would give a model that answers nonsense.
 */
final class ConfigFile {
  private static final double THETA_DEFAULT = 10_000;

  private ConfigFile() {}

  /**
   * The architecture.
   *
   * @param generation {@code generation_config.json}, whose end tokens win; null if there is none
   */
  static ModelConfig parse(JsonFile json, @Nullable JsonFile generation) {
    Kind kind = kind(json);
    refuseUnsupported(json);
    int hidden = json.positive("hidden_size", null);
    int heads = json.positive("num_attention_heads", null);
    int kvHeads = json.positive("num_key_value_heads", heads);
    if (heads % kvHeads != 0) {
      throw json.unsupported(
          "num_key_value_heads", kvHeads, "it must divide num_attention_heads = " + heads);
    }
    int headDim = json.positive("head_dim", kind == Kind.QWEN3 ? 128 : hidden / heads);
    if (headDim % 2 != 0) {
      throw json.unsupported("head_dim", headDim, "it must be even");
    }
    int[] bos = json.tokens("bos_token_id");
    return new ModelConfig(
        kind,
        hidden,
        json.positive("intermediate_size", null),
        json.positive("num_hidden_layers", null),
        heads,
        kvHeads,
        headDim,
        json.positive("vocab_size", null),
        (float) json.number("rms_norm_eps", 1e-6),
        rope(json),
        json.positive("max_position_embeddings", 2048),
        json.flag("tie_word_embeddings", false),
        kind != Kind.LLAMA,
        kind == Kind.QWEN3_MOE ? experts(json) : null,
        eos(json, generation),
        bos == null || bos.length == 0 ? -1 : bos[0]);
  }

  private static Kind kind(JsonFile json) {
    List<String> names = json.texts("architectures");
    return switch (names.isEmpty() ? "" : names.getFirst()) {
      case "LlamaForCausalLM" -> Kind.LLAMA;
      case "Qwen3ForCausalLM" -> Kind.QWEN3;
      case "Qwen3MoeForCausalLM" -> Kind.QWEN3_MOE;
      default ->
          throw json.unsupported(
              "architectures",
              names,
              "supported are LlamaForCausalLM, Qwen3ForCausalLM and Qwen3MoeForCausalLM");
    };
  }

  private static void refuseUnsupported(JsonFile json) {
    for (String key : List.of("attention_bias", "mlp_bias")) {
      if (json.flag(key, false)) {
        throw json.unsupported(key, true, "only layers without bias are computed");
      }
    }
    String activation = json.text("hidden_act");
    if (activation != null && !activation.equals("silu") && !activation.equals("swish")) {
      throw json.unsupported("hidden_act", activation, "supported is silu");
    }
    JsonNode window = json.find("sliding_window");
    if (window != null && json.flag("use_sliding_window", true)) {
      throw json.unsupported("sliding_window", window, "only full attention is computed");
    }
    for (String type : json.texts("layer_types")) {
      if (!type.equals("full_attention")) {
        throw json.unsupported("layer_types", type, "only full attention is computed");
      }
    }
    if (json.find("quantization_config") != null) {
      throw json.unsupported(
          "quantization_config", "{…}", "weights must be in bfloat16, float16 or float32");
    }
    double rotary = json.number("partial_rotary_factor", 1);
    if (rotary != 1) {
      throw json.unsupported("partial_rotary_factor", rotary, "the whole head must be rotated");
    }
  }

  /** Newer files have one object {@code rope_parameters}, older ones two keys. */
  private static Rope rope(JsonFile json) {
    JsonFile parameters = json.section("rope_parameters");
    double theta = json.number("rope_theta", THETA_DEFAULT);
    if (parameters == null) {
      parameters = json.section("rope_scaling");
    } else {
      theta = parameters.number("rope_theta", theta);
    }
    if (parameters == null) {
      return new Rope(theta, null);
    }
    String key = parameters.find("rope_type") == null ? "type" : "rope_type";
    String named = parameters.text(key);
    String type = named == null ? "default" : named;
    return switch (type) {
      case "default" -> new Rope(theta, null);
      case "llama3" ->
          new Rope(
              theta,
              new Llama3Scaling(
                  parameters.required("factor"),
                  parameters.required("low_freq_factor"),
                  parameters.required("high_freq_factor"),
                  parameters.positive("original_max_position_embeddings", null)));
      default -> throw parameters.unsupported(key, type, "supported are default and llama3");
    };
  }

  private static Experts experts(JsonFile json) {
    JsonNode layers = json.find("mlp_only_layers");
    if (layers != null && !layers.isEmpty()) {
      throw json.unsupported("mlp_only_layers", layers, "every layer must have experts");
    }
    int step = json.positive("decoder_sparse_step", 1);
    if (step != 1) {
      throw json.unsupported("decoder_sparse_step", step, "every layer must have experts");
    }
    int count =
        json.find("num_experts") == null
            ? json.positive("num_local_experts", null)
            : json.positive("num_experts", null);
    int perToken = json.positive("num_experts_per_tok", null);
    if (perToken > count) {
      throw json.unsupported(
          "num_experts_per_tok", perToken, "there are %d experts".formatted(count));
    }
    return new Experts(
        count,
        perToken,
        json.positive("moe_intermediate_size", null),
        json.flag("norm_topk_prob", false));
  }

  private static TokenIds eos(JsonFile json, @Nullable JsonFile generation) {
    int[] ids = generation == null ? null : generation.tokens("eos_token_id");
    if (ids == null) {
      ids = json.tokens("eos_token_id");
    }
    return ids == null ? TokenIds.EMPTY : TokenIds.of(ids);
  }
}
