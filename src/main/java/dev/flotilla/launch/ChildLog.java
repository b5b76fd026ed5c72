package dev.flotilla.launch;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Puts what a child writes into this JVM's log, under the child's name and with the level that the
 * line begins with. Bounded: long lines are cut, and of more than {@value #LINES_MAX} lines within
 * a second the rest is counted only. Used by one thread.
 */
final class ChildLog {
  static final int LINE_MAX = 4_096;
  static final int LINES_MAX = 200;
  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final Logger LOG = LoggerFactory.getLogger("dev.flotilla.engine.process");

  private final Supplier<String> name;
  private long windowNanos = System.nanoTime();
  private int lines;
  private long dropped;

  ChildLog(Supplier<String> name) {
    this.name = name;
  }

  /** Copies until the stream ends. */
  void copy(InputStream from) {
    StringBuilder line = new StringBuilder();
    try (Reader reader = new InputStreamReader(from, StandardCharsets.UTF_8)) {
      char[] part = new char[4096];
      for (int read = reader.read(part); read >= 0; read = reader.read(part)) {
        for (int i = 0; i < read; i++) {
          if (part[i] == '\n') {
            put(line.toString());
            line.setLength(0);
          } else if (line.length() < LINE_MAX) {
            line.append(part[i]);
          }
        }
      }
    } catch (IOException e) {
      LOG.debug("{} logs nothing any more: {}", name.get(), e.getMessage());
    }
    if (!line.isEmpty()) {
      put(line.toString());
    }
    tellDropped();
  }

  private void put(String line) {
    long now = System.nanoTime();
    if (now - windowNanos > SECOND_NANOS) {
      tellDropped();
      windowNanos = now;
      lines = 0;
    }
    if (++lines > LINES_MAX) {
      dropped++;
      return;
    }
    String text = line.stripTrailing();
    for (Level level : Level.values()) {
      if (text.startsWith(level.name() + " ")) {
        LOG.atLevel(level).log("{}: {}", name.get(), text.substring(level.name().length()).strip());
        return;
      }
    }
    if (!text.isEmpty() && !text.equals("WARNING: Using incubator modules: jdk.incubator.vector")) {
      LOG.info("{}: {}", name.get(), text);
    }
  }

  private void tellDropped() {
    if (dropped > 0) {
      LOG.warn("{}: {} more lines within a second are left out", name.get(), dropped);
      dropped = 0;
    }
  }
}
