package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Stands between the text of an answer and its writer, and makes tool calls of what is one. */
final class ToolAnswer implements Answer {
  private final Answer answer;
  private final List<ToolCallParser> parsers = new ArrayList<>();

  private ToolAnswer(GenerationRequest request, Answer answer) {
    this.answer = answer;
    for (int i = 0; i < request.choices(); i++) {
      boolean eager = !(answer instanceof WholeAnswer);
      parsers.add(new ToolCallParser(eager, request.tools().parallel()));
    }
  }

  /** The answer of a request, with its tool calls found if it may have any. */
  static Answer around(GenerationRequest request, Answer answer) {
    return request.tools().parse() ? new ToolAnswer(request, answer) : answer;
  }

  @Override
  public void piece(int choice, OutputText.Piece piece) {
    answer.piece(choice, with(piece, parsers.get(choice).append(piece.text())));
  }

  @Override
  public void finish(int choice, FinishReason reason, @Nullable Object stop) {
    ToolCallParser.Found rest = parsers.get(choice).finish();
    if (!rest.content().isEmpty() || !rest.deltas().isEmpty()) {
      answer.piece(choice, with(new OutputText.Piece("", TokenIds.EMPTY, List.of()), rest));
    }
    answer.finish(choice, reason, stop);
  }

  @Override
  public void complete(Usage usage) {
    answer.complete(usage);
  }

  @Override
  public void fail(ApiException failure) {
    answer.fail(failure);
  }

  private static OutputText.Piece with(OutputText.Piece piece, ToolCallParser.Found found) {
    List<ToolDelta> calls =
        found.deltas().stream().map(d -> d.name() == null ? d : d.withId(id())).toList();
    return new OutputText.Piece(
        found.content(), piece.ids(), piece.logprobs(), piece.promptLogprobs(), calls);
  }

  /** An id like the OpenAI API's. */
  private static String id() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    return "call_%016x%08x".formatted(random.nextLong(), random.nextInt());
  }
}
