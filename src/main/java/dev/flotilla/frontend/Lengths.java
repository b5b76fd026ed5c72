package dev.flotilla.frontend;

import dev.flotilla.protocol.TokenIds;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * How long prompts and outputs of a request may be.
 *
 * @param limit output tokens asked for; null: as many as fit, or the OpenAI API's default
 * @param minTokens output tokens before it may end
 * @param truncate last tokens of a prompt that are used; -1: as many as fit; null: all
 * @param promptOnly no output is wanted: {@code echo} with {@code max_tokens} 0
 * @param context most tokens of prompt and output together; empty if no engine is known yet
 */
record Lengths(
    boolean chat,
    @Nullable Integer limit,
    int minTokens,
    @Nullable Integer truncate,
    boolean promptOnly,
    OptionalInt context) {

  private static final int COMPLETION_TOKENS = 16;

  static Lengths read(Fields fields, boolean chat, boolean echo, OptionalInt context) {
    Integer newer = chat ? fields.integer("max_completion_tokens", 1, Integer.MAX_VALUE) : null;
    Integer older = fields.integer("max_tokens", echo && !chat ? 0 : 1, Integer.MAX_VALUE);
    Integer limit = newer != null ? newer : older;
    boolean promptOnly = limit != null && limit == 0;
    Integer minTokens = fields.integer("min_tokens", 0, Integer.MAX_VALUE);
    Integer truncate = fields.integer("truncate_prompt_tokens", -1, Integer.MAX_VALUE);
    if (truncate != null && truncate == 0) {
      throw ApiException.badValue(
          "truncate_prompt_tokens", "truncate_prompt_tokens must be -1 or at least 1, not 0");
    }
    if (truncate != null && context.isPresent() && truncate > context.getAsInt()) {
      throw ApiException.badValue(
          "truncate_prompt_tokens",
          "truncate_prompt_tokens must be at most the model's %d tokens, not %d"
              .formatted(context.getAsInt(), truncate));
    }
    return new Lengths(
        chat,
        promptOnly ? Integer.valueOf(1) : limit,
        minTokens == null ? 0 : minTokens,
        truncate,
        promptOnly,
        context);
  }

  /** What of a prompt is used: its end. */
  TokenIds cut(TokenIds prompt) {
    if (truncate == null || (truncate < 0 && context.isEmpty())) {
      return prompt;
    }
    int most =
        truncate >= 0 ? truncate : Math.max(1, context.getAsInt() - (limit == null ? 1 : limit));
    return prompt.size() <= most ? prompt : prompt.slice(prompt.size() - most, prompt.size());
  }

  /** Output tokens for a prompt of so many. */
  int room(int prompt) {
    int most = fits(prompt);
    if (minTokens > most) {
      throw ApiException.badValue(
          "min_tokens",
          "min_tokens must be at most the %d tokens that the output may have, not %d"
              .formatted(most, minTokens));
    }
    return most;
  }

  private int fits(int prompt) {
    int otherwise = chat ? Integer.MAX_VALUE : COMPLETION_TOKENS;
    if (context.isEmpty()) {
      return limit == null ? otherwise : limit;
    }
    int most = context.getAsInt();
    String param = chat ? "messages" : "prompt";
    if (prompt >= most) {
      throw ApiException.badValue(
          param,
          ("This model's maximum context length is %d tokens. However, your request has %d input"
                  + " tokens. Please reduce the length of the %s.")
              .formatted(most, prompt, param));
    }
    if (limit != null && limit > most - prompt) {
      throw ApiException.badValue(
          "max_tokens",
          ("'max_tokens' or 'max_completion_tokens' is too large: %d. This model's maximum context"
                  + " length is %d tokens and your request has %d input tokens (%d > %d - %d).")
              .formatted(limit, most, prompt, limit, most, prompt));
    }
    return Math.min(limit == null ? otherwise : limit, most - prompt);
  }
}
