package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.Scenario;
import dev.flotilla.coordinator.Waves.Effect;
import dev.flotilla.coordinator.Waves.Event;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToEngine;
import java.util.List;
import org.junit.jupiter.api.Test;

class WavesTest extends WavesScript {
  private static final List<String> ALL = List.of("0a", "1a", "2a");

  @Test
  void theFirstGenerationIsFormedWhenAllRanksServe_andNoWaveStartsBeforeAllHaveCome() {
    serve("0a", "1a");
    report("0a", 0, 0, false);
    report("1a", 0, 0, false);
    assertNull(waves.generation(), "one is awaited");
    serve("0a", "1a", "2a");
    report("2a", 0, 0, false);
    assertEquals(ALL, regrouped());
    assertEquals(new Epoch(TERM.number(), 1).packed(), generation().number());
    report("0a", generation().number(), 0, false);
    want("0a", 0);
    assertEquals(List.of(), effects, "1 and 2 may not have heard of it");
    report("1a", generation().number(), 0, false);
    assertEquals(List.of(), effects);
    report("2a", generation().number(), 0, false);
    assertEquals(ALL, started(0), "what was asked for meanwhile");
    assertFalse(waves.running(), "nobody says so yet");
  }

  @Test
  void whoAwaitsRanksInVainFormsAGroupWithoutThem() {
    serve("0a", "2a");
    report("0a", 0, 0, false);
    report("2a", 0, 0, false);
    passMs(3_900);
    assertNull(waves.generation());
    passMs(200);
    assertEquals(List.of("0a", "2a"), members());
    arrive(0);
    serve("0a", "1a", "2a");
    assertEquals(ALL, members(), "who comes later is let in at once");
    assertEquals(ALL, regrouped());
  }

  @Test
  @Scenario("A34")
  void aRequestInAGroupAtRestStartsTheWave_whichRunsWhenReportsSaySo_andIsOverWhenTheyDo() {
    group(3);
    want("1a", 3);
    assertEquals(ALL, started(3));
    assertFalse(waves.running(), "it is not predicted");
    report("2a", generation().number(), 3, true);
    assertTrue(waves.running());
    report("0a", generation().number(), 3, true);
    report("1a", generation().number(), 3, true);
    passMs(1_000);
    assertEquals(List.of(), effects, "nothing is repeated where nothing was lost");
    arrive(4);
    assertEquals(4, waves.wave());
    assertFalse(waves.running());
    assertEquals(new Waves.Counts(1, 1, 1, 0, 0, 0), waves.counts());
  }

  @Test
  @Scenario("A35")
  void aRequestThatNamesAnEarlierWaveStartsThePresentOneAtAllRanks_itsOwnIncluded() {
    group(3);
    want("1a", 1);
    assertEquals(ALL, started(3));
    assertEquals(3, waves.wave());
  }

  @Test
  @Scenario("A36")
  void theEndOfAWaveThatIsToldTwiceChangesNothing() {
    group(2);
    want("0a", 2);
    arrive(2, true);
    arrive(3);
    Waves before = waves;
    // The same report again, one from before it, and a request that its wave has answered.
    on(new Event.Reported(now, load("0a", 1, generation().number(), 2, true)));
    want("0a", 2);
    assertEquals(List.of(), effects);
    assertEquals(before, waves);
  }

  @Test
  @Scenario("A37")
  void aRequestForAnEarlierWaveOrForTheOneThatRunsIsIgnored_forThePresentOneAtRestItIsStarted() {
    group(5);
    want("0a", 5);
    assertEquals(ALL, started(5));
    arrive(5, true);
    want("2a", 5);
    assertEquals(List.of(), effects, "it runs; who asks was told a moment ago");
    arrive(6);
    want("2a", 5);
    assertEquals(List.of(), effects, "over");
    want("2a", 6);
    assertEquals(ALL, started(6));
  }

  @Test
  @Scenario("A38")
  void aRankThatIsBehindRuns_itsPeersWake_andTheWaveDoesNotGoBack() {
    group(3);
    report("1a", generation().number(), 7, false);
    assertEquals(7, waves.wave(), "what one has completed is over");
    passMs(90);
    assertEquals(List.of(), effects);
    report("0a", generation().number(), 3, false);
    want("0a", 3);
    assertEquals(ALL, started(7));
    arrive(7, true);
    arrive(8);
    assertEquals(8, waves.wave());
  }

  @Test
  void ranksAtRestInDifferentWavesAreBroughtIntoOne() {
    group(3);
    report("1a", generation().number(), 7, false);
    passMs(150);
    assertEquals(List.of(), effects, "the others' reports may be on the way");
    report("0a", generation().number(), 3, false);
    passMs(10);
    assertEquals(ALL, started(7));
    assertEquals(1, waves.counts().starts());
  }

  @Test
  void aStartThatOneDidNotGetIsGivenToItAgain() {
    group(0);
    want("0a", 0);
    report("0a", generation().number(), 0, true);
    report("1a", generation().number(), 0, true);
    passMs(90);
    assertEquals(List.of(), effects);
    passMs(20);
    assertEquals(List.of("2a"), started(0));
    passMs(60);
    assertEquals(List.of(), effects);
    passMs(40);
    assertEquals(List.of("2a"), started(0), "and again, since nothing is heard of it");
    assertEquals(2, waves.counts().repairs());
  }

  @Test
  void aStartThatNobodyGotIsGivenAgainWhenSomebodyStillWantsIt() {
    group(0);
    want("0a", 0);
    now += 60 * MS;
    want("0a", 0);
    assertEquals(List.of(), effects, "it may be on its way");
    now += 60 * MS;
    want("0a", 0);
    assertEquals(ALL, started(0));
  }

  @Test
  void aRegroupThatOneDidNotGetIsGivenToItAgain() {
    group(0);
    serve("0a", "1a");
    assertEquals(List.of("0a", "1a"), regrouped());
    report("0a", generation().number(), 0, false);
    passMs(120);
    assertEquals(List.of("1a"), regrouped());
    want("1a", 0);
    assertEquals(List.of("0a", "1a"), started(0), "who asks for a wave of it has come to it");
  }

  @Test
  void aMemberThatDiesClosesTheWave_andTheOthersGoOnUnderANewGeneration() {
    group(4);
    want("1a", 4);
    arrive(4, true);
    long before = generation().number();
    serve("0a", "2a");
    assertEquals(List.of("0a", "2a"), regrouped());
    assertTrue(generation().number() > before);
    assertEquals(5, waves.wave(), "wave 4 is closed");
    assertEquals(
        new Effect.Moved("group is now generation 2.2 of ranks [0, 2], wave 5: a member is gone"),
        effects.getFirst());
    arrive(5);
    want("2a", 5);
    assertEquals(List.of("0a", "2a"), started(5));
    serve("0a", "1b", "2a");
    assertEquals(List.of("0a", "1b", "2a"), members(), "it comes back");
    assertEquals(6, waves.wave());
  }

  @Test
  void aGroupAtRestThatChangesClosesNoWave() {
    group(4);
    serve("0a", "2a");
    assertEquals(4, waves.wave());
  }

  @Test
  void ranksThatWereAwaitedInVainAreLeftOutUntilTheyReportToBeAtRest() {
    group(1);
    want("0a", 1);
    arrive(1, true);
    long before = generation().number();
    broken("0a", 1);
    assertEquals(before, generation().number(), "the others are heard first");
    broken("2a", 1);
    assertEquals(List.of("0a", "2a"), members());
    assertEquals(2, waves.wave());
    arrive(2);
    report("1a", before, 1, true);
    assertEquals(List.of("0a", "2a"), members(), "it hangs in the step");
    report("1a", before, 1, false);
    assertEquals(ALL, members());
  }

  @Test
  void whoSaysThatItWaitedInVainIsNotLeftOutForBeingAwaitedItself() {
    group(1);
    want("0a", 1);
    arrive(1, true);
    broken("0a", 1);
    broken("1a", 0);
    passMs(60);
    assertEquals(ALL, members(), "two that only missed each other, and one that said nothing");
    broken("0a", 1);
    passMs(80);
    assertEquals(ALL, members(), "after a second failure there is more patience");
    passMs(30);
    assertEquals(List.of("0a", "2a"), members());
  }

  @Test
  void aWordOfAFormerGenerationChangesNothing() {
    group(1);
    Generation former = generation();
    serve("0a", "2a");
    Waves before = waves;
    on(
        new Event.Told(
            now,
            new ToCoordinator.GroupBroken(
                rank("0a"), new Incarnation("0a"), former.number(), List.of(rank("2a")), "late")));
    on(
        new Event.Told(
            now,
            new ToCoordinator.WantWave(rank("0a"), new Incarnation("0a"), former.number(), 1)));
    assertEquals(before, waves);
  }

  @Test
  void aNewGenerationDoesWithoutRanksThatAreSilent() {
    group(0);
    on(
        new Event.Seen(
            now,
            3,
            List.of(candidate("0a", false), candidate("1a", true), candidate("2a", false))));
    assertEquals(ALL, members(), "silence alone changes nothing");
    serve("0a", "2a");
    on(new Event.Seen(now, 3, List.of(candidate("0a", false), candidate("2a", true))));
    assertEquals(List.of("0a", "2a"), members());
    on(new Event.Seen(now, 3, List.of(candidate("0a", false), candidate("1b", true))));
    assertEquals(List.of("0a"), members());
    on(new Event.Seen(now, 3, List.of(candidate("0a", false), candidate("1b", false))));
    assertEquals(List.of("0a", "1b"), members());
  }

  @Test
  void aNewLeaderGoesOnWithTheGenerationThatAllRanksAreIn() {
    long found = new Epoch(1, 7).packed();
    serve("0a", "1a", "2a");
    report("0a", found, 5, true);
    report("1a", found, 5, true);
    assertNull(waves.generation());
    report("2a", found, 5, true);
    assertEquals(found, generation().number());
    assertEquals(List.of(), regrouped(), "nobody is interrupted");
    assertTrue(waves.running());
    assertEquals(5, waves.wave());
    serve("0a", "1a");
    assertEquals(new Epoch(2, 1).packed(), generation().number(), "the next one is its own");
    assertEquals(6, waves.wave());
  }

  @Test
  void aNewLeaderAwaitsRanksForAMomentOnlyIfTheOthersHaveBeenInAGroup() {
    serve("0a", "2a");
    report("0a", new Epoch(1, 7).packed(), 5, true);
    report("2a", new Epoch(1, 7).packed(), 5, true);
    passMs(1_900);
    assertNull(waves.generation());
    passMs(110);
    assertEquals(List.of("0a", "2a"), regrouped());
    assertEquals(6, waves.wave(), "wave 5 may have stood still");
  }

  @Test
  void aNewLeaderFormsItsOwnIfRanksAreInDifferentOnes() {
    serve("0a", "1a", "2a");
    report("0a", new Epoch(1, 7).packed(), 5, false);
    report("1a", new Epoch(1, 6).packed(), 4, true);
    report("2b", new Epoch(1, 7).packed(), 9, false);
    report("2a", new Epoch(1, 7).packed(), 5, false);
    assertEquals(new Epoch(2, 1).packed(), generation().number());
    assertEquals(5, waves.wave(), "a stranger's word does not count");
  }

  @Test
  void aLeaderGoesAboveAGenerationOfAnother() {
    group(1);
    report("1a", new Epoch(2, 9).packed(), 1, false);
    assertEquals(new Epoch(2, 10).packed(), generation().number());
    report("1a", new Epoch(4, 1).packed(), 1, false);
    assertEquals(new Epoch(2, 10).packed(), generation().number(), "nothing is above that yet");
    on(new Event.Leads(new Term(5, new NodeId("n"))));
    passMs(10);
    assertEquals(new Epoch(5, 1).packed(), generation().number());
    assertEquals(ALL, regrouped());
  }

  @Test
  void aWaveThatMakesNoProgressIsReportedAndTheGroupFormedAnew() {
    group(1);
    want("0a", 1);
    arrive(1, true);
    long before = generation().number();
    passMs(9_000);
    assertEquals(before, generation().number());
    passMs(20);
    assertTrue(
        effects.stream()
            .anyMatch(
                e ->
                    e instanceof Effect.Stuck(String what)
                        && what.startsWith(
                            "wave 1 of generation 2.1 of ranks [0, 1, 2] runs without any progress"
                                + " for 9000 ms")),
        effects::toString);
    assertTrue(generation().number() > before);
    assertEquals(2, waves.wave());
    assertEquals(1, waves.counts().stuck());
  }

  @Test
  void aWaveThatGoesOnIsNotStuck() {
    group(1);
    want("0a", 1);
    for (int i = 0; i < 10; i++) {
      arrive(1, true);
      passMs(5_000);
    }
    assertEquals(0, waves.counts().stuck());
  }

  @Test
  void aGroupThatAllHaveLeftIsNotStuck() {
    group(1);
    serve();
    passMs(20_000);
    assertEquals(0, waves.counts().stuck());
    serve("0b");
    assertEquals(List.of("0b"), members());
  }

  @Test
  void ordersBearTheTermAndTheGeneration() {
    group(0);
    want("2a", 0);
    assertEquals(
        new ToEngine.StartWave(TERM, generation().number(), 0),
        ((Effect.Send) effects.getFirst()).order());
  }
}
