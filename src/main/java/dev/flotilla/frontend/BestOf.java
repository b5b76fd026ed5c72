package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Collects the candidates of a request with {@code best_of} above {@code n} and gives the best of
 * each prompt on, best first, once all have ended: those with the highest log-probability per
 * token, as the OpenAI API has it. Used by one thread.
 */
final class BestOf implements Answer {
  private final GenerationRequest shown;
  private final Answer answer;
  private final List<ChoiceOutput> candidates = new ArrayList<>();

  private BestOf(GenerationRequest shown, Answer answer) {
    this.shown = shown;
    this.answer = answer;
    for (int i = 0; i < shown.prompts().size() * shown.bestOf(); i++) {
      candidates.add(new ChoiceOutput(i));
    }
  }

  /**
   * Starts a request, with a choice of candidates between if it asks for one.
   *
   * @throws ApiException 429 if there are too many
   */
  static Generation open(Streams streams, GenerationRequest request, Answer answer) {
    return request.chooses()
        ? streams.open(request.candidates(), new BestOf(request, answer))
        : streams.open(request, ToolAnswer.around(request, answer));
  }

  /** Log-probability per token. */
  private static double mean(ChoiceOutput candidate) {
    return candidate.logprobs.stream()
        .mapToDouble(at -> at.chosen().logprob())
        .average()
        .orElse(Double.NEGATIVE_INFINITY);
  }

  @Override
  public void piece(int choice, OutputText.Piece piece) {
    candidates.get(choice).add(piece);
  }

  @Override
  public void finish(int choice, FinishReason reason, @Nullable Object stop) {
    candidates.get(choice).finish(reason, stop);
  }

  @Override
  public void complete(Usage usage) {
    for (int prompt = 0; prompt < shown.prompts().size(); prompt++) {
      int first = prompt * shown.bestOf();
      List<ChoiceOutput> best =
          candidates.subList(first, first + shown.bestOf()).stream()
              .sorted(Comparator.comparingDouble(BestOf::mean).reversed())
              .limit(shown.n())
              .toList();
      for (int i = 0; i < best.size(); i++) {
        give(prompt * shown.n() + i, best.get(i));
      }
    }
    answer.complete(usage);
  }

  private void give(int choice, ChoiceOutput best) {
    answer.piece(
        choice,
        new OutputText.Piece(
            best.text.toString(),
            TokenIds.of(best.ids, 0, best.idCount),
            shown.logprobs() ? best.logprobs : List.of(),
            best.promptLogprobs));
    answer.finish(choice, best.finish == null ? FinishReason.ERROR : best.finish, best.stop);
  }

  @Override
  public void fail(ApiException failure) {
    answer.fail(failure);
  }
}
