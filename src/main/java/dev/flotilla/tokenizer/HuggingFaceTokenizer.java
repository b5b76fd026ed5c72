package dev.flotilla.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.flotilla.model.ModelException;
import dev.flotilla.protocol.TokenIds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;

/**
 * A {@code tokenizer.json} in the native library, without truncation and padding. Ids that have no
 * token (a model's embedding may be larger than its vocabulary) are left out when decoding, as
 * transformers does.
 *
 * <p>The native object lives as long as the JVM: tokenizers are few and cached. It locks its caches
 * itself, so any number of threads may use it.
 */
final class HuggingFaceTokenizer implements TextTokenizer {
  private final TokenizersLibrary library;
  private final long handle;
  private final int vocab;
  private final Set<Integer> special;

  /** What each id stands for; empty unless the tokenizer is of the byte-level kind. */
  private final byte[][] bytes;

  private HuggingFaceTokenizer(TokenizersLibrary library, long handle, Vocabulary vocabulary) {
    this.library = library;
    this.handle = handle;
    this.vocab = vocabulary.size();
    this.special = vocabulary.special();
    this.bytes = new byte[vocabulary.byteLevel() ? vocab : 0][];
    for (int id = 0; id < bytes.length; id++) {
      bytes[id] = ByteAlphabet.decode(vocabulary.tokens().getOrDefault(id, ""));
    }
  }

  static HuggingFaceTokenizer read(Path file) {
    try {
      byte[] json = Files.readAllBytes(file);
      Vocabulary vocabulary = Vocabulary.parse(file, json);
      TokenizersLibrary library = NativeTokenizers.LIBRARY;
      long handle = library.createTokenizerFromString(new String(json, StandardCharsets.UTF_8));
      library.disableTruncation(handle);
      library.disablePadding(handle);
      return new HuggingFaceTokenizer(library, handle, vocabulary);
    } catch (IOException e) {
      throw new ModelException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    } catch (ModelException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new ModelException(
          "%s cannot be used as a tokenizer: %s".formatted(file, e.getMessage()), e);
    }
  }

  @Override
  public TokenIds encode(String text, boolean addSpecialTokens) {
    long encoding = library.encode(handle, text, addSpecialTokens);
    try {
      long[] ids = library.getTokenIds(encoding);
      int[] narrow = new int[ids.length];
      for (int i = 0; i < ids.length; i++) {
        narrow[i] = Math.toIntExact(ids[i]);
      }
      return TokenIds.of(narrow);
    } finally {
      library.deleteEncoding(encoding);
    }
  }

  @Override
  public String decode(TokenIds ids, boolean skipSpecialTokens) {
    long[] all = new long[ids.size()];
    int size = 0;
    for (int i = 0; i < all.length; i++) {
      if (shows(ids.get(i), skipSpecialTokens)) {
        all[size++] = ids.get(i);
      }
    }
    return decode(all, size);
  }

  /** Whether an id leaves a trace in the decoded text. */
  boolean shows(int id, boolean skipSpecialTokens) {
    return id >= 0 && id < vocab && !(skipSpecialTokens && special.contains(id));
  }

  /** The bytes of an id that shows, in a tokenizer of the byte-level kind. */
  byte[] bytes(int id) {
    return bytes[id];
  }

  /** The text of the first {@code size} ids, all of which show. */
  String decode(long[] ids, int size) {
    return size == 0
        ? ""
        : library.decode(handle, size == ids.length ? ids : Arrays.copyOf(ids, size), false);
  }

  @Override
  public int vocab() {
    return vocab;
  }

  @Override
  public String piece(int id) {
    return decode(TokenIds.of(id), false);
  }

  @Override
  public Detokenizer detokenizer(boolean skipSpecialTokens) {
    return bytes.length > 0
        ? new ByteDetokenizer(this, skipSpecialTokens)
        : new WindowDetokenizer(this, skipSpecialTokens);
  }
}
