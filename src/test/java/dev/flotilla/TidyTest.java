package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Limits that keep the sources readable. */
class TidyTest {
  private static final int FILE_LINES_MAX = 400;
  private static final int METHOD_LINES_MAX = 60;
  private static final Pattern UNFINISHED = Pattern.compile("\\b(TODO|FIXME|XXX)\\b(?! #\\d+)");
  private static final Pattern SLEEP = Pattern.compile("\\bThread\\.sleep\\(");

  private static List<Path> own() throws Exception {
    return SourceFormat.sources().stream().filter(f -> !generated(f)).toList();
  }

  private static boolean generated(Path file) {
    return file.toString().contains("generated");
  }

  @Test
  void filesAreShort() throws Exception {
    List<String> longer = new ArrayList<>();
    for (Path file : own()) {
      long lines = Files.readAllLines(file).size();
      if (lines > FILE_LINES_MAX) {
        longer.add(SourceFormat.root().relativize(file) + " " + lines);
      }
    }
    assertEquals(List.of(), longer);
  }

  @Test
  void methodsAreShort() throws Exception {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null,
                  files,
                  d -> {},
                  List.of("-proc:none"),
                  null,
                  files.getJavaFileObjectsFromPaths(own()));
      SourcePositions positions = Trees.instance(task).getSourcePositions();
      List<String> longer = new ArrayList<>();
      for (CompilationUnitTree unit : task.parse()) {
        new Lengths(unit, positions, longer).scan(unit, null);
      }
      assertEquals(List.of(), longer);
    }
  }

  @Test
  void nothingIsLeftUnfinished() throws Exception {
    List<String> found = new ArrayList<>();
    for (Path file : own()) {
      String source = Files.readString(file);
      boolean self = file.endsWith("TidyTest.java");
      if (!self && UNFINISHED.matcher(source).find()) {
        found.add("unfinished: " + SourceFormat.root().relativize(file));
      }
      if (!self && file.toString().contains("/test/") && SLEEP.matcher(source).find()) {
        found.add("sleeps instead of waiting: " + SourceFormat.root().relativize(file));
      }
    }
    assertEquals(List.of(), found);
  }

  private static final class Lengths extends TreeScanner<Void, Void> {
    private final CompilationUnitTree unit;
    private final SourcePositions positions;
    private final List<String> longer;
    private String type = "";

    Lengths(CompilationUnitTree unit, SourcePositions positions, List<String> longer) {
      this.unit = unit;
      this.positions = positions;
      this.longer = longer;
    }

    @Override
    public Void visitClass(ClassTree tree, Void unused) {
      String outer = type;
      type = tree.getSimpleName().toString();
      super.visitClass(tree, null);
      type = outer;
      return null;
    }

    @Override
    public Void visitMethod(MethodTree tree, Void unused) {
      if (tree.getBody() != null) {
        long first = line(positions.getStartPosition(unit, tree.getBody()));
        long last = line(positions.getEndPosition(unit, tree.getBody()));
        if (last - first + 1 > METHOD_LINES_MAX) {
          longer.add(type + "." + tree.getName() + " " + (last - first + 1));
        }
      }
      return super.visitMethod(tree, null);
    }

    private long line(long position) {
      return unit.getLineMap().getLineNumber(position);
    }
  }
}
