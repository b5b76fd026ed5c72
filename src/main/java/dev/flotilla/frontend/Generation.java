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

  Usage usage() {
    return new Usage(request.promptTokens(), choices.stream().mapToInt(c -> c.text.count()).sum());
  }
}
