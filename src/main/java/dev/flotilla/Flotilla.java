package dev.flotilla;

/** The command line's entry point. */
public final class Flotilla {
  private Flotilla() {}

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] args) {
    sealedCheck(args.length);
  }

  sealed interface A permits B, C {}

  record B(int x) implements A {}

  record C(String s) implements A {}

  static int sealedCheck(Object o) {
    return switch (o) {
      case B(int x) when x > 3 -> x;
      case B _ -> 1;
      case C(var s) -> s.length();
      default -> 2;
    };
  }
}
