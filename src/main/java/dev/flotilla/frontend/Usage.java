package dev.flotilla.frontend;

/**
 * The counts of one answer.
 *
 * @param cachedTokens tokens of the prompts that came from the prefix cache; -1: not known yet
 */
record Usage(int promptTokens, int completionTokens, int cachedTokens) {
  void write(JsonBytes out) {
    out.raw("{\"prompt_tokens\":").number(promptTokens);
    out.raw(",\"total_tokens\":").number((long) promptTokens + completionTokens);
    out.raw(",\"completion_tokens\":").number(completionTokens);
    if (cachedTokens >= 0) {
      out.raw(",\"prompt_tokens_details\":{\"cached_tokens\":").number(cachedTokens).raw("}");
    }
    out.raw("}");
  }
}
