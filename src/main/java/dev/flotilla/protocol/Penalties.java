package dev.flotilla.protocol;

/**
 * How much a token that already stands in the sequence is held back, as vLLM means it.
 *
 * @param repetition above 1 holds back what is in prompt or output: positive logits are divided by
 *     it, the others multiplied; 1 means off
 * @param presence taken from the logit of what is in the output; 0 means off
 * @param frequency taken from the logit once for each time the token is in the output; 0 means off
 */
public record Penalties(float repetition, float presence, float frequency) {
  /** Nothing is held back. */
  public static final Penalties NONE = new Penalties(1, 0, 0);

  /** Refuses what no front-end may send. */
  public Penalties {
    boolean sane =
        repetition > 0
            && Float.isFinite(repetition)
            && Float.isFinite(presence)
            && Float.isFinite(frequency);
    if (!sane) {
      throw new IllegalArgumentException(
          "penalties out of range: repetition %s, presence %s, frequency %s"
              .formatted(repetition, presence, frequency));
    }
  }

  /** Whether they change nothing. */
  public boolean neutral() {
    return repetition == 1 && presence == 0 && frequency == 0;
  }
}
