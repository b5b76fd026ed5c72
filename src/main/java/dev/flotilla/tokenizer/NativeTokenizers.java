package dev.flotilla.tokenizer;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import org.slf4j.LoggerFactory;

/**
 * The native library of {@code ai.djl.huggingface:tokenizers}, loaded once. It is used below the
 * class that the library offers to callers, because that one truncates to 512 tokens unless told
 * otherwise and builds an object for every token of a text.
 */
final class NativeTokenizers {
  private static final String CACHE = "ENGINE_CACHE_DIR";

  static final TokenizersLibrary LIBRARY = load();

  private NativeTokenizers() {}

  private static TokenizersLibrary load() {
    // Without this a missing native file would be looked for on the network.
    System.setProperty("ai.djl.offline", "true");
    boolean chosen =
        System.getenv(CACHE) != null
            || System.getProperty(CACHE) != null
            || System.getenv("DJL_CACHE_DIR") != null
            || System.getProperty("DJL_CACHE_DIR") != null;
    if (!chosen) {
      System.setProperty(CACHE, cache().toString());
    }
    quiet();
    LibUtils.checkStatus();
    return TokenizersLibrary.LIB;
  }

  /**
   * The library warns of CUDA drivers, which it does not use here. What a logging configuration
   * says about it wins.
   */
  private static void quiet() {
    if (LoggerFactory.getLogger("ai.djl") instanceof Logger log && log.getLevel() == null) {
      log.setLevel(Level.ERROR);
    }
  }

  /**
   * Where the library is unpacked: the user's cache, so that later starts find it there, else a new
   * folder that only this user can write.
   */
  private static Path cache() {
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path base =
        xdg != null && !xdg.isEmpty()
            ? Path.of(xdg)
            : Path.of(System.getProperty("user.home", ""), ".cache");
    try {
      Path own = Files.createDirectories(base.resolve("flotilla").toAbsolutePath());
      if (Files.isWritable(own)) {
        return own;
      }
    } catch (IOException | SecurityException e) {
      // A home that cannot be written is usual in containers; the temporary folder serves as well.
    }
    try {
      Path temporary = Files.createTempDirectory("flotilla-tokenizers");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(temporary)));
      return temporary;
    } catch (IOException e) {
      throw new IllegalStateException("no folder to unpack the tokenizer library into", e);
    }
  }

  private static void delete(Path folder) {
    try (var all = Files.walk(folder)) {
      all.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      // What is left in the temporary folder does no harm.
    }
  }
}
