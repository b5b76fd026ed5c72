package dev.flotilla.protocol;

/**
 * A frame that cannot be read: what was expected and what came. Carries no stack trace, since a
 * broken peer can cause many of them and the place is always the decoder.
 */
public final class FrameException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What is wrong with a frame. */
  public enum Problem {
    /** Another version of the protocol. */
    VERSION,
    /** A type that this version does not know, or one of another family. */
    TYPE,
    /** The frame ends before its message does. */
    TRUNCATED,
    /** The body says what no message may say. */
    BODY
  }

  private final Problem problem;
  private final String expected;
  private final String actual;

  FrameException(Problem problem, String expected, String actual) {
    super("bad frame: expected " + expected + ", got " + actual, null, false, false);
    this.problem = problem;
    this.expected = expected;
    this.actual = actual;
  }

  /** What is wrong. */
  public Problem problem() {
    return problem;
  }

  /** What should have come. */
  public String expected() {
    return expected;
  }

  /** What came. */
  public String actual() {
    return actual;
  }
}
