package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.placement.PlacementJson;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class PlaceCommandTest {
  @TempDir
  @SuppressWarnings("NullAway.Init") // Set by JUnit.
  private Path folder;

  @SuppressWarnings("NullAway.Init") // Set before each test.
  private Path nodes;

  private record Ran(int code, String out, String err) {}

  @BeforeEach
  void threeNodes() throws IOException {
    nodes = folder.resolve("nodes.json");
    Files.writeString(
        nodes,
        """
        {"nodes":[{"id":"a","address":"10.0.0.1","devices":8},
                  {"id":"b","address":"10.0.0.2","devices":8},
                  {"id":"c","address":"10.0.0.3","devices":4}]}""");
  }

  private Ran run(Map<String, String> environment, String flags) {
    return runAll(environment, "place --nodes " + nodes + " --head 10.0.0.1 " + flags);
  }

  private static Ran runAll(Map<String, String> environment, String all) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = Flotilla.commandLine(environment);
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return new Ran(line.execute(all.strip().split(" +")), out.toString(), err.toString());
  }

  private Ran run(String flags) {
    return run(Map.of(), flags);
  }

  @Test
  void printsThePlanAsOneObject() {
    Ran ran = run("-dp 3 --data-parallel-size-local 2 -tp 2 --json");
    assertEquals(0, ran.code(), ran.err());
    assertEquals(
        """
        {"groups":[{"rank":0,"name":"dp_rank_0","local_rank":0,"bundles":[{"node":"a","address":"10.0.0.1","devices":2}],"control":"a"},\
        {"rank":1,"name":"dp_rank_1","local_rank":1,"bundles":[{"node":"a","address":"10.0.0.1","devices":2}],"control":"a"},\
        {"rank":2,"name":"dp_rank_2","local_rank":0,"bundles":[{"node":"b","address":"10.0.0.2","devices":2}],"control":"b"}]}
        """,
        ran.out());
    assertEquals("", ran.err());
    assertEquals(3, PlacementJson.groups(ran.out()).size());
  }

  @Test
  void printsATable() {
    Ran ran = run("-dp 2 --pack-strategy span -tp 16 --placement-node-ips 10.0.0.2");
    assertEquals(1, ran.code());
    Ran fits = run("-dp 1 --pack-strategy SPAN -tp 16 --placement-node-ips 10.0.0.2,10.0.0.7");
    assertEquals(
        """
        RANK  NAME       LOCAL  DEVICES          CONTROL
           0  dp_rank_0      0  8 on a + 8 on b  a
        """,
        fits.out());
    assertEquals("note: no node has the address 10.0.0.7 of --placement-node-ips\n", fits.err());
  }

  @Test
  void aPlanThatCannotBeMadeIsOneSentence() {
    Ran ran = run("-dp 99 --json");
    assertEquals(1, ran.code());
    assertEquals("", ran.out());
    assertEquals(1, ran.err().lines().count(), ran.err());
    assertTrue(ran.err().contains("placed 3 of 99 ranks"), ran.err());
  }

  @Test
  void wrongUsageIsTold() throws IOException {
    assertWrong("--pack-strategy loose", "must be strict, fill or span, not 'loose'");
    assertWrong("--all2all-backend pigeon", "--all2all-backend must be one of");
    assertWrong("-dp 2 -dpl 3", "--data-parallel-size-local must be 0 to 2");
    assertWrong("-tp 0", "--tensor-parallel-size must be at least 1, not 0");
    assertWrong("--unknown", "--unknown");
    Files.writeString(nodes, "{\"nodes\":[{\"id\":\"a\",\"devices\":\"many\"}]}");
    assertWrong("", "\"devices\" must be a whole number");
    Files.writeString(nodes, "[]");
    assertWrong("", "expected a JSON object with a list \"nodes\"");
    Files.delete(nodes);
    assertWrong("", "cannot be read");
  }

  private void assertWrong(String flags, String words) {
    Ran ran = run(flags);
    assertEquals(2, ran.code(), ran.err());
    assertTrue(ran.err().contains(words), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  @Test
  void variablesStandInForFlagsAndTheFlagWins() {
    Map<String, String> fill =
        Map.of(
            "FLOTILLA_PACK_STRATEGY", "fill",
            "FLOTILLA_PLACEMENT_NODE_IPS", "10.0.0.3",
            "FLOTILLA_TENSOR_PARALLEL_SIZE", "2");
    Ran ran = run(fill, "-dp 3");
    assertEquals(
        """
        RANK  NAME       LOCAL  DEVICES  CONTROL
           0  dp_rank_0      0  2 on a   a
           1  dp_rank_1      0  2 on c   c
           2  dp_rank_2      1  2 on c   c
        """,
        ran.out());
    assertEquals(1, run(fill, "-dp 3 --pack-strategy strict").code());
    assertEquals(2, run(Map.of("FLOTILLA_PACK_STRATEGY", "loose"), "").code());
  }

  @Test
  void plansFromWhatIsFreeInARunningCluster() throws Exception {
    try (PlacedGroup group = new PlacedGroup(2, 5, 1, 64, "")) {
      String live = "place --url " + group.base() + " --pack-strategy fill ";
      Ran ran = runAll(Map.of(), live + "-dp 3 --data-parallel-size-local 3 --json");
      assertEquals(0, ran.code(), ran.err());
      String id = group.node().path("id").asText();
      String address = group.node().path("address").asText();
      var groups = PlacementJson.groups(ran.out());
      assertEquals(3, groups.size());
      assertTrue(groups.stream().allMatch(g -> g.control().equals(id)), ran.out());
      assertTrue(ran.out().contains("\"address\":\"" + address + "\""), ran.out());
      Ran much = runAll(Map.of(), live + "-dp 4 --data-parallel-size-local 4");
      assertEquals(1, much.code(), "two of five devices are taken");
      assertEquals(1, much.err().lines().count(), much.err());
      assertEquals(2, group.node().path("used").asInt(), "nothing was started");
    }
    Ran nobody = runAll(Map.of(), "place --url http://127.0.0.1:1 -dp 1");
    assertEquals(1, nobody.code());
    assertTrue(nobody.err().contains("no server answers"), nobody.err());
    Files.writeString(nodes, "{\"nodes\":[{\"id\":\"a\",\"devices\":1}]}");
    Ran headless = runAll(Map.of(), "place --nodes " + nodes);
    assertEquals(2, headless.code());
    assertTrue(headless.err().contains("--head"), headless.err());
  }
}
