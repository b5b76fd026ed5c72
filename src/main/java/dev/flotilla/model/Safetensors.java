package dev.flotilla.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A memory-mapped {@code .safetensors} file: 8 bytes of header length, a JSON header that gives
 * each tensor's type, shape and place, then the data. A file is mapped once in a JVM, whoever opens
 * it, and stays mapped, since tensors may be used until its end.
 */
final class Safetensors {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long HEADER_BYTES_MAX = 100_000_000;
  private static final int LENGTH_BYTES = 8;

  private static final ConcurrentHashMap<Key, Safetensors> OPEN = new ConcurrentHashMap<>();

  /** A file that was written anew is another one. */
  private record Key(Path real, long bytes, FileTime modified) {}

  private record Entry(String dtype, List<Integer> shape, long begin, long end) {}

  private final Path file;
  private final MemorySegment data;
  private final Map<String, Entry> entries;

  private Safetensors(Path file, MemorySegment data, Map<String, Entry> entries) {
    this.file = file;
    this.data = data;
    this.entries = entries;
  }

  static Safetensors open(Path file) {
    try {
      Path real = file.toRealPath();
      Key key = new Key(real, Files.size(real), Files.getLastModifiedTime(real));
      return OPEN.computeIfAbsent(key, k -> map(file));
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static ModelException unreadable(Path file, IOException e) {
    return Files.exists(file)
        ? new ModelException("cannot read %s: %s".formatted(file, e.getMessage()), e)
        : new ModelException("the weights file %s is missing".formatted(file), e);
  }

  private static Safetensors map(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MemorySegment all = channel.map(MapMode.READ_ONLY, 0, channel.size(), Arena.global());
      if (all.byteSize() < LENGTH_BYTES) {
        throw truncated(file, LENGTH_BYTES, all.byteSize());
      }
      long header = all.get(LONG, 0);
      if (header < 2 || header > HEADER_BYTES_MAX) {
        throw new ModelException(
            "%s is not a safetensors file: it gives its header %d bytes".formatted(file, header));
      }
      long start = LENGTH_BYTES + header;
      if (start > all.byteSize()) {
        throw truncated(file, start, all.byteSize());
      }
      byte[] json = all.asSlice(LENGTH_BYTES, header).toArray(ValueLayout.JAVA_BYTE);
      Map<String, Entry> entries = entries(JsonFile.parse(file, json));
      long end = entries.values().stream().mapToLong(Entry::end).max().orElse(0);
      if (start + end > all.byteSize()) {
        throw truncated(file, start + end, all.byteSize());
      }
      return new Safetensors(file, all.asSlice(start), entries);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static ModelException truncated(Path file, long expected, long actual) {
    return new ModelException(
        "%s is truncated: expected at least %d bytes, found %d; download it again"
            .formatted(file, expected, actual));
  }

  private static Map<String, Entry> entries(JsonFile header) {
    Map<String, Entry> entries = new HashMap<>();
    for (var field : header.object().properties()) {
      if (!field.getKey().equals("__metadata__")) {
        entries.put(field.getKey(), entry(header.file(), field.getKey(), field.getValue()));
      }
    }
    return entries;
  }

  private static Entry entry(Path file, String name, JsonNode value) {
    JsonNode offsets = value.path("data_offsets");
    long begin = offsets.path(0).asLong(-1);
    long end = offsets.path(1).asLong(-1);
    boolean sane = value.path("dtype").isTextual() && begin >= 0 && end >= begin;
    List<Integer> shape = new ArrayList<>();
    for (JsonNode dim : value.path("shape")) {
      sane &= dim.canConvertToInt() && dim.intValue() >= 0;
      shape.add(dim.asInt());
    }
    if (!sane) {
      throw new ModelException(
          "%s: the entry of tensor %s is malformed: %s".formatted(file, name, value));
    }
    return new Entry(value.path("dtype").textValue(), shape, begin, end);
  }

  Path file() {
    return file;
  }

  Iterable<String> names() {
    return entries.keySet();
  }

  /** The tensor of that name; null if it is not here. */
  @Nullable Tensor find(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      return null;
    }
    DType dtype =
        switch (entry.dtype) {
          case "F32" -> DType.F32;
          case "F16" -> DType.F16;
          case "BF16" -> DType.BF16;
          default ->
              throw new ModelException(
                  "%s: tensor %s is of type %s; supported are BF16, F16 and F32"
                      .formatted(file, name, entry.dtype));
        };
    try {
      return new Tensor(
          name, dtype, entry.shape, data.asSlice(entry.begin, entry.end - entry.begin));
    } catch (ModelException e) {
      throw new ModelException("%s: %s".formatted(file, e.getMessage()), e);
    }
  }
}
