package dev.flotilla;

/** What the process does on a signal; the only place that knows the JDK's way to ask for it. */
final class Signals {
  private Signals() {}

  /** Lets the signal pass without effect. */
  static void ignore(String name) {
    set(name, sun.misc.SignalHandler.SIG_IGN);
  }

  /** Runs the action, on a thread of the JVM, each time that the signal comes. */
  static void on(String name, Runnable action) {
    set(name, signal -> action.run());
  }

  private static void set(String name, sun.misc.SignalHandler handler) {
    try {
      sun.misc.Signal.handle(new sun.misc.Signal(name), handler);
    } catch (IllegalArgumentException e) {
      // The JVM was told to leave this signal alone (-Xrs), or the system has none of that name.
    }
  }
}
