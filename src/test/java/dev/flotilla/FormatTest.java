package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.googlejavaformat.java.FormatterException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class FormatTest {
  @Test
  void everySourceFileIsInGoogleJavaFormat() throws Exception {
    List<Path> others =
        SourceFormat.sources().parallelStream()
            .filter(FormatTest::differs)
            .map(SourceFormat.root()::relativize)
            .toList();
    assertEquals(List.of(), others, "run: mvn test-compile exec:exec@format");
  }

  private static boolean differs(Path file) {
    try {
      String source = Files.readString(file);
      return !SourceFormat.formatted(source).equals(source);
    } catch (IOException | FormatterException e) {
      throw new IllegalStateException(file + " cannot be formatted", e);
    }
  }
}
