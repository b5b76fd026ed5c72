package dev.flotilla.executor.cpu;

import dev.flotilla.model.Batch;
import dev.flotilla.model.Executor;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Drives an executor as a scheduler does, as simply as can be: up to so many sequences at once,
 * prompts mixed with decodes, blocks scattered over the cache.
 */
final class Streams {
  /** A sequence's output, the end token included, and its log-probabilities. */
  record Generated(TokenIds output, List<Logprobs> steps, List<Logprobs> prompt) {}

  private static final class Sequence {
    final int index;
    final TokenIds prompt;
    final TokenIds blocks;
    final List<Integer> output = new ArrayList<>();
    final List<Logprobs> steps = new ArrayList<>();
    final List<Logprobs> promptLogprobs = new ArrayList<>();
    int computed;

    Sequence(int index, TokenIds prompt, TokenIds blocks) {
      this.index = index;
      this.prompt = prompt;
      this.blocks = blocks;
    }

    Batch.Item item(Sampling sampling, int chunk) {
      int start = prompt.size() + output.size() - 1;
      if (computed == prompt.size()) {
        return new Batch.Item(
            index, TokenIds.of(output.getLast()), start, blocks, sampling, -1, -1);
      }
      int from = computed;
      computed = (int) Math.min((long) from + chunk, prompt.size());
      boolean last = computed == prompt.size();
      return new Batch.Item(
          index,
          prompt.slice(from, computed),
          from,
          blocks,
          last ? sampling : null,
          sampling.promptLogprobs(),
          last ? -1 : prompt.get(computed));
    }

    void take(StepResult.Item result) {
      if (result.token() >= 0) {
        output.add(result.token());
      }
      if (result.logprobs() != null) {
        steps.add(result.logprobs());
      }
      promptLogprobs.addAll(result.promptLogprobs());
    }

    boolean ended(TokenIds eos, int limit) {
      return !output.isEmpty() && (eos.contains(output.getLast()) || output.size() == limit);
    }

    Generated generated() {
      return new Generated(
          TokenIds.of(output.stream().mapToInt(Integer::intValue).toArray()),
          steps,
          promptLogprobs);
    }
  }

  private final Executor executor;
  private final int chunk;
  private final Deque<Integer> free;

  Streams(Executor executor) {
    this(executor, Integer.MAX_VALUE);
  }

  /**
   * The same.
   *
   * @param chunk most tokens of a prompt in one step
   */
  Streams(Executor executor, int chunk) {
    this.executor = executor;
    this.chunk = chunk;
    List<Integer> scattered = new ArrayList<>();
    for (int i = 0; i < executor.blocks(); i++) {
      scattered.add(i);
    }
    Collections.shuffle(scattered, new Random(5));
    this.free = new ArrayDeque<>(scattered);
  }

  /** Outputs in the order of the prompts. */
  List<Generated> run(List<TokenIds> prompts, Sampling sampling, int atOnce) {
    Map<Integer, Generated> all = new TreeMap<>();
    List<Sequence> running = new ArrayList<>();
    int next = 0;
    while (next < prompts.size() || !running.isEmpty()) {
      while (next < prompts.size() && running.size() < atOnce) {
        running.add(admit(next, prompts.get(next), sampling));
        next++;
      }
      StepResult result =
          executor.execute(new Batch(running.stream().map(s -> s.item(sampling, chunk)).toList()));
      List<Sequence> going = new ArrayList<>();
      for (int i = 0; i < running.size(); i++) {
        Sequence sequence = running.get(i);
        sequence.take(result.items().get(i));
        if (sequence.ended(executor.config().eos(), sampling.maxTokens())) {
          all.put(sequence.index, sequence.generated());
          sequence.blocks.stream().forEach(free::addLast);
        } else {
          going.add(sequence);
        }
      }
      running = going;
    }
    return List.copyOf(all.values());
  }

  private Sequence admit(int index, TokenIds prompt, Sampling sampling) {
    return new Sequence(index, prompt, take(prompt.size() + sampling.maxTokens()));
  }

  private TokenIds take(int tokens) {
    int[] blocks = new int[Math.ceilDiv(tokens, executor.blockSize())];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = free.removeFirst();
    }
    return TokenIds.of(blocks);
  }

  /** Log-probabilities of each token after the first, with so many of the best at each position. */
  List<Logprobs> score(TokenIds text, int top) {
    TokenIds blocks = take(text.size());
    Batch.Item item = new Batch.Item(0, text, 0, blocks, null, top, -1);
    StepResult.Item result = executor.execute(new Batch(List.of(item))).items().getFirst();
    blocks.stream().forEach(free::addLast);
    return result.promptLogprobs();
  }
}
