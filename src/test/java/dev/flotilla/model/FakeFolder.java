package dev.flotilla.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Writes model folders of a few weights, whole or broken. */
final class FakeFolder {
  static final JsonMapper JSON = JsonMapper.builder().build();

  final Path path;
  final ObjectNode config;
  final Map<String, int[]> shapes;

  /** A one-layer Llama, written whole. */
  FakeFolder(Path path) throws IOException {
    this.path = path;
    this.config =
        (ObjectNode)
            JSON.readTree(
                """
                {"architectures": ["LlamaForCausalLM"], "hidden_size": 4, "intermediate_size": 6,
                 "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
                 "vocab_size": 5, "max_position_embeddings": 32, "tie_word_embeddings": true,
                 "rope_theta": 500.0, "eos_token_id": 2}
                """);
    writeConfig();
    this.shapes = new LinkedHashMap<>(TensorShapes.of(parse()));
    writeWeights("model.safetensors", List.copyOf(shapes.keySet()), "F32");
  }

  ModelConfig parse() {
    return ConfigFile.parse(JsonFile.read(path.resolve("config.json")), null);
  }

  void writeConfig() throws IOException {
    write("config.json", config.toString());
  }

  /** Sets a value given as JSON, and writes. */
  FakeFolder with(String key, String value) throws IOException {
    config.set(key, JSON.readTree(value));
    writeConfig();
    return this;
  }

  void write(String file, String text) throws IOException {
    Files.writeString(path.resolve(file), text);
  }

  void writeWeights(String file, List<String> names, String dtype) throws IOException {
    ObjectNode header = JSON.createObjectNode();
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    for (String name : names) {
      ObjectNode entry = header.putObject(name);
      entry.put("dtype", dtype);
      int elements = 1;
      for (int dim : Objects.requireNonNull(shapes.get(name))) {
        elements *= dim;
        entry.withArray("shape").add(dim);
      }
      entry.withArray("data_offsets").add(data.size());
      for (int i = 0; i < elements; i++) {
        data.write(element(i, dtype));
      }
      entry.withArray("data_offsets").add(data.size());
    }
    writeRaw(file, header, data.toByteArray());
  }

  /** Element {@code i} has the value {@code i / 4}, which every type holds exactly. */
  private static byte[] element(int i, String dtype) {
    float value = i / 4f;
    ByteBuffer bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    switch (dtype) {
      case "F16" -> bytes.putShort(Float.floatToFloat16(value));
      case "BF16" -> bytes.putShort((short) (Float.floatToIntBits(value) >>> 16));
      default -> bytes.putFloat(value);
    }
    byte[] exact = new byte[bytes.position()];
    bytes.flip().get(exact);
    return exact;
  }

  void writeRaw(String file, JsonNode header, byte[] data) throws IOException {
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer all =
        ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(path.resolve(file), all.putLong(json.length).put(json).put(data).array());
  }
}
