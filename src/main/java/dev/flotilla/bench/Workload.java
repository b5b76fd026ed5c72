package dev.flotilla.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** Turns a data set into a plan. The same seed and server give the same plan. */
final class Workload {
  /** Tokens per id of a trace's {@code hash_ids}. */
  static final int HASH_BLOCK_TOKENS = 512;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ServerProbe probe;
  private final Generation generation;
  private final LoadShape load;

  Workload(ServerProbe probe, Generation generation, LoadShape load) {
    this.probe = probe;
    this.generation = generation;
    this.load = load;
  }

  /** The plan, in order of due times. */
  List<Planned> plan(Dataset dataset) {
    return switch (dataset) {
      case Dataset.Random random -> random(random);
      case Dataset.Custom custom -> due(custom(custom));
      case Dataset.ShareGpt shareGpt -> due(shareGpt(shareGpt));
      case Dataset.Trace trace -> trace(trace);
    };
  }

  private int count() {
    return Objects.requireNonNullElse(load.requests(), Dataset.DEFAULT_PROMPTS);
  }

  private List<Planned> random(Dataset.Random random) {
    Vocabulary vocabulary = vocabulary(random.vocabulary());
    RandomGenerator lengths = generator(load.seed());
    List<Planned> all = new ArrayList<>();
    for (int i = 0; i < count(); i++) {
      int input = within(random.inputLength(), random.rangeRatio(), lengths);
      int output = within(random.outputLength(), random.rangeRatio(), lengths);
      long seed = lengths.nextLong();
      all.add(new Planned(0, ids(() -> vocabulary.draw(input, generator(seed))), input, output));
    }
    return due(all);
  }

  /** For chat, which takes no ids, the text of the ids is asked for at once. */
  private Supplier<Prompt> ids(Supplier<int[]> ids) {
    if (generation.backend() == Backend.OPENAI) {
      return () -> new Prompt.Ids(ids.get());
    }
    Prompt text = new Prompt.Text(probe.detokenize(generation.model(), ids.get()));
    return () -> text;
  }

  private Vocabulary vocabulary(@Nullable Integer size) {
    return size == null ? probe.vocabulary(generation.model()) : Vocabulary.middleOf(size);
  }

  private static int within(int length, double ratio, RandomGenerator random) {
    int least = Math.max(1, (int) Math.floor(length * (1 - ratio)));
    int most = Math.max(least, (int) Math.ceil(length * (1 + ratio)));
    return random.nextInt(least, most + 1);
  }

  private List<Planned> custom(Dataset.Custom custom) {
    List<Planned> all = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(custom.file())) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.isBlank()) {
          JsonNode row = JSON.readTree(line);
          JsonNode prompt = row.path("prompt");
          if (!prompt.isTextual()) {
            throw new BenchException(custom.file() + ": a line has no text under \"prompt\"");
          }
          int output = row.path("output_tokens").asInt(custom.outputLength());
          all.add(text(prompt.asText(), output));
        }
      }
    } catch (IOException e) {
      throw unreadable(custom.file(), e);
    }
    return sampled(all, custom.file());
  }

  private List<Planned> shareGpt(Dataset.ShareGpt shareGpt) {
    List<JsonNode> talks = new ArrayList<>();
    try {
      for (JsonNode talk : JSON.readTree(shareGpt.file().toFile())) {
        if (talk.path("conversations").size() >= 2) {
          talks.add(talk.path("conversations"));
        }
      }
    } catch (IOException e) {
      throw unreadable(shareGpt.file(), e);
    }
    Collections.shuffle(talks, new Random(load.seed()));
    List<Planned> all = new ArrayList<>();
    for (JsonNode talk : talks.subList(0, Math.min(count(), talks.size()))) {
      String answer = talk.path(1).path("value").asText();
      int output =
          shareGpt.outputLength() == null
              ? Math.max(1, probe.tokenize(generation.model(), answer).length)
              : shareGpt.outputLength();
      all.add(text(talk.path(0).path("value").asText(), output));
    }
    return sampled(all, shareGpt.file());
  }

  private static Planned text(String prompt, int output) {
    Prompt text = new Prompt.Text(prompt);
    return new Planned(0, () -> text, -1, output);
  }

  /** As many as asked for, in a random order; a smaller set is repeated. */
  private List<Planned> sampled(List<Planned> all, Path file) {
    if (all.isEmpty()) {
      throw new BenchException(file + " holds no prompt");
    }
    Collections.shuffle(all, new Random(load.seed()));
    List<Planned> chosen = new ArrayList<>();
    for (int i = 0; i < count(); i++) {
      chosen.add(all.get(i % all.size()));
    }
    return chosen;
  }

  private List<Planned> due(List<Planned> all) {
    long[] offsets =
        Arrivals.offsets(
            all.size(), load.requestRate(), load.burstiness(), generator(~load.seed()));
    List<Planned> due = new ArrayList<>();
    for (int i = 0; i < offsets.length; i++) {
      Planned p = all.get(i);
      due.add(new Planned(offsets[i], p.prompt(), p.inputTokens(), p.outputTokens()));
    }
    return due;
  }

  private List<Planned> trace(Dataset.Trace trace) {
    Vocabulary vocabulary = vocabulary(trace.vocabulary());
    int most = Objects.requireNonNullElse(load.requests(), Integer.MAX_VALUE);
    List<Planned> all = new ArrayList<>();
    try (InputStream file = Files.newInputStream(trace.file());
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(new GZIPInputStream(file), StandardCharsets.UTF_8))) {
      String line = lines.readLine();
      for (; line != null && all.size() < most; line = lines.readLine()) {
        all.add(traced(JSON.readTree(line), trace, vocabulary, all.size()));
      }
    } catch (IOException e) {
      throw unreadable(trace.file(), e);
    }
    if (all.isEmpty()) {
      throw new BenchException(trace.file() + " holds no request");
    }
    all.sort((a, b) -> Long.compare(a.dueNanos(), b.dueNanos()));
    return all;
  }

  private Planned traced(JsonNode row, Dataset.Trace trace, Vocabulary vocabulary, int index) {
    JsonNode at = row.path("t_ms");
    int input = row.path("input").asInt();
    int output = row.path("output").asInt();
    if (!at.isNumber() || input < 1 || output < 1) {
      throw new BenchException(
          "%s line %d must have t_ms, and input and output of at least 1"
              .formatted(trace.file(), index + 1));
    }
    JsonNode blocks = row.path("hash_ids");
    long[] seeds = new long[(input + HASH_BLOCK_TOKENS - 1) / HASH_BLOCK_TOKENS];
    for (int i = 0; i < seeds.length; i++) {
      // A block without an id is nobody else's: its seed lies outside of the ids' range.
      long own = Long.MIN_VALUE + ((long) index << 20) + i;
      seeds[i] = load.seed() * 31 + (i < blocks.size() ? blocks.get(i).asLong() : own);
    }
    long due = Math.round(at.asDouble() * 1e6 / trace.speed());
    return new Planned(due, ids(() -> blocks(vocabulary, seeds, input)), input, output);
  }

  private static int[] blocks(Vocabulary vocabulary, long[] seeds, int length) {
    int[] ids = new int[length];
    for (int i = 0; i < seeds.length; i++) {
      int from = i * HASH_BLOCK_TOKENS;
      int size = Math.min(HASH_BLOCK_TOKENS, length - from);
      System.arraycopy(vocabulary.draw(size, generator(seeds[i])), 0, ids, from, size);
    }
    return ids;
  }

  private static RandomGenerator generator(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  private static BenchException unreadable(Path file, IOException e) {
    return new BenchException(
        "%s cannot be read: %s"
            .formatted(file, String.valueOf(e.getMessage()).lines().findFirst().orElse("")));
  }
}
