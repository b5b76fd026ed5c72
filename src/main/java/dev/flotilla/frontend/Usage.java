package dev.flotilla.frontend;

/** The counts of one answer. */
record Usage(int promptTokens, int completionTokens) {
  void write(JsonBytes out) {
    out.raw("{\"prompt_tokens\":").number(promptTokens);
    out.raw(",\"total_tokens\":").number((long) promptTokens + completionTokens);
    out.raw(",\"completion_tokens\":").number(completionTokens).raw("}");
  }
}
