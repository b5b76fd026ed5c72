package dev.flotilla.tokenizer;

import dev.flotilla.model.ModelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The bytes that each token adds to a text, read from {@code tokenizer.json} without the native
 * library. A token may hold a part of a character only. Immutable.
 */
public final class TokenBytes {
  /** How SentencePiece writes a space. */
  private static final String SPACE = "\u2581";

  private static final byte[] NONE = {};

  private final byte[][] bytes;

  private TokenBytes(byte[][] bytes) {
    this.bytes = bytes;
  }

  /**
   * Those of a model folder.
   *
   * @throws ModelException with a sentence if {@code tokenizer.json} is missing or cannot be read
   */
  public static TokenBytes read(Path folder) {
    Path file = folder.resolve("tokenizer.json");
    try {
      return of(Vocabulary.parse(file, Files.readAllBytes(file)));
    } catch (IOException e) {
      throw new ModelException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  static TokenBytes of(Vocabulary vocabulary) {
    byte[][] bytes = new byte[vocabulary.size()][];
    java.util.Arrays.fill(bytes, NONE);
    vocabulary
        .tokens()
        .forEach(
            (id, token) -> {
              if (!vocabulary.special().contains(id)) {
                bytes[id] =
                    vocabulary.byteLevel() ? ByteAlphabet.decode(token) : sentencePiece(token);
              }
            });
    return new TokenBytes(bytes);
  }

  private static byte[] sentencePiece(String token) {
    if (token.matches("<0x[0-9A-Fa-f]{2}>")) {
      return new byte[] {(byte) Integer.parseInt(token.substring(3, 5), 16)};
    }
    return token.replace(SPACE, " ").getBytes(StandardCharsets.UTF_8);
  }

  /** Ids there are. */
  public int size() {
    return bytes.length;
  }

  /** A copy of what an id adds; nothing for special tokens and for ids without a token. */
  public byte[] of(int id) {
    return bytes[id].clone();
  }
}
