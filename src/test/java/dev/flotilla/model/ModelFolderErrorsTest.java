package dev.flotilla.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.TokenIds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders in every spelling that is in use, and broken ones, each with its sentence. */
class ModelFolderErrorsTest {
  @TempDir private Path path = Path.of("");

  private FakeFolder fake() throws Exception {
    return new FakeFolder(path);
  }

  private String refusal() {
    String sentence =
        String.valueOf(
            assertThrows(ModelException.class, () -> ModelFolder.open(path)).getMessage());
    assertFalse(sentence.contains("\n"), sentence);
    assertTrue(sentence.contains(path.toString()), sentence);
    return sentence;
  }

  @Test
  void readsOldSpellingsAndDefaults() throws Exception {
    ModelConfig config = fake().parse();
    assertEquals(2, config.headDim());
    assertEquals(500, config.rope().theta());
    assertEquals(1e-6f, config.normEps());
    assertEquals(TokenIds.of(2), config.eos());
    assertEquals(-1, config.bos());
  }

  @Test
  void readsScaledRotaryEmbeddings() throws Exception {
    ModelConfig.Llama3Scaling expected = new ModelConfig.Llama3Scaling(8, 1, 4, 8192);
    FakeFolder fake = fake();
    for (String key : List.of("type", "rope_type")) {
      String scaling =
          """
          {"%s": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
           "original_max_position_embeddings": 8192}
          """
              .formatted(key);
      ModelConfig.Rope rope = fake.with("rope_scaling", scaling).parse().rope();
      assertEquals(new ModelConfig.Rope(500, expected), rope);
    }
    fake.with("rope_parameters", "{\"rope_theta\": 7.0, \"rope_type\": \"default\"}");
    assertEquals(new ModelConfig.Rope(7, null), fake.parse().rope());
  }

  @Test
  void generationSettingsWinOverTheConfiguration() throws Exception {
    fake()
        .write(
            "generation_config.json",
            "{\"eos_token_id\": [1, 3], \"temperature\": 0.6, \"top_k\": 20, \"top_p\": 0.95}");
    ModelFolder folder = ModelFolder.open(path);
    assertEquals(TokenIds.of(1, 3), folder.config().eos());
    assertEquals(new GenerationDefaults(0.6f, 0.95f, 20, null), folder.generation());
  }

  @Test
  void readsEveryElementTypeExactly() throws Exception {
    FakeFolder fake = fake();
    for (String dtype : List.of("F32", "F16", "BF16")) {
      fake.writeWeights("model.safetensors", List.copyOf(fake.shapes.keySet()), dtype);
      Tensor tensor = ModelFolder.open(path).weights().tensor("model.embed_tokens.weight", 5, 4);
      assertEquals(DType.valueOf(dtype), tensor.dtype());
      assertEquals(19 / 4f, tensor.get(19));
      assertEquals(0.25f, tensor.toFloats()[1]);
    }
  }

  @Test
  void readsShards() throws Exception {
    FakeFolder fake = fake();
    Files.delete(path.resolve("model.safetensors"));
    List<String> names = List.copyOf(fake.shapes.keySet());
    fake.writeWeights("a.safetensors", names.subList(0, 3), "F32");
    fake.writeWeights("b.safetensors", names.subList(3, names.size()), "F32");
    assertTrue(refusal().contains("has 2 .safetensors files but no model.safetensors.index.json"));
    var index = FakeFolder.JSON.createObjectNode();
    for (String name : names) {
      String file = names.indexOf(name) < 3 ? "a.safetensors" : "b.safetensors";
      index.withObject("/weight_map").put(name, file);
    }
    fake.write("model.safetensors.index.json", index.toString());
    assertNotNull(ModelFolder.open(path));
    Files.delete(path.resolve("b.safetensors"));
    assertTrue(refusal().endsWith("b.safetensors is missing"));
    index.withObject("/weight_map").put("x", "../b.safetensors");
    fake.write("model.safetensors.index.json", index.toString());
    assertTrue(refusal().contains("which is not a file of the folder"));
  }

  @Test
  void saysWhatIsMissing() throws Exception {
    Path none = path.resolve("none");
    String missing =
        String.valueOf(
            assertThrows(ModelException.class, () -> ModelFolder.open(none)).getMessage());
    assertEquals("model folder %s does not exist".formatted(none), missing);
    assertEquals("model folder %s has no config.json".formatted(path), refusal());
    fake();
    Files.delete(path.resolve("model.safetensors"));
    assertTrue(refusal().startsWith("model folder %s has no weights".formatted(path)));
  }

  @Test
  void saysHowFarATruncatedFileReaches() throws Exception {
    fake();
    Path file = path.resolve("model.safetensors");
    byte[] whole = Files.readAllBytes(file);
    for (int length : new int[] {whole.length - 1, whole.length / 2, 100, 9, 8, 3, 0}) {
      Files.write(file, Arrays.copyOf(whole, length));
      String sentence = refusal();
      assertTrue(sentence.contains("is truncated: expected at least"), sentence);
      assertTrue(sentence.contains("found %d".formatted(length)), sentence);
    }
  }

  @Test
  void refusesMalformedWeights() throws Exception {
    FakeFolder fake = fake();
    fake.write("model.safetensors", "<!DOCTYPE html><html>not found</html>");
    assertTrue(refusal().contains("is not a safetensors file"));
    for (String entry :
        List.of(
            "{\"dtype\": \"F32\", \"shape\": [5, 4], \"data_offsets\": [8, 0]}",
            "{\"dtype\": \"F32\", \"shape\": [5, -4], \"data_offsets\": [0, 80]}",
            "{\"shape\": [5, 4], \"data_offsets\": [0, 80]}",
            "[]")) {
      var header = FakeFolder.JSON.createObjectNode();
      header.set("model.embed_tokens.weight", FakeFolder.JSON.readTree(entry));
      fake.writeRaw("model.safetensors", header, new byte[80]);
      assertTrue(refusal().contains("tensor model.embed_tokens.weight is malformed"), entry);
    }
  }

  @Test
  void refusesTensorsThatDoNotFitTheConfiguration() throws Exception {
    FakeFolder fake = fake();
    fake.with("vocab_size", "7");
    assertTrue(
        refusal()
            .endsWith(
                "tensor model.embed_tokens.weight has shape [5, 4], but config.json makes it [7, 4]"));
    fake.with("vocab_size", "5").with("tie_word_embeddings", "false");
    assertTrue(refusal().endsWith("lack tensor lm_head.weight"));
    fake.with("tie_word_embeddings", "true");
    fake.writeWeights("model.safetensors", List.copyOf(fake.shapes.keySet()), "F8_E4M3");
    assertTrue(refusal().contains("is of type F8_E4M3; supported are BF16, F16 and F32"));
  }

  @Test
  void refusesWhatNoExecutorComputes() throws Exception {
    Map<String, String> unsupported =
        Map.ofEntries(
            Map.entry("architectures", "[\"GPT2LMHeadModel\"]"),
            Map.entry("attention_bias", "true"),
            Map.entry("mlp_bias", "true"),
            Map.entry("hidden_act", "\"gelu\""),
            Map.entry("sliding_window", "4096"),
            Map.entry("layer_types", "[\"full_attention\", \"sliding_attention\"]"),
            Map.entry("quantization_config", "{\"bits\": 4}"),
            Map.entry("rope_scaling", "{\"rope_type\": \"yarn\", \"factor\": 4.0}"),
            Map.entry("partial_rotary_factor", "0.5"),
            Map.entry("num_key_value_heads", "3"),
            Map.entry("head_dim", "3"));
    for (var entry : unsupported.entrySet()) {
      FakeFolder fake = fake();
      fake.with(entry.getKey(), entry.getValue());
      String sentence = refusal();
      assertTrue(sentence.contains("is not supported"), sentence);
      boolean named =
          sentence.contains(entry.getKey()) || sentence.contains("rope_scaling.rope_type = yarn");
      assertTrue(named, sentence);
    }
  }

  @Test
  void refusesMixturesWithDenseLayers() throws Exception {
    for (String key : List.of("mlp_only_layers", "decoder_sparse_step")) {
      FakeFolder fake = fake();
      fake.with("architectures", "[\"Qwen3MoeForCausalLM\"]")
          .with("num_experts", "4")
          .with("num_experts_per_tok", "2")
          .with("moe_intermediate_size", "6")
          .with(key, key.equals("mlp_only_layers") ? "[0]" : "2");
      String sentence = refusal();
      assertTrue(sentence.endsWith("every layer must have experts"), sentence);
    }
  }

  @Test
  void refusesValuesOfTheWrongKind() throws Exception {
    FakeFolder fake = fake();
    fake.with("hidden_size", "\"wide\"");
    assertTrue(refusal().endsWith("hidden_size must be a positive whole number, not \"wide\""));
    fake.with("hidden_size", "null");
    assertTrue(refusal().endsWith("lacks the key hidden_size"));
    fake.with("hidden_size", "4").with("eos_token_id", "[1, \"end\"]");
    assertTrue(refusal().contains("eos_token_id must be a token id or a list of token ids"));
    fake.write("config.json", "{\"hidden_size\": ");
    assertTrue(refusal().contains("config.json is not JSON"));
  }
}
