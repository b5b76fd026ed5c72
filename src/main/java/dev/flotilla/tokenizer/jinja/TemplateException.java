package dev.flotilla.tokenizer.jinja;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;

/**
 * A template cannot be read or rendered: where Python's jinja2 raises, this is raised, with the
 * same kind. The message is one sentence, nearly always Python's own.
 */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What went wrong, under the name of the exception that Python raises. */
  public enum Kind {
    SYNTAX("TemplateSyntaxError"),
    ASSERTION("TemplateAssertionError"),
    RUNTIME("TemplateRuntimeError"),
    UNDEFINED("UndefinedError"),
    SECURITY("SecurityError"),
    FILTER_ARGUMENT("FilterArgumentError"),
    ATTRIBUTE("AttributeError"),
    TYPE("TypeError"),
    VALUE("ValueError"),
    INDEX("IndexError"),
    OVERFLOW("OverflowError"),
    ZERO_DIVISION("ZeroDivisionError"),
    /** The template itself called {@code raise_exception}. */
    RAISED("TemplateError"),
    /** Python could do it; this interpreter does not. */
    UNSUPPORTED("unsupported"),
    /** A bound of this interpreter was reached. */
    LIMIT("limit");

    private final String pythonName;

    Kind(String pythonName) {
      this.pythonName = pythonName;
    }

    /** The name of Python's exception; of our own for what Python does not know. */
    public String pythonName() {
      return pythonName;
    }
  }

  private final Kind kind;
  private final int line;

  TemplateException(Kind kind, int line, String message) {
    // A template's mistake is found by its line, not by a stack of this interpreter.
    super(message, null, false, false);
    this.kind = kind;
    this.line = line;
  }

  TemplateException(Kind kind, String message) {
    this(kind, 0, message);
  }

  @FormatMethod
  static TemplateException type(@FormatString String format, Object... values) {
    return new TemplateException(Kind.TYPE, format.formatted(values));
  }

  @FormatMethod
  static TemplateException value(@FormatString String format, Object... values) {
    return new TemplateException(Kind.VALUE, format.formatted(values));
  }

  @FormatMethod
  static TemplateException unsupported(@FormatString String format, Object... values) {
    return new TemplateException(Kind.UNSUPPORTED, format.formatted(values));
  }

  @FormatMethod
  static TemplateException limit(@FormatString String format, Object... values) {
    return new TemplateException(Kind.LIMIT, format.formatted(values));
  }

  /** The same with its line, unless it has one already. */
  TemplateException at(int where) {
    return line > 0 ? this : new TemplateException(kind, where, sentence());
  }

  /** What went wrong. */
  public Kind kind() {
    return kind;
  }

  /** The line of the template, from 1; 0 if it is not known. */
  public int line() {
    return line;
  }

  /** The message, which is never null. */
  public String sentence() {
    return String.valueOf(getMessage());
  }
}
