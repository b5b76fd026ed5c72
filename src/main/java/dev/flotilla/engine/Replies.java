package dev.flotilla.engine;

import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToFrontend;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the step loop has to say to front-ends and has not handed over yet. */
final class Replies {
  private List<ToFrontend.Delta> deltas = new ArrayList<>();
  private List<Outcome.Refused> refusals = new ArrayList<>();

  void add(ToFrontend.Delta delta) {
    deltas.add(delta);
  }

  void add(List<ToFrontend.Delta> more) {
    deltas.addAll(more);
  }

  void refuse(RequestId request, int attempt, int status, String reason) {
    refusals.add(new Outcome.Refused(request, attempt, status, reason));
  }

  boolean isEmpty() {
    return deltas.isEmpty() && refusals.isEmpty();
  }

  boolean refuses() {
    return !refusals.isEmpty();
  }

  /** All of it, once. */
  Outcome take(Snapshot snapshot, @Nullable String broken, boolean last) {
    Outcome outcome = Outcome.of(snapshot, deltas, refusals, broken, last);
    deltas = new ArrayList<>();
    refusals = new ArrayList<>();
    return outcome;
  }
}
