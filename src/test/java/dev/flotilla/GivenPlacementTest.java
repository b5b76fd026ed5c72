package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flotilla.config.ConfigException;
import dev.flotilla.placement.Capacity;
import dev.flotilla.placement.GivenPlacement;
import dev.flotilla.placement.Placement;
import java.net.InetAddress;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** A placement that {@code serve --placement} takes instead of a plan. */
class GivenPlacementTest {
  @TempDir
  @SuppressWarnings("NullAway.Init") // Set by JUnit.
  private Path folder;

  private static String group(int rank, int local, String node, String address) {
    return "{\"rank\":%d,\"name\":\"dp_rank_%d\",\"local_rank\":%d,\"bundles\":[{\"node\":\"%s\",\"address\":\"%s\",\"devices\":1}],\"control\":\"%s\"}"
        .formatted(rank, rank, local, node, address, node);
  }

  private static String placement(String... groups) {
    return "{\"groups\":[" + String.join(",", groups) + "]}";
  }

  private String refusal(String placement, String... flags) throws Exception {
    Path file = folder.resolve("placement.json");
    Files.writeString(file, placement);
    List<String> all = new ArrayList<>(List.of(flags));
    all.addAll(List.of("--executor", "SCRIPTED", "--placement", file.toString()));
    ServeFlags parsed = CommandLine.populateCommand(new ServeFlags(), all.toArray(String[]::new));
    return String.valueOf(
        assertThrows(ConfigException.class, () -> ServePlan.of(parsed, _ -> false)).getMessage());
  }

  private void assertRefused(String words, String placement, String... flags) throws Exception {
    String sentence = refusal(placement, flags);
    assertTrue(sentence.contains(words), sentence);
  }

  /** No node that joins would change anything, so nobody should wait for one. */
  @ParameterizedTest
  @CsvSource({
    "'and that is 0; take fill', strict, 0, naive",
    "'--data-parallel-size-local must be 1, not 2', span, 2, naive",
    "cannot work with; take strict or span, fill, 1, deepep_high_throughput"
  })
  void whatCanNeverBePlacedIsRefusedAtTheStart(
      String words, String strategy, String local, String allToAll) {
    ServeFlags parsed =
        CommandLine.populateCommand(
            new ServeFlags(),
            "-dpb",
            "cluster",
            "-dp",
            "4",
            "-dpl",
            local,
            "--pack-strategy",
            strategy,
            "--all2all-backend",
            allToAll,
            "--executor",
            "SCRIPTED");
    String sentence =
        String.valueOf(
            assertThrows(ConfigException.class, () -> ServePlan.of(parsed, _ -> false))
                .getMessage());
    assertTrue(sentence.contains(words), sentence);
  }

  @Test
  void countAndLocalRanksAreChecked() throws Exception {
    String two = placement(group(0, 0, "a", "10.0.0.1"), group(1, 0, "b", "10.0.0.2"));
    String[] cluster = {"-dpb", "cluster", "-dp", "2"};
    assertRefused(
        "has 2 groups, but --data-parallel-size is 3", two, "-dpb", "cluster", "-dp", "3");
    assertRefused(
        "have the local rank 0 on node a",
        placement(group(0, 0, "a", "10.0.0.1"), group(1, 0, "a", "10.0.0.1")),
        cluster);
    assertRefused(
        "each rank from 0 to 1 once",
        placement(group(0, 0, "a", "10.0.0.1"), group(2, 1, "a", "10.0.0.1")),
        cluster);
    assertRefused("rank 0 has 1 devices", two, "-dpb", "cluster", "-dp", "2", "-tp", "2");
    assertRefused("needs --data-parallel-backend cluster", two, "-dp", "2");
    assertRefused("expected a JSON object with a list \"groups\"", "{}", cluster);
  }

  @Test
  void nodesAreKnownByTheirIdsOrByTheirAddressesIfTheyWereStartedAnew() {
    GivenPlacement given =
        GivenPlacement.of(
            placement(
                group(0, 0, "old-head", "10.0.0.1"),
                group(1, 0, "b", "10.0.0.1"),
                group(2, 0, "c", "10.0.0.2")));
    List<Capacity> nodes =
        List.of(
            new Capacity("another", "10.0.0.1", 1, 1),
            new Capacity("b", "10.0.0.1", 1, 1),
            new Capacity("new-c", "10.0.0.2", 1, 1),
            new Capacity("new-head", "10.0.0.1", 1, 1));
    List<String> controls = new ArrayList<>();
    ((Placement.Planned) given.on(nodes, "new-head"))
        .groups()
        .forEach(group -> controls.add(group.control()));
    assertEquals(List.of("new-head", "b", "new-c"), controls);

    Placement early = given.on(nodes.subList(0, 2), "new-head");
    assertEquals(
        "the placement has rank 2 on node c (10.0.0.2), which has not joined",
        ((Placement.Refused) early).sentence());
  }

  @Test
  void reservationsOfTheFileAreKeptWhenTheirRanksGoAndUsedWhenTheyReturn() throws Exception {
    String address = InetAddress.getLocalHost().getHostAddress();
    String file = placement(group(0, 0, "x", address), group(1, 1, "x", address));
    try (PlacedGroup group = new PlacedGroup(2, 3, 1, 64, file)) {
      assertEquals("[0,1] free 1", ranks(group));
      scale(group, 3);
      assertEquals("[0,1,2] free 0", ranks(group), "grown by a device of its own");
      scale(group, 1);
      assertEquals("[0,1] free 1", ranks(group), "its own has been released, the file's have not");
      assertEquals(List.of(0), FlotillaProcess.readyRanks(group.base()));
      HttpResponse<String> much = group.scale(4, 1).get(30, TimeUnit.SECONDS);
      assertEquals(503, much.statusCode(), much::body);
      scale(group, 3);
      assertEquals("[0,1,2] free 0", ranks(group));
      assertEquals("", group.ask(1, 4, 4).fault());
    }
  }

  private static void scale(PlacedGroup group, int size) throws Exception {
    HttpResponse<String> answer = group.scale(size, 5).get(30, TimeUnit.SECONDS);
    assertEquals(200, answer.statusCode(), answer::body);
    assertEquals(size, FlotillaProcess.readyRanks(group.base()).size());
    assertFalse(group.engines().contains("DEAD"), group::engines);
  }

  private static String ranks(PlacedGroup group) throws Exception {
    JsonNode node = group.node();
    return node.path("ranks") + " free " + node.path("free");
  }
}
