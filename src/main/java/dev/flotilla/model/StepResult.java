package dev.flotilla.model;

import dev.flotilla.protocol.Logprobs;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a step drew.
 *
 * @param items one per item of the batch, in its order
 */
public record StepResult(List<Item> items) {

  /**
   * One sequence's part.
   *
   * @param token drawn; -1 where nothing was to be drawn
   * @param logprobs of the drawn token, if asked for
   * @param promptLogprobs of the successors of the computed prompt tokens, if asked for
   */
  public record Item(int token, @Nullable Logprobs logprobs, List<Logprobs> promptLogprobs) {
    /** Keeps a private copy. */
    public Item {
      promptLogprobs = List.copyOf(promptLogprobs);
    }
  }

  /** Keeps a private copy. */
  public StepResult {
    items = List.copyOf(items);
  }
}
