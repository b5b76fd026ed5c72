package dev.flotilla.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ConfigTest {
  private static String failure(String json, Object defaults) {
    return String.valueOf(
        assertThrows(ConfigException.class, () -> Config.parse(json, defaults)).getMessage());
  }

  @Test
  void keysThatAreNotGivenKeepTheirDefaults() {
    EngineConfig config = Config.parse("{\"max-num-seqs\": 7}", EngineConfig.DEFAULT);
    assertEquals(7, config.maxNumSeqs());
    assertEquals(EngineConfig.DEFAULT.blockSize(), config.blockSize());
  }

  @Test
  void nestedSettingsAndElementsOfListsAreCompletedToo() {
    EngineConfig scripted = Config.parse("{\"scripted\": {\"scale\": 0}}", EngineConfig.DEFAULT);
    assertEquals(ScriptedConfig.DEFAULT.withScale(0), scripted.scripted());
    NodeConfig node =
        Config.parse(
            "{\"engines\": [{\"rank\": 1, \"data-parallel-size\": 2}]}", NodeConfig.DEFAULT);
    assertEquals(1, node.engines().getFirst().rank());
    assertEquals(EngineConfig.DEFAULT.maxNumSeqs(), node.engines().getFirst().maxNumSeqs());
  }

  @Test
  void whatIsWrittenIsReadAgain() {
    EngineConfig engine = EngineConfig.DEFAULT.withRank(0);
    assertEquals(engine, Config.parse(Config.format(engine), EngineConfig.DEFAULT));
    assertEquals(
        FrontendConfig.DEFAULT,
        Config.parse(Config.format(FrontendConfig.DEFAULT), FrontendConfig.DEFAULT));
  }

  @Test
  void anUnknownKeyIsNamedWithTheNearestOne() {
    String failure = failure("{\"max-num-seq\": 7}", EngineConfig.DEFAULT);
    assertEquals("unknown setting 'max-num-seq'; did you mean 'max-num-seqs'?", failure);
  }

  @Test
  void aWrongTypeIsNamedWithItsKey() {
    assertTrue(failure("{\"port\": \"many\"}", FrontendConfig.DEFAULT).contains("port"));
    assertTrue(failure("[]", FrontendConfig.DEFAULT).contains("JSON object"));
    assertTrue(failure("{", FrontendConfig.DEFAULT).contains("not JSON"));
  }

  @Test
  void everyBoundHasItsSentence() {
    assertTrue(failure("{\"port\": 70000}", FrontendConfig.DEFAULT).contains("70000"));
    assertTrue(failure("{\"block-size\": 24}", EngineConfig.DEFAULT).contains("power of two"));
    assertTrue(failure("{\"rank\": 3}", EngineConfig.DEFAULT).contains("rank 3"));
    assertTrue(failure("{\"dead-ms\": 1000}", CoordinatorConfig.DEFAULT).contains("dead-ms"));
  }
}
