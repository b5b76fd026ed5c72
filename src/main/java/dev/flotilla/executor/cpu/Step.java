package dev.flotilla.executor.cpu;

import dev.flotilla.model.Batch;
import dev.flotilla.model.ModelException;

/** A batch laid out token by token: whose each token is, and where it stands. */
final class Step {
  /** Most tokens of one attention task, so that a long prefill is spread over the workers. */
  private static final int PIECE = 16;

  private final Batch batch;
  private final int tokens;
  private final int[] ids;
  private final int[] owners;
  private final int[] positions;
  private final int[] starts;
  private final int pieces;
  private final int[] pieceOwners;
  private final int[] pieceFirsts;
  private final int[] pieceLengths;
  private boolean single = true;
  private int reach;

  Step(Batch batch) {
    this.batch = batch;
    tokens = batch.tokens();
    ids = new int[tokens];
    owners = new int[tokens];
    positions = new int[tokens];
    starts = new int[batch.items().size()];
    int at = 0;
    int count = 0;
    for (int i = 0; i < starts.length; i++) {
      Batch.Item item = batch.items().get(i);
      starts[i] = at;
      item.tokens().copyTo(ids, at);
      for (int t = 0; t < item.tokens().size(); t++, at++) {
        owners[at] = i;
        positions[at] = item.start() + t;
      }
      single &= item.tokens().size() == 1;
      reach = Math.max(reach, item.start() + item.tokens().size());
      count += (item.tokens().size() + PIECE - 1) / PIECE;
    }
    pieces = count;
    pieceOwners = new int[pieces];
    pieceFirsts = new int[pieces];
    pieceLengths = new int[pieces];
    cut();
  }

  private void cut() {
    int piece = 0;
    for (int i = 0; i < starts.length; i++) {
      int size = batch.items().get(i).tokens().size();
      for (int t = 0; t < size; t += PIECE, piece++) {
        pieceOwners[piece] = i;
        pieceFirsts[piece] = starts[i] + t;
        pieceLengths[piece] = Math.min(PIECE, size - t);
      }
    }
  }

  /** Refuses what would read or write beyond the weights or the cache. */
  void check(int vocab, int blocks, int blockSize, int maxModelLen) {
    for (Batch.Item item : batch.items()) {
      int end = item.start() + item.tokens().size();
      if (item.tokens().isEmpty()
          || item.start() < 0
          || end > maxModelLen
          || (long) item.blocks().size() * blockSize < end) {
        throw new ModelException(
            "sequence %d: %d tokens from position %d need blocks up to position %d, at most %d; it has %d blocks of %d"
                .formatted(
                    item.sequence(),
                    item.tokens().size(),
                    item.start(),
                    end,
                    maxModelLen,
                    item.blocks().size(),
                    blockSize));
      }
      for (int b = 0; b < item.blocks().size(); b++) {
        if (item.blocks().get(b) < 0 || item.blocks().get(b) >= blocks) {
          throw new ModelException(
              "sequence %d: block %d is not one of the %d of this rank"
                  .formatted(item.sequence(), item.blocks().get(b), blocks));
        }
      }
    }
    for (int id : ids) {
      if (id < 0 || id >= vocab) {
        throw new ModelException("token %d is not one of the %d of the model".formatted(id, vocab));
      }
    }
  }

  Batch.Item item(int index) {
    return batch.items().get(index);
  }

  int items() {
    return starts.length;
  }

  int tokens() {
    return tokens;
  }

  int id(int token) {
    return ids[token];
  }

  Batch.Item owner(int token) {
    return batch.items().get(owners[token]);
  }

  /** Whether two tokens are of one item. */
  boolean together(int first, int second) {
    return owners[first] == owners[second];
  }

  int position(int token) {
    return positions[token];
  }

  /** First token of an item. */
  int start(int item) {
    return starts[item];
  }

  /** Whether every item is one token. */
  boolean single() {
    return single;
  }

  /** One more than the greatest position. */
  int reach() {
    return reach;
  }

  int pieces() {
    return pieces;
  }

  Batch.Item pieceOwner(int piece) {
    return batch.items().get(pieceOwners[piece]);
  }

  int pieceFirst(int piece) {
    return pieceFirsts[piece];
  }

  int pieceLength(int piece) {
    return pieceLengths[piece];
  }
}
