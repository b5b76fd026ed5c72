package dev.flotilla.simulation.load;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The seven shared traces, five seeds each: {@code -Dtraces=FOLDER}. Takes some minutes, and prints
 * the rows of {@code benchmarks.md}.
 */
@EnabledIfSystemProperty(named = "traces", matches = ".+")
class AllTracesTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "azure_conv",
        "azure_code_first",
        "mooncake_conv_first",
        "poisson",
        "heavy",
        "burst",
        "agentic"
      })
  void meetsItsNumbers(String name) throws IOException {
    Trace trace = Trace.read(Path.of(System.getProperty("traces"), name + ".jsonl.gz"));
    Acceptance.of(name).check(trace, Integer.getInteger("seeds", 5));
  }
}
