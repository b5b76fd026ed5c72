package dev.flotilla.scheduler;

import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import dev.flotilla.protocol.Logprobs;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An executor whose "keys and values" are, as real ones are, a function of a token and of all
 * before it: it writes them into the blocks of the batch and draws a hash of what it reads back
 * over the block table. A block that is owned twice, used after it was freed or taken for another
 * prefix changes what is drawn.
 */
final class KvMemory {
  private static final int EMPTY = -1;
  private static final int START = 17;

  private final int blockSize;
  private final int vocab;
  private final int[] cells;

  KvMemory(int blocks, int blockSize, int vocab) {
    this.blockSize = blockSize;
    this.vocab = vocab;
    cells = new int[blocks * blockSize];
    Arrays.fill(cells, EMPTY);
  }

  /** What a request draws when it runs alone and nothing ends it. */
  static int[] alone(TokenIds prompt, int count, int vocab) {
    int[] all = Arrays.copyOf(prompt.toArray(), prompt.size() + count);
    int[] context = new int[all.length];
    for (int i = 0; i < all.length; i++) {
      if (i >= prompt.size()) {
        all[i] = draw(context, i, vocab);
      }
      context[i] = value(i == 0 ? START : context[i - 1], all[i]);
    }
    return Arrays.copyOfRange(all, prompt.size(), all.length);
  }

  /** What a cell holds after these tokens. */
  static int value(TokenIds prefix) {
    int value = START;
    for (int i = 0; i < prefix.size(); i++) {
      value = value(value, prefix.get(i));
    }
    return value;
  }

  /** What the last cell of a block holds. */
  int last(int block) {
    return cells[(block + 1) * blockSize - 1];
  }

  StepResult execute(Batch batch) {
    for (Batch.Item item : batch.items()) {
      for (int i = 0; i < item.tokens().size(); i++) {
        int position = item.start() + i;
        int before = position == 0 ? START : cells[cell(item, position - 1)];
        cells[cell(item, position)] = value(before, item.tokens().get(i));
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

  private static int value(int before, int token) {
    int hash = before * 31 + token;
    return hash ^ (hash >>> 15);
  }

  private static int draw(int[] context, int length, int vocab) {
    int hash = 0;
    for (int i = 0; i < length; i++) {
      hash = hash * 31 + context[i];
    }
    return Math.floorMod((hash * 0x9E3779B1) >>> 7, vocab);
  }
}
