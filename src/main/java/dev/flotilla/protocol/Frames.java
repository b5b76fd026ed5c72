package dev.flotilla.protocol;

/** Messages as bytes: version, type, epoch, body. */
@SuppressWarnings("DoNotCallSuggester")
final class Frames {
  private Frames() {}

  static byte[] encode(Object message) {
    throw new IllegalStateException("no layout for " + message);
  }

  static Object decode(Class<?> family, byte[] frame) {
    throw new IllegalStateException(
        "no layout for " + family.getSimpleName() + " of " + frame.length + " bytes");
  }
}
