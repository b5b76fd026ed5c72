package dev.flotilla.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.model.ModelConfig.Kind;
import dev.flotilla.protocol.TokenIds;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The bundled folders, read as they are. */
class ModelFolderTest {
  private static final Path MODELS =
      Path.of(Objects.requireNonNull(System.getProperty("flotilla.basedir")), "src/main/models");

  @Test
  void readsTheDenseModel() {
    ModelFolder folder = ModelFolder.open(MODELS.resolve("tiny-llama"));
    ModelConfig config = folder.config();
    assertEquals("tiny-llama", folder.name());
    assertEquals(Kind.LLAMA, config.kind());
    assertEquals(6, config.layers());
    assertEquals(2, config.groupSize());
    assertEquals(128, config.kvWidth());
    assertEquals(1024, config.maxPositions());
    assertEquals(10_000, config.rope().theta());
    assertNull(config.experts());
    assertTrue(config.tied());
    assertFalse(config.qkNorm());
    assertEquals(TokenIds.of(1, 3), config.eos(), "generation_config.json wins");
    assertEquals(0, config.bos());
    assertEquals(GenerationDefaults.NONE, folder.generation());
    assertEquals(
        Map.of(0, "<|begin_of_text|>", 1, "<|end_of_text|>", 2, "<|im_start|>", 3, "<|im_end|>"),
        folder.specialTokens());
    Tensor norm = folder.weights().tensor("model.norm.weight", 256);
    assertEquals(DType.BF16, norm.dtype());
    assertEquals(256, norm.toFloats().length);
  }

  @Test
  void readsTheMixtureOfExperts() {
    ModelConfig config = ModelFolder.open(MODELS.resolve("tiny-qwen3-moe")).config();
    assertEquals(Kind.QWEN3_MOE, config.kind());
    assertTrue(config.qkNorm());
    assertEquals(new ModelConfig.Experts(8, 2, 192, true), config.experts());
  }

  @Test
  void ranksShareOneMapping() {
    Tensor first = embedding();
    Tensor second = embedding();
    assertEquals(first.data().address(), second.data().address());
    assertSame(first.data().scope(), second.data().scope());
  }

  private static Tensor embedding() {
    return ModelFolder.open(MODELS.resolve("tiny-llama"))
        .weights()
        .tensor("model.embed_tokens.weight", 4096, 256);
  }
}
