package dev.flotilla;

import dev.flotilla.launch.SignalCallback;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The end of the process: SIGTERM and SIGINT close the node in order and end with exit code 0,
 * where the JVM's own answer would be 143 or 130. A second signal ends the drain at once, a third
 * the process.
 */
final class Shutdown {
  private static final AtomicInteger CODE = new AtomicInteger();
  private static final AtomicInteger SIGNALS = new AtomicInteger();

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

  /**
   * Takes the signals that ask for the end.
   *
   * @param hurry what a second signal does
   * @param force what a third one does before the process ends at once; must not wait
   */
  static void onSignals(Runnable hurry, Runnable force) {
    SignalCallback end = SignalCallback.start("exit", () -> System.exit(CODE.get()));
    SignalCallback sooner = SignalCallback.start("hurry", hurry);
    SignalCallback now =
        SignalCallback.start(
            "force",
            () -> {
              try {
                force.run();
              } finally {
                Runtime.getRuntime().halt(1);
              }
            });
    for (String name : List.of("TERM", "INT")) {
      Signals.on(
          name,
          () -> {
            switch (SIGNALS.incrementAndGet()) {
              case 1 -> end.trigger();
              case 2 -> sooner.trigger();
              case 3 -> now.trigger();
              default -> Runtime.getRuntime().halt(1);
            }
          });
    }
  }

  /** Ends the process with the code. */
  static void exit(int code) {
    CODE.set(code);
    System.exit(code);
  }

  /** Whether the process ends because of a failure. */
  static boolean failing() {
    return CODE.get() != 0;
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
