package dev.flotilla.bench;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.config.ConfigException;
import org.jspecify.annotations.Nullable;

/** Checks of flags, whose failures are sentences that name the flag. */
final class Settings {
  private Settings() {}

  @FormatMethod
  static void require(boolean holds, @FormatString String sentence, @Nullable Object... args) {
    if (!holds) {
      throw new ConfigException(sentence.formatted(args));
    }
  }
}
