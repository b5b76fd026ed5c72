package dev.flotilla.frontend;

import java.util.ArrayList;
import java.util.List;

/** One client request under way: its choices and where their output goes. */
final class Generation {
  final GenerationRequest request;
  final Answer answer;
  final List<Choice> choices = new ArrayList<>();
  int open;
  boolean closed;

  Generation(GenerationRequest request, Answer answer) {
    this.request = request;
    this.answer = answer;
  }

  /** Every token that was computed counts, those of candidates that are not shown too. */
  Usage usage() {
    int output =
        request.form().promptOnly() ? 0 : choices.stream().mapToInt(c -> c.text.count()).sum();
    int cached = 0;
    for (int first = 0; first < choices.size(); first += request.n()) {
      // The other choices of a prompt may find what the first one has left in the cache.
      cached += choices.get(first).cachedTokens;
    }
    return new Usage(request.promptTokens(), output, cached);
  }
}
