package dev.flotilla.placement;

import dev.flotilla.config.ConfigException;
import java.util.Locale;

/** How ranks are packed onto nodes: {@code --pack-strategy}. */
public enum PackStrategy {
  /** Every node gets as many ranks as the head; nodes with less room are left out. */
  STRICT,
  /** Every node after the head gets as many ranks as it has room for. */
  FILL,
  /** One rank takes all devices of several nodes. */
  SPAN;

  /**
   * The strategy of a flag.
   *
   * @throws ConfigException for one that does not exist; names those that do
   */
  public static PackStrategy of(String name) {
    return switch (name.strip().toLowerCase(Locale.ROOT)) {
      case "strict" -> STRICT;
      case "fill" -> FILL;
      case "span" -> SPAN;
      default ->
          throw new ConfigException(
              "--pack-strategy must be strict, fill or span, not '%s'".formatted(name));
    };
  }

  /** As the flag names it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
