package dev.flotilla.frontend;

import dev.flotilla.tokenizer.TextTokenizer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a front-end knows of the model that the engines run. Safe for use by several threads.
 *
 * @param names a request may give any of them; the first is shown
 * @param chat how messages become a prompt
 * @param defaults of sampling
 */
record ServedModel(
    List<String> names, TextTokenizer tokenizer, ChatFormat chat, Defaults defaults) {

  ServedModel {
    names = List.copyOf(names);
  }

  /** The name that is shown. */
  String name() {
    return names.getFirst();
  }

  /** Turns messages into a prompt; failures are runtime exceptions with one sentence. */
  interface ChatFormat {
    /** The prompt, its special tokens written out. */
    String render(
        List<Map<String, Object>> messages,
        boolean addGenerationPrompt,
        Map<String, Object> variables);
  }

  /** What the model's makers recommend; null where they say nothing. */
  record Defaults(
      @Nullable Float temperature,
      @Nullable Float topP,
      @Nullable Integer topK,
      @Nullable Float minP,
      @Nullable Float repetitionPenalty) {
    static final Defaults NONE = new Defaults(null, null, null, null, null);
  }
}
