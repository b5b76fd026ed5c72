package dev.flotilla.config;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import org.jspecify.annotations.Nullable;

/** Checks of settings, whose failures are sentences. */
final class Check {
  private Check() {}

  @FormatMethod
  static void that(boolean holds, @FormatString String sentence, @Nullable Object... args) {
    if (!holds) {
      throw new ConfigException(sentence.formatted(args));
    }
  }
}
