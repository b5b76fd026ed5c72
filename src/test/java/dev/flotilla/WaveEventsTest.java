package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.Addresses;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What Flight Recorder and who asks for the state are told of waves. */
class WaveEventsTest {
  private static final int RANKS = 2;

  @TempDir Path folder;

  @Test
  @Timeout(90)
  void aRecordingTellsWhereAWaveStartsAndEndsAtEveryRank() throws Exception {
    Path file = folder.resolve("waves.jfr");
    try (RestingGroup group = new RestingGroup(RANKS);
        Recording recording = new Recording()) {
      group.start();
      recording.start();
      group.wave(40);
      JsonObject waves = group.ask(Addresses.STATUS, new JsonObject()).getJsonObject("waves");
      assertEquals(1, waves.getLong("started"), waves::encode);
      assertEquals(1, waves.getLong("completed"), waves::encode);
      assertEquals(1, waves.getLong("wave"), waves::encode);
      assertEquals(false, waves.getBoolean("running"), waves::encode);
      assertEquals(0, waves.getLong("stuck"), waves::encode);
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> starts = events(file, "dev.flotilla.WaveStart");
    List<RecordedEvent> ends = events(file, "dev.flotilla.WaveEnd");
    assertEquals(RANKS, starts.stream().map(e -> e.getInt("rank")).distinct().count());
    assertEquals(RANKS, ends.stream().map(e -> e.getInt("rank")).distinct().count());
    long dummies = 0;
    for (RecordedEvent end : ends) {
      assertTrue(end.getBoolean("complete"), end::toString);
      assertEquals(64, end.getLong("steps"), "40 with work, and on to the next agreement");
      assertTrue(end.getDuration().toNanos() > 0);
      dummies += end.getLong("dummySteps");
    }
    assertEquals(24 + 64, dummies, "one rank had work");
  }

  private static List<RecordedEvent> events(Path file, String name) throws Exception {
    List<RecordedEvent> all = RecordingFile.readAllEvents(file);
    return all.stream().filter(e -> e.getEventType().getName().equals(name)).toList();
  }
}
