package dev.flotilla.executor.cpu;

import dev.flotilla.model.Batch;
import dev.flotilla.model.Sampler;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Computes logits where they are asked for and draws from them, row by row on the pool. */
final class Draws {
  /** Rows of logits that are held at a time; a long prompt's log-probabilities would fill GiBs. */
  private static final int ROWS_MAX = 64;

  private final int vocab;
  private final TokenIds eos;
  private final ComputePool pool;
  private final Sampler[] samplers;
  private float[] logits = new float[0];

  Draws(int vocab, TokenIds eos, ComputePool pool) {
    this.vocab = vocab;
    this.eos = eos;
    this.pool = pool;
    this.samplers = new Sampler[pool.workers()];
    Arrays.setAll(samplers, i -> new Sampler());
  }

  /** What the step asked for; the forward pass has run. */
  StepResult run(Step step, Forward forward) {
    int[] rows = new int[step.tokens()];
    int[] items = new int[step.tokens()];
    int count = 0;
    for (int i = 0; i < step.items(); i++) {
      int size = step.item(i).tokens().size();
      for (int t = 0; t < size; t++) {
        if (draws(step.item(i), t) || successor(step.item(i), t) >= 0) {
          items[count] = i;
          rows[count++] = step.start(i) + t;
        }
      }
    }
    Row[] drawn = new Row[count];
    for (int from = 0; from < count; from += ROWS_MAX) {
      int first = from;
      int to = Math.min(count, from + ROWS_MAX);
      logits = Elementwise.room(logits, Linear.resultLength(to - from, forward.logitsWidth()));
      forward.logits(rows, from, to, logits);
      pool.run(
          to - from,
          1,
          (a, b, worker) -> {
            for (int r = a; r < b; r++) {
              Batch.Item item = step.item(items[first + r]);
              int t = rows[first + r] - step.start(items[first + r]);
              drawn[first + r] = row(item, t, r * forward.logitsWidth(), samplers[worker]);
            }
          });
    }
    return collect(step, items, drawn);
  }

  private record Row(int token, @Nullable Logprobs logprobs, @Nullable Logprobs prompt) {}

  private static boolean draws(Batch.Item item, int token) {
    return item.sampling() != null && token == item.tokens().size() - 1;
  }

  /** The prompt token after that one, if its log-probability is asked for; else -1. */
  private static int successor(Batch.Item item, int token) {
    if (item.promptLogprobs() < 0) {
      return -1;
    }
    boolean last = token == item.tokens().size() - 1;
    return last ? item.nextToken() : item.tokens().get(token + 1);
  }

  private Row row(Batch.Item item, int token, int offset, Sampler sampler) {
    int next = successor(item, token);
    Logprobs prompt =
        next < 0 ? null : sampler.logprobs(logits, offset, vocab, next, item.promptLogprobs());
    Sampling sampling = item.sampling();
    if (sampling == null || !draws(item, token)) {
      return new Row(-1, null, prompt);
    }
    int drawn = draw(item, sampling, offset, sampler);
    Logprobs logprobs =
        sampling.logprobs() < 0
            ? null
            : sampler.logprobs(logits, offset, vocab, drawn, sampling.logprobs());
    return new Row(drawn, logprobs, prompt);
  }

  private int draw(Batch.Item item, Sampling sampling, int offset, Sampler sampler) {
    if (sampling.temperature() == 0 && !Sampler.steered(item)) {
      int best = Elementwise.argmax(logits, offset, vocab);
      // A row without a finite maximum is the sampler's to refuse.
      if (Float.isFinite(logits[offset + best])) {
        return best;
      }
    }
    return sampler.draw(logits, offset, vocab, item, eos);
  }

  private static StepResult collect(Step step, int[] items, Row[] drawn) {
    List<StepResult.Item> results = new ArrayList<>(step.items());
    int at = 0;
    for (int i = 0; i < step.items(); i++) {
      int token = -1;
      Logprobs logprobs = null;
      List<Logprobs> prompt = new ArrayList<>();
      for (; at < drawn.length && items[at] == i; at++) {
        Row row = drawn[at];
        if (row.prompt != null) {
          prompt.add(row.prompt);
        }
        if (row.token >= 0) {
          token = row.token;
          logprobs = row.logprobs;
        }
      }
      results.add(new StepResult.Item(token, logprobs, prompt));
    }
    return new StepResult(results);
  }
}
