package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flotilla.model.LayerNames;
import dev.flotilla.model.ModelException;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.DataParallel;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.TokenIds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The original's small utilities, where they are used here. */
class SmallPiecesTest {
  @TempDir Path folder;

  private static Set<String> tensors(String... layers) {
    return Stream.of(layers)
        .flatMap(l -> Stream.of(l + ".self_attn.q_proj.weight", l + ".mlp.up_proj.weight"))
        .collect(Collectors.toSet());
  }

  @Test
  @Scenario("A81")
  void theKvCacheIsBoundToLayersInNumericOrder() {
    List<String> eleven =
        Stream.iterate(0, i -> i < 11, i -> i + 1).map(i -> "model.layers." + i).toList();
    assertEquals(eleven, LayerNames.bind(tensors(eleven.toArray(String[]::new)), 11));
    // What lies beyond the model's layers is no layer of the cache.
    assertEquals(eleven.subList(0, 2), LayerNames.bind(tensors(eleven.toArray(String[]::new)), 2));
  }

  @Test
  @Scenario("A81")
  void twoLayersOfOneIndexAreRefusedAndSoIsAMissingOne() {
    var twice =
        assertThrows(
            ModelException.class,
            () -> LayerNames.bind(tensors("decoder.layers.1", "encoder.layers.1"), 1));
    assertTrue(
        String.valueOf(twice.getMessage())
            .startsWith("layers decoder.layers.1 and encoder.layers.1"));
    var missing =
        assertThrows(
            ModelException.class,
            () -> LayerNames.bind(tensors("model.layers.0", "model.layers.2"), 3));
    assertTrue(String.valueOf(missing.getMessage()).contains("lack the attention of layer 1 of 3"));
  }

  @Test
  @Scenario("A81")
  void whatAMessageHoldsCanBeReadAndNotChanged() {
    FrontendId a = new FrontendId("a");
    FrontendId b = new FrontendId("b");
    List<FrontendId> list =
        new ToEngine.Init(
                new Rank(0),
                new Incarnation("i"),
                Epoch.NONE,
                Term.NONE,
                DataParallel.ofSize(1),
                null,
                List.of(a, b))
            .frontends();
    List<Runnable> changes =
        List.of(
            () -> list.add(a),
            () -> list.addAll(List.of(a)),
            () -> list.add(0, a),
            () -> list.remove(0),
            () -> list.remove(a),
            list::clear,
            () -> list.set(0, b),
            () -> list.sort(Comparator.naturalOrder()),
            () -> list.iterator().remove());
    for (Runnable change : changes) {
      assertThrows(RuntimeException.class, change::run);
    }
    assertEquals(List.of(a, b), list);
    assertEquals(1, list.indexOf(b));
    assertEquals(List.of(b), list.subList(1, 2));
    assertTrue(list.contains(a));
  }

  @Test
  @Scenario("A81")
  void tokenIdsAreAReadOnlyListWhoseCopyLeavesTheRestOfItsTargetAlone() {
    TokenIds ids = TokenIds.of(3, 1, 4);
    assertEquals(TokenIds.of(1, 4), ids.slice(1, 3));
    assertTrue(ids.contains(4));
    assertFalse(ids.contains(5));
    int[] copy = ids.toArray();
    copy[0] = 9;
    assertEquals(3, ids.get(0));
    int[] target = {7, 7, 7, 7, 7};
    ids.slice(0, 2).copyTo(target, 1);
    assertArrayEquals(new int[] {7, 3, 1, 7, 7}, target);
    assertThrows(IndexOutOfBoundsException.class, () -> ids.copyTo(target, 3));
  }

  @Test
  void theUsageReportIsAFileThatSaysWhatIsServedAndHow() throws Exception {
    Path file = folder.resolve("usage.json");
    String model =
        Path.of(System.getProperty("flotilla.basedir", "."), "src/main/models/tiny-llama")
            .toString();
    ServeFlags flags =
        CommandLine.populateCommand(
            new ServeFlags(), model, "-dp", "2", "--usage-report", file.toString());
    ServePlan plan = ServePlan.of(flags, path -> false);
    UsageReport.of(plan, ModelFolder.open(plan.model())).write(file);
    JsonNode report = new ObjectMapper().readTree(Files.readString(file));
    assertEquals("LLAMA", report.get("architecture").asText());
    assertEquals(2, report.at("/settings/data_parallel_size").asInt());
    assertEquals("verticle", report.at("/settings/backend").asText());
    assertEquals(16, report.at("/settings/block_size").asInt());
    assertThrows(
        FailedCommand.class,
        () -> UsageReport.of(plan, ModelFolder.open(plan.model())).write(folder.resolve("no/x")));
  }
}
