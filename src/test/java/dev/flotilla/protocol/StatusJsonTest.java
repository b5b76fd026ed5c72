package dev.flotilla.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class StatusJsonTest {
  @Test
  void showsEveryEngineWithItsLoad() throws Exception {
    JsonNode status = new ObjectMapper().readTree(StatusJson.format(SampleMessages.view()));
    assertEquals(4, status.get("data_parallel_size").asInt());
    JsonNode silent = status.get("engines").get(0);
    assertEquals("CONNECTED", silent.get("state").asText());
    assertEquals(-1, silent.get("last_step_age_ms").asInt());
    JsonNode busy = status.get("engines").get(1);
    assertEquals(3, busy.get("rank").asInt());
    assertEquals("READY", busy.get("state").asText());
    assertEquals(SampleMessages.EPOCH.packed(), busy.get("epoch").asLong());
    assertEquals("9f3c1a7e", busy.get("incarnation").asText());
    assertEquals("node-a", busy.get("node").asText());
    assertEquals(4, busy.get("waiting").asInt());
    assertEquals(8, busy.get("running").asInt());
    assertEquals(300.0 / 1024, busy.get("kv_usage").asDouble());
    assertEquals(1_000_001, busy.get("step").asLong());
    assertEquals(0, busy.get("wave").asLong());
    assertEquals(0, busy.get("last_step_age_ms").asLong());
    assertEquals("tiny-llama", busy.get("model").asText());
  }
}
