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
 * @param bestOf choices that are computed of each prompt; the best {@code n} are shown
 * @param sampling its limit and seed are replaced for each choice
 * @param stops what ends a choice beside tokens
 * @param form how the answer is written
 * @param routing where and when it is computed
 * @param tools whether and how the answer may call tools
 */
record GenerationRequest(
    boolean chat,
    String model,
    List<Prompt> prompts,
    int n,
    int bestOf,
    Sampling sampling,
    Stops stops,
    Form form,
    Routing routing,
    ToolChoice tools) {

  /**
   * One prompt.
   *
   * @param maxTokens output tokens that it may get
   * @param echoed what the text of its choices begins with; "" without {@code echo}
   */
  record Prompt(TokenIds ids, int maxTokens, String echoed) {}

  /**
   * Strings that end a choice.
   *
   * @param include whether what ended a choice, a token too, is part of its text
   */
  record Stops(List<String> strings, boolean include) {
    Stops {
      strings = List.copyOf(strings);
    }
  }

  /**
   * How an answer is written.
   *
   * @param includeUsage whether a stream ends with the counts
   * @param continuousUsage whether every chunk carries them
   * @param skipSpecial whether special tokens are left out of the text
   * @param returnTokenIds whether ids go with the text
   * @param promptLogprobs how many best tokens are shown for each token of the prompt; -1: nothing
   * @param tokensAsIds whether log-probabilities name tokens by their ids
   * @param echo whether the prompt precedes the output
   * @param promptOnly whether nothing but the prompt is wanted: echo without output
   * @param role who speaks in a chat's answer
   */
  record Form(
      boolean stream,
      boolean includeUsage,
      boolean continuousUsage,
      boolean skipSpecial,
      boolean returnTokenIds,
      int promptLogprobs,
      boolean tokensAsIds,
      boolean echo,
      boolean promptOnly,
      String role) {}

  /**
   * Where and when a request is computed.
   *
   * @param rank the engine that the client insists on
   * @param priority smaller is sooner, where engines go by it
   * @param cacheSalt keeps cached prefixes to requests of the same salt; "" is none
   */
  record Routing(@Nullable Rank rank, int priority, String cacheSalt) {}

  GenerationRequest {
    prompts = List.copyOf(prompts);
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

  /** Whether the log-probabilities of the output begin with those of the prompt. */
  boolean echoesLogprobs() {
    return form.echo() && !chat && logprobs();
  }

  /** The sampling of a choice; choices of one prompt differ by their seeds. */
  Sampling sampling(int choice) {
    return sampling.toBuilder()
        .seed(sampling.seed() + choice % n)
        .maxTokens(prompt(choice).maxTokens())
        .build();
  }

  /** Whether fewer choices are shown than computed. */
  boolean chooses() {
    return bestOf > n;
  }

  /** The request that computes all candidates of this one, with what they are compared by. */
  GenerationRequest candidates() {
    return new GenerationRequest(
        chat,
        model,
        prompts,
        bestOf,
        bestOf,
        sampling.withLogprobs(Math.max(0, sampling.logprobs()), sampling.promptLogprobs()),
        stops,
        form,
        routing,
        tools);
  }

  int promptTokens() {
    return prompts.stream().mapToInt(p -> p.ids().size()).sum();
  }
}
