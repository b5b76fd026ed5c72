package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FormatTest {
  @Test
  void everySourceFileIsInGoogleJavaFormat() throws Exception {
    List<Path> others = new ArrayList<>();
    for (Path file : SourceFormat.sources()) {
      String source = Files.readString(file);
      if (!SourceFormat.formatted(source).equals(source)) {
        others.add(SourceFormat.root().relativize(file));
      }
    }
    assertEquals(List.of(), others, "run: mvn test-compile exec:exec@format");
  }
}
