package dev.flotilla.scheduler;

import dev.flotilla.model.Batch;
import dev.flotilla.model.StepResult;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The batch that is being computed, if one is, and whose its items are. */
final class Flight {
  private final List<Sequence> sequences = new ArrayList<>(); // in the batch's order
  private List<Batch.Item> items = new ArrayList<>();
  private @Nullable Batch batch;
  private int aborted;

  boolean underWay() {
    return batch != null;
  }

  /** The next {@code count} tokens of the sequence belong to the batch. */
  void add(Sequence sequence, int count) {
    items.add(sequence.item(count));
    sequences.add(sequence);
  }

  int size() {
    return sequences.size();
  }

  /** The batch of what was added; it is under way unless it is empty. */
  Batch leave() {
    Batch all = new Batch(items);
    items = new ArrayList<>(sequences.size() + 8);
    batch = all.isEmpty() ? null : all;
    return all;
  }

  List<Sequence> sequences() {
    return sequences;
  }

  boolean carries(Sequence sequence) {
    return underWay() && sequences.contains(sequence);
  }

  /** One of its sequences has ended while it was under way. */
  void abort() {
    aborted++;
  }

  int aborted() {
    return aborted;
  }

  void land() {
    batch = null;
    sequences.clear();
    aborted = 0;
  }

  /** Throws before anything has moved, so that all requests can still be told. */
  @SuppressWarnings("ReferenceEquality") // the very batch is meant, and comparing values is slow
  void requireResultOf(Batch its, StepResult result) {
    if (its != batch || result.items().size() != sequences.size()) {
      throw new IllegalStateException(
          "a result of %d items for a batch of %d that is %s"
              .formatted(
                  result.items().size(),
                  its.items().size(),
                  its == batch ? "under way" : "not under way"));
    }
    for (int i = 0; i < sequences.size(); i++) {
      if (its.items().get(i).sampling() != null && result.items().get(i).token() < 0) {
        throw new IllegalStateException("the executor drew no token for " + sequences.get(i));
      }
    }
  }
}
