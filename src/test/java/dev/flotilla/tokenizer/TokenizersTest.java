package dev.flotilla.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.model.ModelException;
import dev.flotilla.protocol.TokenIds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bundled tokenizer, whole texts and streams. */
class TokenizersTest {
  private static final Path FOLDER =
      Path.of(
          Objects.requireNonNull(System.getProperty("flotilla.basedir")),
          "src/main/models/tiny-llama");
  private static final String MIXED = "Ünïcödé — ‘quotes’ 数字 123 👩‍👩‍👧 🚀 e\u0301 \uFFFD end";

  private final TextTokenizer tokenizer = Tokenizers.open(FOLDER);

  @Test
  void decodesWhatItEncoded() {
    assertEquals(MIXED, tokenizer.decode(tokenizer.encode(MIXED, true), false));
    assertEquals("", tokenizer.decode(tokenizer.encode("", true), true));
    assertEquals(4096, tokenizer.vocab());
  }

  @Test
  void recognisesSpecialTokensInText() {
    TokenIds ids = tokenizer.encode("<|begin_of_text|>Hello<|im_end|>", false);
    assertEquals(0, ids.get(0));
    assertEquals(3, ids.get(ids.size() - 1));
    assertEquals("Hello", tokenizer.decode(ids, true));
    assertEquals("<|begin_of_text|>Hello<|im_end|>", tokenizer.decode(ids, false));
    assertEquals("<|im_end|>", tokenizer.piece(3));
  }

  @Test
  void truncatesNothing() {
    String text = "whale ".repeat(5_000);
    assertTrue(tokenizer.encode(text, true).size() >= 5_000);
    assertEquals(text, tokenizer.decode(tokenizer.encode(text, true), true));
  }

  @Test
  void leavesOutIdsThatDoNotExist() {
    TokenIds ids = tokenizer.encode("Hello", false).concat(TokenIds.of(-1, 4096, 1 << 30));
    assertEquals("Hello", tokenizer.decode(ids, false));
    assertEquals("", tokenizer.piece(4096));
  }

  @Test
  void streamNeverSplitsACodePoint() {
    TextTokenizer.Detokenizer stream = tokenizer.detokenizer(false);
    StringBuilder all = new StringBuilder();
    for (int id : tokenizer.encode(MIXED, false).toArray()) {
      String piece = stream.append(TokenIds.of(id));
      boolean whole =
          piece.isEmpty()
              || (!Character.isLowSurrogate(piece.charAt(0))
                  && !Character.isHighSurrogate(piece.charAt(piece.length() - 1)));
      assertTrue(whole, () -> "split: " + piece);
      all.append(piece);
    }
    all.append(stream.finish());
    assertEquals(MIXED, all.toString());
  }

  @Test
  void streamGivesTextAsSoonAsItIsCertain() {
    TokenIds rocket = tokenizer.encode("🚀", false);
    assertTrue(rocket.size() > 1, "the test needs a code point of several tokens");
    for (TextTokenizer.Detokenizer stream :
        List.of(
            tokenizer.detokenizer(true),
            new WindowDetokenizer((HuggingFaceTokenizer) tokenizer, true))) {
      assertEquals("", stream.append(rocket.slice(0, rocket.size() - 1)));
      assertEquals("🚀", stream.append(rocket.slice(rocket.size() - 1, rocket.size())));
      assertEquals("", stream.append(TokenIds.of(3)), "a special token is skipped");
      assertEquals("Hello", stream.append(tokenizer.encode("Hello", false)));
      assertEquals("", stream.finish());
    }
  }

  @Test
  void incompleteBytesEndAsReplacement() {
    TextTokenizer.Detokenizer stream = tokenizer.detokenizer(true);
    TokenIds rocket = tokenizer.encode("🚀", false);
    assertEquals("", stream.append(rocket.slice(0, rocket.size() - 1)));
    assertEquals("\uFFFD", stream.finish());
  }

  /** Random ids hit broken byte sequences, special tokens and ids out of range in every mix. */
  @Test
  void streamEqualsDecodingAllAtOnce() {
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      boolean skip = random.nextBoolean();
      int range = random.nextBoolean() ? 300 : 4_100;
      int[] ids = random.ints(1 + random.nextInt(120), -1, range).toArray();
      List<TextTokenizer.Detokenizer> both =
          List.of(
              tokenizer.detokenizer(skip),
              new WindowDetokenizer((HuggingFaceTokenizer) tokenizer, skip));
      for (TextTokenizer.Detokenizer stream : both) {
        StringBuilder all = new StringBuilder();
        int at = 0;
        while (at < ids.length) {
          int count = Math.min(1 + random.nextInt(3), ids.length - at);
          all.append(stream.append(TokenIds.of(ids, at, count)));
          at += count;
        }
        all.append(stream.finish());
        assertEquals(tokenizer.decode(TokenIds.of(ids), skip), all.toString(), "seed " + seed);
      }
    }
  }

  @Test
  void threadsShareOneTokenizer() throws Exception {
    assertSame(tokenizer, Tokenizers.open(FOLDER));
    TokenIds expected = tokenizer.encode(MIXED, false);
    try (var pool = Executors.newFixedThreadPool(4)) {
      List<Future<TokenIds>> all = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        all.add(pool.submit(() -> tokenizer.encode(MIXED, false)));
      }
      for (Future<TokenIds> one : all) {
        assertEquals(expected, one.get());
      }
    }
  }

  @Test
  void saysWhatIsMissingOrBroken(@TempDir Path folder) throws Exception {
    String missing = refusal(folder);
    assertEquals("model folder %s has no tokenizer.json".formatted(folder), missing);
    Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": {\"type\": \"Nonsense\"}}");
    String broken = refusal(folder);
    assertTrue(broken.contains("cannot be used as a tokenizer"), broken);
    assertFalse(broken.contains("\n"), broken);
    Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": ");
    String json = refusal(folder);
    assertTrue(json.contains("is not JSON"), json);
  }

  private static String refusal(Path folder) {
    return String.valueOf(
        assertThrows(ModelException.class, () -> Tokenizers.open(folder)).getMessage());
  }
}
