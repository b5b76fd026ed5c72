package dev.flotilla;

import dev.flotilla.config.ConfigException;
import dev.flotilla.config.ModelLocation;
import dev.flotilla.model.GenerationDefaults;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.tokenizer.ChatTemplate;
import dev.flotilla.tokenizer.TextTokenizer;
import dev.flotilla.tokenizer.Tokenizers;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Offline use: one answer from one engine in this process, without HTTP and cluster. */
@Command(
    name = "complete",
    description = "Complete a text in this process, without a server.",
    mixinStandardHelpOptions = true)
final class CompleteCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "PROMPT", description = "What to continue or to answer.")
  private String prompt = "";

  @Option(names = "--model", description = "Folder in Hugging Face layout (bundled tiny-llama).")
  private String model = "";

  @Option(names = "--chat", description = "Send the prompt as a chat message.")
  private boolean chat;

  @Option(names = "--max-tokens", description = "Most tokens to generate (${DEFAULT-VALUE}).")
  private int maxTokens = 128;

  @Option(names = "--temperature", description = "0 is greedy (the model's default, else 1).")
  private @Nullable Float temperature;

  @Option(names = "--top-p", description = "Nucleus to draw from.")
  private @Nullable Float topP;

  @Option(names = "--top-k", description = "Draw from so many best tokens, 0 for all.")
  private @Nullable Integer topK;

  @Option(names = "--min-p", description = "Least probability relative to the best token's.")
  private float minP;

  @Option(names = "--seed", description = "Makes draws repeatable (random).")
  private @Nullable Long seed;

  @Override
  public Integer call() {
    if (prompt.isEmpty()) {
      throw new ConfigException("the prompt is empty; give a text to complete");
    }
    ModelFolder folder = ModelFolder.open(ModelLocation.resolve(model));
    Sampling sampling = sampling(folder.generation());
    TextTokenizer tokenizer = Tokenizers.open(folder.path());
    TokenIds ids = tokenizer.encode(text(folder), false);
    TokenIds start =
        !chat && folder.config().bos() >= 0 ? TokenIds.of(folder.config().bos()).concat(ids) : ids;
    PrintWriter out = spec.commandLine().getOut();
    TextTokenizer.Detokenizer detokenizer = tokenizer.detokenizer(true);
    try (OfflineEngine engine = OfflineEngine.open(folder)) {
      engine.generate(
          start,
          sampling,
          token -> {
            out.print(detokenizer.append(token));
            out.flush();
          });
    }
    out.println(detokenizer.finish());
    out.flush();
    return 0;
  }

  private String text(ModelFolder folder) {
    return chat
        ? ChatTemplate.open(folder.path())
            .render(List.of(Map.of("role", "user", "content", prompt)), true, Map.of())
        : prompt;
  }

  private Sampling sampling(GenerationDefaults defaults) {
    try {
      return Sampling.builder()
          .temperature(first(temperature, defaults.temperature(), 1f))
          .topP(first(topP, defaults.topP(), 1f))
          .topK(first(topK, defaults.topK(), 0))
          .minP(minP)
          .seed(seed == null ? ThreadLocalRandom.current().nextLong() : seed)
          .maxTokens(maxTokens)
          .build();
    } catch (IllegalArgumentException e) {
      throw new ConfigException(Objects.requireNonNullElse(e.getMessage(), "bad sampling"));
    }
  }

  private static <T> T first(@Nullable T given, @Nullable T models, T otherwise) {
    return given != null ? given : models != null ? models : otherwise;
  }
}
