package dev.flotilla.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.config.Config;
import dev.flotilla.config.ConfigException;
import dev.flotilla.config.PlacingConfig;
import dev.flotilla.config.Surroundings;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What engines on other nodes get of the head's process. */
class InheritanceTest {
  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          "NCCL_DEBUG", "INFO=1",
          "SECRET", "x",
          "FLOTILLA_PACK_STRATEGY", "fill",
          "FLOTILLA_JAVA_OPTS", "-Xmx1g",
          "FLOTILLA_CLUSTER_CONFIG", "/here",
          "CUDA_VISIBLE_DEVICES", "0,1",
          "PATH", "/bin");

  private static final List<String> FLAGS =
      List.of(
          "-Xmx4g",
          "-XX:+UseZGC",
          "-XX:MaxDirectMemorySize=1g",
          "-Dmy.flag=a b",
          "-ea",
          "-Xlog:disable",
          "--add-modules=java.se",
          "-Dflotilla.home=/opt/f",
          "-Dvertx.hazelcast.config=/opt/f/cluster.xml",
          "-Dcluster.interface=10.0.0.*",
          "-Dflotilla.numa.nodes=0-1",
          "-XX:SharedArchiveFile=/opt/f/lib/flotilla.jsa",
          "-XX:CompileCommand=quiet",
          "-XX:StartFlightRecording:filename=a.jfr",
          "-XX:+UnlockDiagnosticVMOptions",
          "-agentlib:jdwp=transport=dt_socket");

  @Test
  void theListedVariablesAndOursAreCarriedLessThoseOfOneNode() {
    Surroundings given = Inheritance.of(List.of("NCCL_DEBUG", "NOT_SET"), ENVIRONMENT, List.of());
    assertEquals(List.of("FLOTILLA_PACK_STRATEGY=fill", "NCCL_DEBUG=INFO=1"), given.environment());
    assertEquals(
        Map.of("FLOTILLA_PACK_STRATEGY", "fill", "NCCL_DEBUG", "INFO=1"),
        Inheritance.environment(given));
    ConfigException e =
        assertThrows(
            ConfigException.class,
            () -> Inheritance.of(List.of("CUDA_VISIBLE_DEVICES"), ENVIRONMENT, List.of()));
    assertTrue(String.valueOf(e.getMessage()).contains("each node has for itself"), e::getMessage);
  }

  @Test
  void jvmFlagsAreCarriedLessThoseOfOneNode() {
    assertEquals(
        List.of("-Xmx4g", "-XX:+UseZGC", "-XX:MaxDirectMemorySize=1g", "-Dmy.flag=a b"),
        Inheritance.of(List.of(), Map.of(), FLAGS).jvmFlags());
  }

  @Test
  void theHeadsFlagsTakeThePlaceOfANodesOwnOfTheSameName() {
    Surroundings given = Inheritance.of(List.of(), Map.of(), FLAGS);
    List<String> own =
        List.of(
            "-Xmx700m",
            "-Xms100m",
            "-XX:+UseSerialGC",
            "-Dflotilla.home=/node",
            "-Dmy.flag=c",
            "--add-modules=java.se",
            "-Xlog:disable");
    assertEquals(
        List.of(
            "-Xms100m",
            "-Dflotilla.home=/node",
            "--add-modules=java.se",
            "-Xlog:disable",
            "-Xmx4g",
            "-XX:+UseZGC",
            "-XX:MaxDirectMemorySize=1g",
            "-Dmy.flag=a b"),
        Inheritance.flags(own, given));
    assertEquals(own, Inheritance.flags(own, Surroundings.DEFAULT));
  }

  @Test
  void theyReachTheNodesThroughTheCoordinatorsSettings() {
    PlacingConfig placing =
        Config.parse(
            "{\"surroundings\":{\"environment\":[\"A=b\"],\"jvm-flags\":[\"-Xmx1g\"]}}",
            PlacingConfig.DEFAULT);
    assertEquals(new Surroundings(List.of("A=b"), List.of("-Xmx1g")), placing.surroundings());
    assertThrows(
        ConfigException.class,
        () -> Config.parse("{\"surroundings\":{\"environment\":[\"A\"]}}", PlacingConfig.DEFAULT));
  }
}
