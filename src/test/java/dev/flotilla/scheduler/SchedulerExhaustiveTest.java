package dev.flotilla.scheduler;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.SchedulingPolicy;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Every order of events of a tiny world: three requests, two of which begin alike, in a KV cache
 * that holds two of them at most; one may be aborted between steps, one within, one may be moved
 * within a step, and the cache may be reset. Every state that can be reached is visited once,
 * checked, and brought to rest.
 */
class SchedulerExhaustiveTest {
  private static final List<TokenIds> PROMPTS =
      List.of(TokenIds.of(1, 2, 3), TokenIds.of(1, 2, 4, 5), TokenIds.of(6));

  private enum Event {
    SUBMIT_0,
    SUBMIT_1,
    SUBMIT_2,
    STEP,
    STEP_AND_ABORT_0,
    STEP_AND_MOVE_1,
    ABORT_2,
    RESET
  }

  @Test
  void everyOrderOfEventsIsRightFirstComeFirstServed() {
    search(SchedulingPolicy.FCFS, 0);
  }

  @Test
  void everyOrderOfEventsIsRightByPriority() {
    search(SchedulingPolicy.PRIORITY, 2);
  }

  private static void search(SchedulingPolicy policy, int threshold) {
    SchedulerLimits limits =
        new SchedulerLimits(2, 3, 3, 8, 4, 2, TokenIds.of(SchedulerWorld.EOS))
            .withPrefixCaching(true)
            .withLongPrefillTokenThreshold(threshold)
            .withPolicy(policy);
    Set<String> seen = new HashSet<>();
    Deque<List<Event>> open = new ArrayDeque<>(List.of(List.of()));
    while (!open.isEmpty()) {
      List<Event> path = open.removeFirst();
      SchedulerWorld world = new SchedulerWorld(limits);
      try {
        path.forEach(event -> perform(world, event));
        if (seen.add(world.state())) {
          for (Event event : Event.values()) {
            if (possible(world, event)) {
              List<Event> next = new ArrayList<>(path);
              next.add(event);
              open.addLast(next);
            }
          }
          world.finish();
        }
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(path + " under " + limits + ": " + world.events, e);
      }
    }
    System.out.printf("all orders of events, %s: %d states%n", policy, seen.size());
    assertTrue(seen.size() > 300, "too few states: " + seen.size());
  }

  private static boolean lives(SchedulerWorld world, int request) {
    return lives(world, request, Integer.MAX_VALUE);
  }

  private static boolean lives(SchedulerWorld world, int request, int attemptMax) {
    SchedulerWorld.Client client = world.clients.get(Requests.id(request));
    return client != null && !client.over() && client.submit.attempt() <= attemptMax;
  }

  private static boolean possible(SchedulerWorld world, Event event) {
    return switch (event) {
      case SUBMIT_0 -> !world.clients.containsKey(Requests.id(0));
      case SUBMIT_1 -> !world.clients.containsKey(Requests.id(1));
      case SUBMIT_2 -> !world.clients.containsKey(Requests.id(2));
      case STEP -> !world.scheduler.idle();
      case STEP_AND_ABORT_0 -> lives(world, 0);
      case STEP_AND_MOVE_1 -> lives(world, 1, 0);
      case ABORT_2 -> lives(world, 2);
      case RESET -> world.scheduler.pool().used() == 0;
    };
  }

  private static void perform(SchedulerWorld world, Event event) {
    switch (event) {
      case SUBMIT_0 -> submit(world, 0);
      case SUBMIT_1 -> submit(world, 1);
      case SUBMIT_2 -> submit(world, 2);
      case STEP -> world.step(() -> {});
      case STEP_AND_ABORT_0 -> world.step(() -> world.abort(Requests.id(0)));
      case STEP_AND_MOVE_1 -> world.step(() -> world.submitAgain(Requests.id(1), 1));
      case ABORT_2 -> world.abort(Requests.id(2));
      case RESET -> world.reset(false);
    }
  }

  private static void submit(SchedulerWorld world, int request) {
    Sampling sampling = Sampling.greedy(3 - request);
    world.submit(Requests.id(request), PROMPTS.get(request), sampling, 2 - request, "");
  }
}
