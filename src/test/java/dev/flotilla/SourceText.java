package dev.flotilla;

import com.google.googlejavaformat.java.FormatterException;

/** Lets tests of other packages bring generated sources into the checked form. */
public final class SourceText {
  private SourceText() {}

  /** The source as it must be committed. */
  public static String formatted(String source) throws FormatterException {
    return SourceFormat.formatted(source);
  }
}
