package dev.flotilla;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.ImportOrderer;
import com.google.googlejavaformat.java.JavaFormatterOptions.Style;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The one form of our sources, google-java-format's. Its parser is javac's own, so it runs on the
 * JDK that compiles (the JVM of Maven is older); {@code FormatTest} checks, {@code main} rewrites.
 */
final class SourceFormat {
  private SourceFormat() {}

  static Path root() {
    return Path.of(System.getProperty("flotilla.basedir", "."));
  }

  static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.walk(root().resolve("src"))) {
      return files.filter(f -> f.toString().endsWith(".java")).sorted().toList();
    }
  }

  static String formatted(String source) throws FormatterException {
    String imports = RemoveUnusedImports.removeUnusedImports(source);
    return new Formatter().formatSource(ImportOrderer.reorderImports(imports, Style.GOOGLE));
  }

  /** Rewrites every source file that is not in the form. */
  public static void main(String[] args) throws Exception {
    for (Path file : sources()) {
      String source = Files.readString(file);
      String formatted = formatted(source);
      if (!formatted.equals(source)) {
        Files.writeString(file, formatted);
        System.out.println("formatted " + root().relativize(file));
      }
    }
  }
}
