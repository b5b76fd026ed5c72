package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Collects an answer and gives it away whole. */
final class WholeAnswer implements Answer {
  private final List<ChoiceOutput> choices = new ArrayList<>();
  private final AnswerFormat format;
  private final Consumer<byte[]> whole;
  private final Consumer<ApiException> failed;

  WholeAnswer(
      GenerationRequest request,
      AnswerFormat format,
      Consumer<byte[]> whole,
      Consumer<ApiException> failed) {
    this.format = format;
    this.whole = whole;
    this.failed = failed;
    for (int i = 0; i < request.choices(); i++) {
      choices.add(new ChoiceOutput(i));
    }
  }

  @Override
  public void piece(int choice, OutputText.Piece piece) {
    choices.get(choice).add(piece);
  }

  @Override
  public void finish(int choice, FinishReason reason, @Nullable Object stop) {
    choices.get(choice).finish(reason, stop);
  }

  @Override
  public void complete(Usage usage) {
    whole.accept(format.whole(choices, usage));
  }

  @Override
  public void fail(ApiException failure) {
    failed.accept(failure);
  }
}
