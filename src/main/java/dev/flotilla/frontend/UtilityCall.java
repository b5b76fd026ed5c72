package dev.flotilla.frontend;

import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Machine;
import dev.flotilla.protocol.Rank;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One call of a utility on several engines: all are awaited, and one failure fails the call. An
 * engine that is gone or does not answer in time has failed it.
 *
 * <p>Source: the original's utility calls, which await all engines and give the first one's result;
 * here each engine's result is given.
 *
 * @param waiting engines that have not answered
 * @param results as JSON
 * @param failures sentences
 */
record UtilityCall(
    String name,
    long deadlineNanos,
    SortedMap<Rank, Incarnation> waiting,
    SortedMap<Rank, String> results,
    SortedMap<Rank, String> failures)
    implements Machine {

  /** What can happen. */
  sealed interface Event {
    /** Time passes. */
    record Tick(long nowNanos) implements Event {}

    /** An engine has answered; exactly one of the two is null. */
    record Answered(
        Rank rank, Incarnation incarnation, @Nullable String result, @Nullable String failure)
        implements Event {}

    /** The call could not be sent. */
    record SendFailed(Incarnation incarnation, String reason) implements Event {}

    /** The engines that are known now. */
    record Known(Set<Incarnation> engines) implements Event {}
  }

  /** Keeps private copies. */
  UtilityCall {
    waiting = Collections.unmodifiableSortedMap(new TreeMap<>(waiting));
    results = Collections.unmodifiableSortedMap(new TreeMap<>(results));
    failures = Collections.unmodifiableSortedMap(new TreeMap<>(failures));
  }

  /** Awaits an answer of each. */
  static UtilityCall of(String name, Map<Rank, Incarnation> engines, long deadlineNanos) {
    return new UtilityCall(
        name, deadlineNanos, new TreeMap<>(engines), new TreeMap<>(), new TreeMap<>());
  }

  /** The only way forward. Late, repeated and foreign answers change nothing. */
  UtilityCall on(Event event) {
    return switch (event) {
      case Event.Tick(long now) when now - deadlineNanos >= 0 -> failAll("did not answer in time");
      case Event.Tick _ -> this;
      case Event.Answered(Rank rank, Incarnation its, String result, String failure) ->
          its.equals(waiting.get(rank)) ? settle(rank, result, failure) : this;
      case Event.SendFailed(Incarnation its, String reason) ->
          failWhere(i -> i.equals(its), "cannot be reached: " + reason);
      case Event.Known(Set<Incarnation> engines) -> failWhere(i -> !engines.contains(i), "is gone");
    };
  }

  boolean done() {
    return waiting.isEmpty();
  }

  /** Why it failed; null if it did not. */
  @Nullable String failure() {
    if (failures.isEmpty()) {
      return null;
    }
    StringBuilder sentence = new StringBuilder(name).append(" failed: ");
    failures.forEach(
        (rank, reason) ->
            sentence
                .append(sentence.charAt(sentence.length() - 1) == ' ' ? "" : "; ")
                .append("engine ")
                .append(rank)
                .append(": ")
                .append(reason));
    return sentence.toString();
  }

  private UtilityCall settle(Rank rank, @Nullable String result, @Nullable String failure) {
    SortedMap<Rank, Incarnation> rest = new TreeMap<>(waiting);
    SortedMap<Rank, String> done = new TreeMap<>(results);
    SortedMap<Rank, String> failed = new TreeMap<>(failures);
    rest.remove(rank);
    if (failure == null && result != null) {
      done.put(rank, result);
    } else {
      failed.put(rank, failure == null ? "gave no result" : failure);
    }
    return new UtilityCall(name, deadlineNanos, rest, done, failed);
  }

  private UtilityCall failAll(String reason) {
    return failWhere(i -> true, reason);
  }

  private UtilityCall failWhere(Predicate<Incarnation> which, String reason) {
    UtilityCall next = this;
    for (Map.Entry<Rank, Incarnation> engine : waiting.entrySet()) {
      if (which.test(engine.getValue())) {
        next = next.settle(engine.getKey(), null, reason);
      }
    }
    return next;
  }
}
