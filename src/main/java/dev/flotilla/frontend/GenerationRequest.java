package dev.flotilla.frontend;

import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A validated request, with every default filled in.
 *
 * @param chat whether it came as messages
 * @param model the name that the answer carries
 * @param n choices of each prompt
 * @param sampling its limit and seed are replaced for each choice
 * @param stops strings that end a choice
 * @param includeStop whether what ended a choice is part of its text
 * @param skipSpecial whether special tokens are left out of the text
 * @param includeUsage whether a stream ends with the counts
 * @param continuousUsage whether every chunk carries them
 * @param returnTokenIds whether ids go with the text
 * @param echo whether the prompt precedes the output
 * @param rank the engine that the client insists on
 */
record GenerationRequest(
    boolean chat,
    String model,
    List<Prompt> prompts,
    int n,
    Sampling sampling,
    List<String> stops,
    boolean includeStop,
    boolean skipSpecial,
    boolean stream,
    boolean includeUsage,
    boolean continuousUsage,
    boolean returnTokenIds,
    boolean echo,
    @Nullable Rank rank) {

  /**
   * One prompt.
   *
   * @param maxTokens output tokens that it may get
   */
  record Prompt(TokenIds ids, int maxTokens) {}

  GenerationRequest {
    prompts = List.copyOf(prompts);
    stops = List.copyOf(stops);
  }

  int choices() {
    return prompts.size() * n;
  }

  /** The prompt of a choice; choices of one prompt follow each other. */
  Prompt prompt(int choice) {
    return prompts.get(choice / n);
  }

  boolean logprobs() {
    return sampling.logprobs() >= 0;
  }

  /** The sampling of a choice; choices of one prompt differ by their seeds. */
  Sampling sampling(int choice) {
    return sampling.toBuilder()
        .seed(sampling.seed() + choice % n)
        .maxTokens(prompt(choice).maxTokens())
        .build();
  }

  int promptTokens() {
    return prompts.stream().mapToInt(p -> p.ids().size()).sum();
  }
}
