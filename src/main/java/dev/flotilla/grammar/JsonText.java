package dev.flotilla.grammar;

import dev.flotilla.grammar.NetworkBuilder.Writing;

/**
 * The pieces of JSON's writing that need no schema. Between tokens one space may stand after a
 * comma or a colon and nothing elsewhere, so that no generation loses itself in white space.
 */
final class JsonText {
  /** What may not stand in a string as it is. */
  static final CodePoints ESCAPED = CodePoints.range(0, 0x1F).union(CodePoints.of("\"\\"));

  private static final String SHORT = "bfnrt\"\\/";
  private static final String MEANT = "\b\f\n\r\t\"\\/";

  private JsonText() {}

  /** The characters of a set in escaped form. Those beyond the 16-bit plane have none here. */
  static void escapes(NetworkBuilder net, int from, CodePoints set, int to) {
    int backslash = net.node();
    boolean any = false;
    for (int i = 0; i < SHORT.length(); i++) {
      if (!set.intersect(CodePoints.of(MEANT.charAt(i))).isEmpty()) {
        net.bytes(backslash, SHORT.charAt(i), SHORT.charAt(i), to);
        any = true;
      }
    }
    boolean all = set.equals(CodePoints.ALL);
    CodePoints controls = set.intersect(CodePoints.range(0, 0x1F));
    if (all || !controls.isEmpty()) {
      int digits = net.node();
      net.bytes(backslash, 'u', 'u', digits);
      if (all) {
        anyUnit(net, digits, to);
      } else {
        controls(net, digits, controls, to);
      }
      any = true;
    }
    if (any) {
      net.bytes(from, '\\', '\\', backslash);
    }
  }

  /** Four hexadecimal digits that are no half of a pair. */
  private static void anyUnit(NetworkBuilder net, int from, int to) {
    int second = net.node();
    int afterD = net.node();
    int third = net.node();
    int fourth = net.node();
    hex(net, from, 0, 12, second);
    hex(net, from, 14, 15, second);
    hex(net, from, 13, 13, afterD);
    hex(net, second, 0, 15, third);
    hex(net, afterD, 0, 7, third);
    hex(net, third, 0, 15, fourth);
    hex(net, fourth, 0, 15, to);
  }

  private static void controls(NetworkBuilder net, int from, CodePoints set, int to) {
    int at = net.literal(from, "00");
    for (int high = 0; high < 2; high++) {
      int last = net.node();
      boolean any = false;
      for (int low = 0; low < 16; low++) {
        if (!set.intersect(CodePoints.of(high * 16 + low)).isEmpty()) {
          hex(net, last, low, low, to);
          any = true;
        }
      }
      if (any) {
        hex(net, at, high, high, last);
      }
    }
  }

  /** A hexadecimal digit between two values, in either case. */
  private static void hex(NetworkBuilder net, int from, int least, int most, int to) {
    if (least <= 9) {
      net.bytes(from, '0' + least, '0' + Math.min(9, most), to);
    }
    if (most >= 10) {
      int first = Math.max(10, least) - 10;
      net.bytes(from, 'a' + first, 'a' + most - 10, to);
      net.bytes(from, 'A' + first, 'A' + most - 10, to);
    }
  }

  /** A string whose value the automaton accepts. */
  static int string(NetworkBuilder net, int from, CharNfa value) {
    return net.literal(net.text(net.literal(from, "\""), value, Writing.JSON), "\"");
  }

  /** A comma, and what may follow it. */
  static int comma(NetworkBuilder net, int from) {
    return net.optionalSpace(net.literal(from, ","));
  }

  /** A colon, and what may follow it. */
  static int colon(NetworkBuilder net, int from) {
    return net.optionalSpace(net.literal(from, ":"));
  }
}
