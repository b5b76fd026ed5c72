package dev.flotilla.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where prompts and lengths come from. */
public sealed interface Dataset {

  /** How many requests: {@code --num-prompts}, or all of a trace if that is null. */
  int DEFAULT_PROMPTS = 1000;

  /**
   * Random token ids; lengths uniform within {@code length * (1 ± rangeRatio)}.
   *
   * @param vocabulary ids are drawn from its middle half, away from special tokens; null: from what
   *     the server's {@code /tokenize} makes of a text
   */
  record Random(int inputLength, int outputLength, double rangeRatio, @Nullable Integer vocabulary)
      implements Dataset {
    /** Checks the lengths. */
    public Random {
      Settings.require(
          inputLength >= 1, "--random-input-len must be at least 1, not %d.", inputLength);
      Settings.require(
          outputLength >= 1, "--random-output-len must be at least 1, not %d.", outputLength);
      Settings.require(
          rangeRatio >= 0 && rangeRatio < 1,
          "--random-range-ratio must be at least 0 and below 1, not %s.",
          rangeRatio);
      checkVocabulary(vocabulary);
    }
  }

  /** JSON lines with {@code "prompt"} and optionally {@code "output_tokens"}. */
  record Custom(Path file, int outputLength) implements Dataset {
    /** Checks the file. */
    public Custom {
      checkFile("--dataset-path", file);
      Settings.require(
          outputLength >= 1, "--custom-output-len must be at least 1, not %d.", outputLength);
    }
  }

  /**
   * A ShareGPT file: a JSON array of conversations, of which the first turn is sent.
   *
   * @param outputLength null: as many tokens as the second turn has
   */
  record ShareGpt(Path file, @Nullable Integer outputLength) implements Dataset {
    /** Checks the file. */
    public ShareGpt {
      checkFile("--dataset-path", file);
      Settings.require(
          outputLength == null || outputLength >= 1,
          "--sharegpt-output-len must be at least 1, not %d.",
          outputLength);
    }
  }

  /**
   * Recorded arrivals and lengths, gzipped JSON lines of {@code t_ms, input, output} and optionally
   * {@code hash_ids} (one per 512 prompt tokens; equal ids become equal tokens).
   *
   * @param speed 2 replays twice as fast
   */
  record Trace(Path file, double speed, @Nullable Integer vocabulary) implements Dataset {
    /** Checks the file. */
    public Trace {
      checkFile("--trace", file);
      Settings.require(
          speed > 0 && Double.isFinite(speed), "--trace-speed must be above 0, not %s.", speed);
      checkVocabulary(vocabulary);
    }
  }

  private static void checkVocabulary(@Nullable Integer vocabulary) {
    Settings.require(
        vocabulary == null || vocabulary >= 4,
        "--random-vocab must be at least 4, not %d.",
        vocabulary);
  }

  private static void checkFile(String flag, Path file) {
    Settings.require(Files.isRegularFile(file), "%s: there is no file %s.", flag, file);
  }
}
