package dev.flotilla.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.engine.Lockstep.Effect;
import dev.flotilla.engine.Lockstep.Event;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class LockstepTest {
  private static final int INTERVAL = 32;
  private static final long GENERATION = 5;

  private static final long MS = 1_000_000;

  private final long now = 7;
  private Lockstep rank = Lockstep.asleep(INTERVAL, GENERATION);

  private List<Effect> on(Event event) {
    Lockstep.Move move = rank.on(event);
    rank = move.next();
    return move.effects();
  }

  @Test
  void sleepsWithoutWork_andAsksForAWaveWithIt() {
    assertEquals(List.of(new Effect.Sleep()), on(new Event.Turn(false, now)));
    Effect ask = new Effect.WantWave(GENERATION, 0);
    assertEquals(List.of(ask, new Effect.SleepUntil(now + 20 * MS)), on(new Event.Turn(true, now)));
    assertEquals(List.of(new Effect.SleepUntil(now + 20 * MS)), on(new Event.Turn(true, now)));
    List<Long> asked = new ArrayList<>();
    for (int ms = 1; ms <= 400; ms++) {
      if (on(new Event.Turn(true, now + ms * MS)).contains(ask)) {
        asked.add((long) ms);
      }
    }
    assertEquals(List.of(20L, 60L, 140L, 240L, 340L), asked, "less and less often");
    assertFalse(rank.running(), "no member starts by itself");
  }

  @Test
  void takesEveryStepOfAWave_asADummyWithoutWork() {
    on(new Event.StartWave(GENERATION, 0));
    assertEquals(List.of(new Effect.Step()), on(new Event.Turn(true, now)));
    assertEquals(List.of(new Effect.Agree()), on(new Event.StepDone(false)));
    assertEquals(List.of(), on(new Event.Agreed(true)));
    assertEquals(List.of(new Effect.DummyStep()), on(new Event.Turn(false, now)));
    assertEquals(List.of(), on(new Event.StepDone(true)));
    assertEquals(new Lockstep.Counts(2, 1, 1), rank.counts());
  }

  @Test
  void agreesAtStepOneAndThenEveryInterval() {
    on(new Event.StartWave(GENERATION, 0));
    List<Integer> agreements = new ArrayList<>();
    for (int step = 1; step <= 100; step++) {
      on(new Event.Turn(true, now));
      if (on(new Event.StepDone(false)).contains(new Effect.Agree())) {
        agreements.add(step);
        on(new Event.Agreed(true));
      }
    }
    assertEquals(List.of(1, 32, 64, 96), agreements);
  }

  @Test
  void aWaveEndsWhenNobodyHasWork_andTheNextCountsItsStepsFromOne() {
    on(new Event.StartWave(GENERATION, 0));
    on(new Event.Turn(true, now));
    on(new Event.StepDone(false));
    assertEquals(List.of(new Effect.WaveComplete(0)), on(new Event.Agreed(false)));
    assertFalse(rank.running());
    assertEquals(1, rank.wave());
    assertEquals(List.of(new Effect.Sleep()), on(new Event.Turn(false, now)));
    on(new Event.StartWave(GENERATION, 0));
    assertFalse(rank.running(), "a wave that is over does not start again");
    on(new Event.StartWave(GENERATION, 1));
    on(new Event.Turn(true, now));
    assertEquals(List.of(new Effect.Agree()), on(new Event.StepDone(false)), "step 1");
  }

  @Test
  void aStartThatComesBeforeTheEndOfTheLastWaveIsKept() {
    on(new Event.StartWave(GENERATION, 0));
    on(new Event.Turn(true, now));
    on(new Event.StepDone(false));
    on(new Event.StartWave(GENERATION, 1));
    assertEquals(0, rank.wave());
    assertEquals(List.of(new Effect.WaveComplete(0)), on(new Event.Agreed(false)));
    assertTrue(rank.running());
    assertEquals(1, rank.wave());
  }

  @Test
  void aLateJoinerRunsThePresentWave_andARegroupedOneRests() {
    on(new Event.StartWave(GENERATION, 7));
    assertTrue(rank.running());
    assertEquals(7, rank.wave());
    on(new Event.Turn(true, now));
    on(new Event.Regrouped(GENERATION + 1, 9));
    assertFalse(rank.running());
    assertEquals(9, rank.wave());
    on(new Event.StartWave(GENERATION, 9));
    assertFalse(rank.running(), "a start of the former generation is dropped");
    on(new Event.StartWave(GENERATION + 1, 9));
    assertTrue(rank.running());
    assertEquals(0, rank.step());
    on(new Event.Regrouped(GENERATION + 1, 12));
    assertTrue(rank.running(), "what is told again changes nothing");
    on(new Event.Regrouped(GENERATION + 2, 4));
    assertEquals(9, rank.wave(), "waves never go back");
  }

  @Test
  void anExchangeThatFailsEndsTheGenerationUntilANewerOneComes() {
    on(new Event.StartWave(GENERATION, 3));
    on(new Event.Turn(true, now));
    on(new Event.Failed());
    assertFalse(rank.running());
    on(new Event.StepDone(false));
    on(new Event.StartWave(GENERATION, 4));
    assertFalse(rank.running());
    Effect said = new Effect.SayBroken(GENERATION);
    assertTrue(on(new Event.Turn(true, now)).contains(said));
    assertFalse(on(new Event.Turn(true, now)).contains(said));
    assertTrue(on(new Event.Turn(false, now + 20 * MS)).contains(said), "and again");
    on(new Event.Regrouped(GENERATION + 1, 4));
    assertEquals(
        List.of(new Effect.WantWave(GENERATION + 1, 4), new Effect.SleepUntil(now + 20 * MS)),
        on(new Event.Turn(true, now)));
  }

  @Test
  void whoBelongsToNoGroupAsksForNothing() {
    rank = Lockstep.alone(INTERVAL);
    assertEquals(List.of(new Effect.Sleep()), on(new Event.Turn(true, now)));
    on(new Event.StartWave(0, 0));
    on(new Event.Regrouped(GENERATION, 2));
    assertFalse(rank.running());
    assertEquals(2, rank.wave());
  }

  @Test
  @Scenario("A45")
  void afterTheLastRequestAllRestWithinAnInterval_andTheWaveCountsOnce() {
    for (int work = 1; work <= 100; work++) {
      Lockstep[] group = new Lockstep[3];
      Arrays.setAll(group, i -> Lockstep.asleep(INTERVAL, GENERATION));
      for (int i = 0; i < 3; i++) {
        group[i] = group[i].on(new Event.StartWave(GENERATION, 0)).next();
      }
      for (int step = 1; group[0].running(); step++) {
        boolean unfinished = step < work;
        for (int i = 0; i < 3; i++) {
          boolean dummy = i > 0 || step > work;
          Lockstep.Move move = group[i].on(new Event.StepDone(dummy));
          group[i] = move.next();
          if (move.effects().contains(new Effect.Agree())) {
            group[i] = group[i].on(new Event.Agreed(unfinished)).next();
          }
        }
      }
      long steps = work == 1 ? 1 : Math.ceilDiv(work, INTERVAL) * INTERVAL;
      for (int i = 0; i < 3; i++) {
        assertFalse(group[i].running());
        assertEquals(1, group[i].wave());
        assertEquals(steps, group[i].counts().steps());
        assertEquals(i == 0 ? steps - work : steps, group[i].counts().dummies());
      }
      assertTrue(steps - work < INTERVAL);
    }
  }

  /**
   * Ranks with random work, arriving at random times, whose starts are delayed at random: nobody
   * ever takes a step that others do not take, all work gets done, and at rest all have completed
   * equally many waves. A member that would step waits, as it would in an exchange.
   */
  @Test
  void allMembersTakeTheSameSteps_whateverTheOrderInWhichTheyAreTold() {
    for (long seed = 0; seed < 2_000; seed++) {
      new World(seed).run();
    }
  }

  private static final class World {
    private final RandomGenerator random;
    private final long seed;
    private final Lockstep[] ranks;
    private final int[] work;
    private final boolean[] asked; // its last turn is answered, and it waits for the others
    private final List<List<Effect>> due = new ArrayList<>();
    private final List<long[]> starts = new ArrayList<>(); // (rank, wave), under way
    private int arrivals;
    private long now;

    World(long seed) {
      this.seed = seed;
      random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      int size = 1 + random.nextInt(4);
      ranks = new Lockstep[size];
      work = new int[size];
      asked = new boolean[size];
      arrivals = random.nextInt(6);
      int interval = 1 + random.nextInt(6);
      Arrays.setAll(ranks, i -> Lockstep.asleep(interval, GENERATION));
      Arrays.setAll(work, i -> 0);
      for (int i = 0; i < size; i++) {
        due.add(List.of());
      }
    }

    void run() {
      for (int event = 0; event < 5_000; event++) {
        int r = random.nextInt(ranks.length);
        if (arrivals > 0 && random.nextInt(8) == 0) {
          arrivals--;
          work[r] += 1 + random.nextInt(9);
        } else if (!starts.isEmpty() && random.nextInt(3) == 0) {
          long[] start = starts.remove(random.nextInt(starts.size()));
          move((int) start[0], new Event.StartWave(GENERATION, start[1]));
        } else if (!asked[r]) {
          turn(r);
        }
        meet();
        if (resting()) {
          break;
        }
      }
      String at = "seed " + seed + ": " + Arrays.toString(ranks);
      assertTrue(resting(), at);
      for (Lockstep rank : ranks) {
        assertEquals(ranks[0].wave(), rank.wave(), at);
        assertEquals(ranks[0].counts().steps(), rank.counts().steps(), at);
      }
    }

    private boolean resting() {
      return arrivals == 0
          && starts.isEmpty()
          && Arrays.stream(work).sum() == 0
          && Arrays.stream(ranks).noneMatch(Lockstep::running);
    }

    private void turn(int r) {
      List<Effect> effects = move(r, new Event.Turn(work[r] > 0, now += 100_000_000));
      due.set(r, effects);
      for (Effect effect : effects) {
        switch (effect) {
          case Effect.Step _ -> {
            work[r]--;
            asked[r] = true;
          }
          case Effect.DummyStep _ -> asked[r] = true;
          case Effect.WantWave(long _, long wave) -> {
            for (int to = 0; to < ranks.length; to++) {
              long[] start = {to, wave};
              if (starts.stream().noneMatch(s -> Arrays.equals(s, start))) {
                starts.add(start);
              }
            }
          }
          case Effect.Agree _,
              Effect.WaveComplete _,
              Effect.SayBroken _,
              Effect.SleepUntil _,
              Effect.Sleep _ -> {}
        }
      }
    }

    /** When all have come to the step, it is taken, and agreed on if that is due. */
    private void meet() {
      for (boolean here : asked) {
        if (!here) {
          return;
        }
      }
      List<List<Effect>> after = new ArrayList<>();
      for (int r = 0; r < ranks.length; r++) {
        asked[r] = false;
        after.add(move(r, new Event.StepDone(due.get(r).contains(new Effect.DummyStep()))));
      }
      for (List<Effect> effects : after) {
        assertEquals(after.getFirst(), effects, "seed " + seed + ": one agrees, another does not");
      }
      if (after.getFirst().contains(new Effect.Agree())) {
        boolean unfinished = Arrays.stream(work).sum() > 0;
        for (int r = 0; r < ranks.length; r++) {
          move(r, new Event.Agreed(unfinished));
        }
      }
    }

    private List<Effect> move(int r, Event event) {
      Lockstep.Move move = ranks[r].on(event);
      ranks[r] = move.next();
      return move.effects();
    }
  }
}
