package dev.flotilla.model;

import org.jspecify.annotations.Nullable;

/**
 * What {@code generation_config.json} recommends where a request says nothing; null where it says
 * nothing either.
 */
public record GenerationDefaults(
    @Nullable Float temperature,
    @Nullable Float topP,
    @Nullable Integer topK,
    @Nullable Float minP) {

  /** Recommends nothing. */
  public static final GenerationDefaults NONE = new GenerationDefaults(null, null, null, null);

  static GenerationDefaults parse(JsonFile json) {
    Double topK = json.number("top_k");
    return new GenerationDefaults(
        narrow(json.number("temperature")),
        narrow(json.number("top_p")),
        topK == null ? null : topK.intValue(),
        narrow(json.number("min_p")));
  }

  private static @Nullable Float narrow(@Nullable Double value) {
    return value == null ? null : value.floatValue();
  }
}
