package dev.flotilla.bench;

import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Token ids that prompts are drawn from: ordinary ones, so that no special token changes a run. */
final class Vocabulary {
  private final int[] ids;

  private Vocabulary(int[] ids) {
    this.ids = ids;
  }

  /** The given ids without repetition. */
  static Vocabulary of(int[] ids) {
    int[] distinct = IntStream.of(ids).distinct().toArray();
    if (distinct.length < 2) {
      throw new BenchException(
          "The server's /tokenize gave fewer than 2 different ids; set --random-vocab to the size"
              + " of its vocabulary.");
    }
    return new Vocabulary(distinct);
  }

  /** The middle half of a vocabulary: special tokens lie at one of its ends. */
  static Vocabulary middleOf(int size) {
    return new Vocabulary(IntStream.range(size / 4, size - size / 4).toArray());
  }

  int[] draw(int length, RandomGenerator random) {
    int[] drawn = new int[length];
    for (int i = 0; i < length; i++) {
      drawn[i] = ids[random.nextInt(ids.length)];
    }
    return drawn;
  }
}
