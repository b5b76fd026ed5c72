package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a person does wrong on the command line: one sentence, the right exit code. */
class BadStartIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path scratch;

  @Test
  void anUnknownFlagIsNamedWithTheNearestOne() throws Exception {
    assertFails(2, "--prot", "serve", "--prot", "1");
  }

  @Test
  void impossibleRanksAreRefused() throws Exception {
    assertFails(2, "--data-parallel-size", "serve", "-dp", "2", "-dpl", "3");
    assertFails(2, "--no-join", "serve", "--no-join", "-dp", "2", "-dpl", "1");
    assertFails(
        2, "--api-server-count", "serve", "--headless", "-dp", "2", "--api-server-count", "1");
  }

  @Test
  void aMissingModelFolderIsNamed() throws Exception {
    String folder = scratch.resolve("absent").toString();
    assertFails(1, folder, "serve", folder, "--port", "0", "--no-join");
  }

  @Test
  void truncatedWeightsAreNoticedBeforeServing() throws Exception {
    Path model = copyOfTinyLlama();
    Path weights = model.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    Files.write(weights, Arrays.copyOf(bytes, bytes.length / 2));
    assertFails(1, "model.safetensors", "serve", model.toString(), "--port", "0", "--no-join");
  }

  @Test
  void anArchitectureThatCannotBeComputedIsNamed() throws Exception {
    Path model = copyOfTinyLlama();
    Path config = model.resolve("config.json");
    Files.writeString(
        config, Files.readString(config).replace("LlamaForCausalLM", "GPT2LMHeadModel"));
    assertFails(1, "GPT2LMHeadModel", "serve", model.toString(), "--port", "0", "--no-join");
  }

  @Test
  void cudaIsNotBuiltYet() throws Exception {
    assertFails(1, "cuda is not built yet", "serve", "--executor", "cuda");
  }

  @Test
  void aBusyPortIsNamed() throws Exception {
    try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(busy.getLocalPort());
      assertFails(1, "port " + port, "serve", "--port", port, "--no-join");
    }
  }

  @Test
  void aSecondHeadOfOneClusterNameIsToldOfTheFirst() throws Exception {
    String cluster = FlotillaProcess.uniqueCluster();
    try (FlotillaProcess first =
        FlotillaProcess.start(
            "serve", "--executor", "scripted", "--port", "0", "--cluster-name", cluster)) {
      URI base = first.awaitReady();
      assertFails(
          1,
          "--cluster-name",
          "serve",
          "--executor",
          "scripted",
          "--port",
          "0",
          "--cluster-name",
          cluster);
      assertEquals(200, FlotillaProcess.get(base, "/health").statusCode());
    }
  }

  @Test
  void withoutJdk25TheScriptSaysWhatIsMissing() throws Exception {
    Path bin = Files.createDirectories(scratch.resolve("empty/bin"));
    for (String tool : new String[] {"sh", "sed", "dirname", "readlink"}) {
      Files.createSymbolicLink(bin.resolve(tool), Path.of("/usr/bin").resolve(tool));
    }
    String script =
        Files.readString(FlotillaProcess.home().resolve("bin/launch.sh"))
            .replace("/usr/lib/jvm/*", "/nowhere/*");
    Path copy = Files.createDirectories(scratch.resolve("dist/bin"));
    Files.writeString(copy.resolve("launch.sh"), script);
    Files.copy(FlotillaProcess.home().resolve("bin/flotilla"), copy.resolve("flotilla"));
    ProcessBuilder builder =
        new ProcessBuilder("/bin/sh", copy.resolve("flotilla").toString())
            .redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().putAll(Map.of("PATH", bin.toString(), "HOME", scratch.toString()));
    Process started = builder.start();
    String output = new String(started.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(1, started.waitFor(), output);
    assertTrue(output.contains("needs a JDK of version 25"), output);
  }

  private Path copyOfTinyLlama() throws Exception {
    Path source = FlotillaProcess.home().resolve("models/tiny-llama");
    Path target = Files.createDirectories(scratch.resolve("copy"));
    try (var files = Files.list(source)) {
      for (Path file : files.toList()) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    }
    return target;
  }

  private static void assertFails(int code, String part, String... arguments) throws Exception {
    try (FlotillaProcess process = FlotillaProcess.start(arguments)) {
      assertEquals(code, process.awaitExit(LIMIT), process.output());
      assertTrue(process.output().contains(part), process.output());
      assertFalse(process.output().contains("\tat "), process.output());
      assertEquals(1, process.output().lines().filter(l -> l.startsWith("flotilla")).count());
    }
  }
}
