package dev.flotilla.executor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.collective.TestGroup;
import dev.flotilla.collective.TestGroup.Way;
import dev.flotilla.model.Batch;
import dev.flotilla.model.CollectiveException;
import dev.flotilla.model.ModelException;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Rank;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Experts spread over ranks: the answers of one rank, bit for bit, with a share of its memory. */
class ExpertParallelTest {
  private static final int TOKENS_MAX = 64;
  private static final ModelFolder MODEL = ModelFolder.open(Subject.folder("tiny-qwen3-moe"));

  private static CpuOptions options() {
    return new CpuOptions(
        RankDrive.BLOCK_SIZE, RankDrive.BLOCKS, 512, 32, 256, CpuOptions.Progress.NONE);
  }

  @ParameterizedTest
  @CsvSource({
    "MEMORY, 1, 4",
    "MEMORY, 2, 1",
    "MEMORY, 2, 32",
    "MEMORY, 4, 16",
    "MEMORY, 8, 32",
    "SOCKETS, 1, 4",
    "SOCKETS, 2, 32",
    "SOCKETS, 4, 16",
    "SOCKETS, 8, 32"
  })
  void givesTokenForTokenWhatOneRankGives(Way way, int ranks, int concurrency) {
    List<RankDrive.Request> requests =
        RankDrive.draw(31L * ranks + concurrency, concurrency, ranks, MODEL.config().vocab());
    Map<Integer, RankDrive.Answer> expected;
    try (CpuExecutor alone = CpuExecutor.open(MODEL, options())) {
      expected = RankDrive.run(alone, null, requests, TOKENS_MAX);
    }
    Map<Integer, RankDrive.Answer> answers = new TreeMap<>();
    try (TestGroup group = new TestGroup(way, ranks, 30_000)) {
      group
          .run(
              collective -> {
                try (CpuExecutor executor = CpuExecutor.open(MODEL, options(), collective)) {
                  return RankDrive.run(executor, collective, requests, TOKENS_MAX);
                }
              })
          .forEach(answers::putAll);
    }
    // Log-probabilities are records of floats: equal only if the bits are.
    assertEquals(expected, answers);
    assertTrue(answers.values().stream().mapToInt(a -> a.ids().size()).sum() >= concurrency);
  }

  @Test
  void aRankHoldsItsShareOfTheExpertsOnly() {
    long all;
    try (TestGroup group = new TestGroup(Way.MEMORY, 1, 30_000)) {
      all = expertBytes(group).getFirst();
    }
    assertTrue(all > 0);
    for (int ranks : new int[] {2, 4, 8}) {
      try (TestGroup group = new TestGroup(Way.MEMORY, ranks, 30_000)) {
        for (long bytes : expertBytes(group)) {
          assertEquals(all, bytes * ranks, "of " + ranks + " ranks");
        }
      }
    }
    // Eight experts over three ranks: 2, 3 and 3.
    try (TestGroup group = new TestGroup(Way.MEMORY, 3, 30_000)) {
      assertEquals(List.of(all / 4, all * 3 / 8, all * 3 / 8), expertBytes(group));
    }
  }

  private static List<Long> expertBytes(TestGroup group) {
    return group.run(
        collective -> {
          try (CpuExecutor executor = CpuExecutor.open(MODEL, options(), collective)) {
            return executor.expertBytes();
          }
        });
  }

  @Test
  void survivorsTakeTheLostRanksExpertsAndGoOn() {
    List<RankDrive.Request> requests = RankDrive.draw(5, 8, 2, MODEL.config().vocab());
    Map<Integer, RankDrive.Answer> expected;
    try (CpuExecutor alone = CpuExecutor.open(MODEL, options())) {
      expected = RankDrive.run(alone, null, requests, TOKENS_MAX);
    }
    Map<Integer, RankDrive.Answer> answers = new TreeMap<>();
    try (TestGroup three = new TestGroup(Way.MEMORY, 3, 30_000);
        TestGroup two = new TestGroup(Way.MEMORY, 2, 30_000)) {
      three
          .run(
              collective -> {
                try (CpuExecutor executor = CpuExecutor.open(MODEL, options(), collective)) {
                  if (collective.own() == 2) {
                    collective.close();
                    return Map.<Integer, RankDrive.Answer>of();
                  }
                  CollectiveException failure =
                      assertThrows(
                          CollectiveException.class, () -> executor.execute(new Batch(List.of())));
                  assertEquals(List.of(new Rank(2)), failure.missing());
                  executor.regroup(two.members().get(collective.own()));
                  return RankDrive.run(
                      executor, two.members().get(collective.own()), requests, TOKENS_MAX);
                }
              })
          .forEach(answers::putAll);
    }
    assertEquals(expected, answers);
  }

  @Test
  void sharesAreContiguousAndDifferByAtMostOne() {
    for (int count = 1; count <= 70; count++) {
      for (int members = 1; members <= 70; members++) {
        ExpertShares shares = new ExpertShares(count, members);
        assertEquals(0, shares.from(0));
        assertEquals(count, shares.to(members - 1));
        for (int m = 0; m < members; m++) {
          int size = shares.to(m) - shares.from(m);
          assertTrue(size == count / members || size == count / members + 1);
          for (int e = shares.from(m); e < shares.to(m); e++) {
            assertEquals(m, shares.owner(e));
          }
        }
      }
    }
  }

  @Test
  void refusesADenseModel() {
    ModelFolder dense = ModelFolder.open(Subject.folder("tiny-llama"));
    try (TestGroup group = new TestGroup(Way.MEMORY, 1, 1_000)) {
      ModelException refusal =
          assertThrows(
              ModelException.class,
              () -> CpuExecutor.open(dense, options(), group.members().getFirst()));
      assertTrue(String.valueOf(refusal.getMessage()).contains("no experts"));
    }
  }
}
