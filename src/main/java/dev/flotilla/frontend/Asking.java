package dev.flotilla.frontend;

import dev.flotilla.balancer.Query;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToFrontend;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks the coordinator for engines. A question that is not answered in {@value #PATIENCE_MS} ms is
 * given back, and for a second after that nobody is asked, so that a missing coordinator costs one
 * wait and not one for each request. Used by the front-end's thread.
 */
final class Asking {
  static final long PATIENCE_MS = 50;
  private static final long PAUSE_NANOS = 1_000_000_000L;

  private final FrontendId owner;
  private final Bus bus;
  private final Later later;
  private final Map<Long, Question> open = new HashMap<>();
  private long calls;
  private long pausedUntil = System.nanoTime();

  /** Runs something on the same thread in so many milliseconds. */
  interface Later {
    void run(long ms, Runnable action);
  }

  /** What the coordinator said. */
  record Chosen(Incarnation incarnation, int cachedTokens, String decision) {}

  private record Question(Choice choice, Consumer<@Nullable Chosen> answer) {}

  Asking(FrontendId owner, Bus bus, Later later) {
    this.owner = owner;
    this.bus = bus;
    this.later = later;
  }

  /**
   * Asks, unless a question about the choice is open already.
   *
   * @param answer gets null if the coordinator does not answer in time or knows no engine
   */
  void ask(Choice choice, Query query, boolean explain, Consumer<@Nullable Chosen> answer) {
    if (choice.asked) {
      return;
    }
    if (System.nanoTime() - pausedUntil < 0) {
      answer.accept(null);
      return;
    }
    long call = ++calls;
    choice.asked = true;
    open.put(call, new Question(choice, answer));
    later.run(PATIENCE_MS, () -> unanswered(call));
    bus.send(
            Addresses.COORDINATOR,
            new ToCoordinator.Choose(
                owner,
                call,
                query.promptTokens(),
                query.prefix().blockTokens(),
                prefix(query),
                List.copyOf(query.excluded()),
                query.only(),
                explain))
        .onFailure(_ -> unanswered(call));
  }

  private static List<Long> prefix(Query query) {
    int count = Math.min(query.prefix().size(), ToCoordinator.Choose.BLOCKS_MAX);
    List<Long> hashes = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      hashes.add(query.prefix().hash(i));
    }
    return hashes;
  }

  private void unanswered(long call) {
    Question question = open.remove(call);
    if (question != null) {
      pausedUntil = System.nanoTime() + PAUSE_NANOS;
      question.choice.asked = false;
      question.answer.accept(null);
    }
  }

  /** An answer; late ones are ignored. */
  void answered(ToFrontend.Chosen chosen) {
    Question question = open.remove(chosen.call());
    if (question != null) {
      question.choice.asked = false;
      Incarnation incarnation = chosen.incarnation();
      question.answer.accept(
          incarnation == null
              ? null
              : new Chosen(incarnation, chosen.cachedTokens(), chosen.decision()));
    }
  }
}
