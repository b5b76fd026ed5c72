package dev.flotilla.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A read-only weight where it lies in the mapped file: row-major, little-endian, not necessarily
 * aligned.
 *
 * @param shape outermost first
 * @param data exactly the tensor's bytes
 */
public record Tensor(String name, DType dtype, List<Integer> shape, MemorySegment data) {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Keeps a private copy of the shape and checks the size. */
  public Tensor {
    shape = List.copyOf(shape);
    long bytes = dtype.bytes();
    for (int dim : shape) {
      bytes = Math.multiplyExact(bytes, (long) dim);
    }
    if (bytes != data.byteSize()) {
      throw new ModelException(
          "tensor %s of shape %s in %s needs %d bytes, the file gives it %d"
              .formatted(name, shape, dtype, bytes, data.byteSize()));
    }
  }

  /** How many elements. */
  public long elements() {
    return data.byteSize() / dtype.bytes();
  }

  /** One element, widened exactly. */
  public float get(long index) {
    return switch (dtype) {
      case F32 -> data.get(FLOAT, index * 4);
      case F16 -> Float.float16ToFloat(data.get(SHORT, index * 2));
      case BF16 -> Float.intBitsToFloat(data.get(SHORT, index * 2) << 16);
    };
  }

  /** All elements, widened exactly. */
  public float[] toFloats() {
    float[] all = new float[Math.toIntExact(elements())];
    for (int i = 0; i < all.length; i++) {
      all[i] = get(i);
    }
    return all;
  }
}
