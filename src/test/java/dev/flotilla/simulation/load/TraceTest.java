package dev.flotilla.simulation.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.ConfigException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reading what people bring. */
class TraceTest {
  private static Trace parse(String text) throws IOException {
    return Trace.parse(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "lines");
  }

  @Test
  void readsLinesSortsThemAndSkipsWhatItDoesNotKnow() throws IOException {
    Trace trace =
        parse(
            """
            {"t_ms": 20.5, "input": 700, "output": 3, "hash_ids": [4, 9]}

            {"output": 2, "t_ms": 1, "more": {"a": [1]}, "input": 5}
            """);
    assertEquals(
        List.of(
            new Trace.Arrival(1, 5, 2, List.of()), new Trace.Arrival(20.5, 700, 3, List.of(4, 9))),
        trace.requests());
    assertTrue(trace.prefixes());
    assertEquals(41, trace.stretched(2).requests().getLast().ms());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "hello",
        "[1]",
        "{\"t_ms\": 1, \"input\": 5}",
        "{\"t_ms\": -1, \"input\": 5, \"output\": 5}",
        "{\"t_ms\": 1, \"input\": 0, \"output\": 5}",
        "{\"t_ms\": 1, \"input\": 2.5, \"output\": 5}",
        "{\"t_ms\": \"1\", \"input\": 2, \"output\": 5}",
        "{\"t_ms\": 1, \"input\": 2, \"output\": 5",
        "{\"t_ms\": 1, \"input\": 99999999999, \"output\": 5}"
      })
  void saysInASentenceWhatIsWrong(String text) {
    assertThrows(ConfigException.class, () -> parse(text));
  }

  @Test
  void equalBlocksGiveEqualTokensAndNothingElseDoes() {
    Trace.Arrival one = new Trace.Arrival(0, 1100, 1, List.of(3, 4, 5));
    Trace.Arrival two = new Trace.Arrival(0, 1024, 1, List.of(3, 6));
    assertEquals(Prompts.of(one, 0).slice(0, 512), Prompts.of(two, 1).slice(0, 512));
    assertTrue(!Prompts.of(one, 0).slice(512, 1024).equals(Prompts.of(two, 1).slice(512, 1024)));
    var chains = Prompts.chains(new Trace(List.of(one, two)), 512);
    assertEquals(2, chains.get(0).size());
    assertEquals(chains.get(0).hash(0), chains.get(1).hash(0));
    assertTrue(chains.get(0).hash(1) != chains.get(1).hash(1));
    Trace.Arrival plain = new Trace.Arrival(0, 100, 1, List.of());
    assertTrue(!Prompts.of(plain, 0).equals(Prompts.of(plain, 1)));
  }
}
