package dev.flotilla;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The end of the process: SIGTERM and SIGINT close the node in order and end with exit code 0,
 * where the JVM's own answer would be 143 or 130.
 */
final class Shutdown {
  private static final AtomicInteger CODE = new AtomicInteger();

  private Shutdown() {}

  /** Closes the node whichever way the process ends, then ends it with the code set before. */
  static void closes(Runnable close) {
    Thread hook =
        new Thread(
            () -> {
              try {
                close.run();
              } finally {
                Runtime.getRuntime().halt(CODE.get());
              }
            },
            "shutdown");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Ends the process with the code. */
  static void exit(int code) {
    CODE.set(code);
    System.exit(code);
  }

  /** Ends the process from a background thread because of a failure that has no other reader. */
  static void fail(String sentence, @Nullable Throwable cause) {
    System.err.println("flotilla: " + sentence);
    if (cause != null && Boolean.getBoolean("flotilla.verbose")) {
      cause.printStackTrace();
    }
    Thread.ofPlatform().name("exit").start(() -> exit(1));
  }
}
