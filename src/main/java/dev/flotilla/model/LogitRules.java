package dev.flotilla.model;

import dev.flotilla.protocol.Penalties;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.protocol.TokenRules;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What changes logits before the temperature, in vLLM's order: grammar, allowed ids, bad words,
 * minimal length, biases, then the penalties for repetition, frequency and presence. Works on a
 * copy, since log-probabilities are those of the logits as they come.
 *
 * <p>If the rules together leave no token, those other than the grammar are void for this draw.
 * Holds scratch memory, so one thread at a time may use an instance.
 *
 * <p>Source: {@code Sampler}, {@code apply_penalties} and {@code apply_bad_words} of vLLM v1.
 */
final class LogitRules {
  private float[] row = new float[0];
  private int[] counts = new int[0];

  /** Whether there is anything to change. */
  static boolean apply(Batch.Item item) {
    Sampling sampling = item.sampling();
    return item.mask() != null
        || item.history() != null
        || (sampling != null && !sampling.rules().isEmpty());
  }

  /**
   * The changed row, from index 0 on; valid until the next call.
   *
   * @param eos the model's own end tokens
   */
  float[] changed(
      float[] logits, int offset, int length, Batch.Item item, Sampling sampling, TokenIds eos) {
    if (row.length < length) {
      row = new float[length];
      counts = new int[length];
    }
    Batch.History history = item.history() == null ? Batch.History.NONE : item.history();
    TokenRules rules = sampling.rules();
    copy(logits, offset, length, item.mask());
    allow(rules.allowed(), length);
    forbid(rules.badWords(), history.output(), length);
    // Without a history none is needed: the output has come to its minimal length.
    if (item.history() != null && history.output().size() < sampling.minTokens()) {
      forbid(sampling.stopIds(), length);
      forbid(eos, length);
    }
    for (int i = 0; i < rules.biased().size(); i++) {
      int id = rules.biased().get(i);
      if (id >= 0 && id < length) {
        row[id] += rules.biases().get(i);
      }
    }
    if (!hasAny(length)) {
      copy(logits, offset, length, item.mask());
    }
    penalise(sampling.penalties(), history, length);
    return row;
  }

  private void copy(float[] logits, int offset, int length, @Nullable TokenMask mask) {
    if (mask != null) {
      mask.copyAllowed(logits, offset, row, length);
      if (hasAny(length)) {
        return;
      }
    }
    System.arraycopy(logits, offset, row, 0, length);
  }

  private boolean hasAny(int length) {
    for (int i = 0; i < length; i++) {
      if (row[i] != Float.NEGATIVE_INFINITY) {
        return true;
      }
    }
    return false;
  }

  private void allow(TokenIds allowed, int length) {
    if (allowed.isEmpty()) {
      return;
    }
    float[] kept = new float[allowed.size()];
    for (int i = 0; i < kept.length; i++) {
      int id = allowed.get(i);
      kept[i] = id >= 0 && id < length ? row[id] : 0;
    }
    Arrays.fill(row, 0, length, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < kept.length; i++) {
      int id = allowed.get(i);
      if (id >= 0 && id < length) {
        row[id] = kept[i];
      }
    }
  }

  private void forbid(TokenIds ids, int length) {
    for (int i = 0; i < ids.size(); i++) {
      forbid(ids.get(i), length);
    }
  }

  private void forbid(int id, int length) {
    if (id >= 0 && id < length) {
      row[id] = Float.NEGATIVE_INFINITY;
    }
  }

  /** The last id of a word, where the output ends with those before it. */
  private void forbid(List<TokenIds> words, TokenIds output, int length) {
    for (TokenIds word : words) {
      int before = word.size() - 1;
      int from = output.size() - before;
      boolean begun = from >= 0;
      for (int i = 0; begun && i < before; i++) {
        begun = output.get(from + i) == word.get(i);
      }
      if (begun) {
        forbid(word.get(before), length);
      }
    }
  }

  private void penalise(Penalties penalties, Batch.History history, int length) {
    if (penalties.neutral()) {
      return;
    }
    TokenIds output = history.output();
    float repetition = penalties.repetition();
    if (repetition != 1) {
      // Marked with -1, so that each id counts once whether it stands in prompt, output or both.
      repeat(history.prompt(), repetition, length);
      repeat(output, repetition, length);
      clear(history.prompt(), length);
      clear(output, length);
    }
    for (int i = 0; i < output.size(); i++) {
      if (output.get(i) >= 0 && output.get(i) < length) {
        counts[output.get(i)]++;
      }
    }
    for (int i = 0; i < output.size(); i++) {
      int id = output.get(i);
      if (id >= 0 && id < length && counts[id] > 0) {
        row[id] -= penalties.frequency() * counts[id];
        row[id] -= penalties.presence();
        counts[id] = 0;
      }
    }
  }

  private void repeat(TokenIds ids, float repetition, int length) {
    for (int i = 0; i < ids.size(); i++) {
      int id = ids.get(i);
      if (id >= 0 && id < length && counts[id] == 0) {
        counts[id] = -1;
        row[id] = row[id] > 0 ? row[id] / repetition : row[id] * repetition;
      }
    }
  }

  private void clear(TokenIds ids, int length) {
    for (int i = 0; i < ids.size(); i++) {
      if (ids.get(i) >= 0 && ids.get(i) < length) {
        counts[ids.get(i)] = 0;
      }
    }
  }
}
