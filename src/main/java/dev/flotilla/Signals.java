package dev.flotilla;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * What the process does on a signal; the only place that knows the JDK's way to ask for it, which
 * is reached by name: javac warns of each mention of {@code sun.misc.Signal}, and there is nothing
 * else.
 */
final class Signals {
  private Signals() {}

  /** Lets the signal pass without effect. */
  static void ignore(String name) {
    on(name, () -> {});
  }

  /** Runs the action, on a thread of the JVM, each time that the signal comes. */
  @SuppressWarnings("ReferenceEquality") // A proxy's equality is its identity.
  static void on(String name, Runnable action) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object runs =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (proxy, method, arguments) -> {
                if (method.getName().equals("handle")) {
                  action.run();
                  return null;
                }
                return switch (method.getName()) {
                  case "hashCode" -> System.identityHashCode(proxy);
                  case "equals" -> arguments != null && proxy == arguments[0];
                  default -> "handler of SIG" + name;
                };
              });
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), runs);
    } catch (InvocationTargetException e) {
      // The JVM was told to leave this signal alone (-Xrs), or the system has none of that name.
      if (!(e.getCause() instanceof IllegalArgumentException)) {
        throw new IllegalStateException("SIG" + name + " cannot be handled", e);
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this JDK has no sun.misc.Signal", e);
    }
  }
}
