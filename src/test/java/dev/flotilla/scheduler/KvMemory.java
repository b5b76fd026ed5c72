package dev.flotilla.scheduler;

import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An executor whose "keys and values" are the tokens themselves: it writes them into the blocks of
 * the batch and draws a hash of what it reads back over the block table. A block that is owned
 * twice or used after it was freed changes what is drawn.
 */
final class KvMemory {
  private static final int EMPTY = -1;

  private final int blockSize;
  private final int vocab;
  private final int[] cells;

  KvMemory(int blocks, int blockSize, int vocab) {
    this.blockSize = blockSize;
    this.vocab = vocab;
    cells = new int[blocks * blockSize];
    java.util.Arrays.fill(cells, EMPTY);
  }

  /** What a request draws when it runs alone and nothing ends it. */
  static int[] alone(TokenIds prompt, int count, int vocab) {
    int[] all = java.util.Arrays.copyOf(prompt.toArray(), prompt.size() + count);
    for (int i = prompt.size(); i < all.length; i++) {
      all[i] = draw(all, i, vocab);
    }
    return java.util.Arrays.copyOfRange(all, prompt.size(), all.length);
  }

  StepResult execute(Batch batch) {
    for (Batch.Item item : batch.items()) {
      for (int i = 0; i < item.tokens().size(); i++) {
        cells[cell(item, item.start() + i)] = item.tokens().get(i);
      }
    }
    List<StepResult.Item> results = new ArrayList<>();
    for (Batch.Item item : batch.items()) {
      int length = item.start() + item.tokens().size();
      int[] context = new int[length];
      for (int i = 0; i < length; i++) {
        context[i] = cells[cell(item, i)];
      }
      results.add(
          new StepResult.Item(
              item.sampling() == null ? -1 : draw(context, length, vocab),
              logprobs(item, context),
              promptLogprobs(item)));
    }
    return new StepResult(results);
  }

  private @Nullable Logprobs logprobs(Batch.Item item, int[] context) {
    return item.sampling() == null || item.sampling().logprobs() < 0
        ? null
        : certain(draw(context, context.length, vocab));
  }

  private static List<Logprobs> promptLogprobs(Batch.Item item) {
    List<Logprobs> all = new ArrayList<>();
    if (item.promptLogprobs() >= 0) {
      item.tokens().stream().skip(1).forEach(token -> all.add(certain(token)));
      if (item.nextToken() >= 0) {
        all.add(certain(item.nextToken()));
      }
    }
    return all;
  }

  private static Logprobs certain(int token) {
    return new Logprobs(new Logprobs.Entry(token, 0), List.of());
  }

  private int cell(Batch.Item item, int position) {
    return item.blocks().get(position / blockSize) * blockSize + position % blockSize;
  }

  private static int draw(int[] context, int length, int vocab) {
    int hash = 17;
    for (int i = 0; i < length; i++) {
      hash = hash * 31 + context[i];
      hash ^= hash >>> 15;
    }
    return Math.floorMod(hash * 0x9E3779B1, vocab);
  }
}
