package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the README says that curl does, curl does. */
class ReadmeIT {
  private static final String BASE = "http://127.0.0.1:8000";
  private static final Pattern RECIPE =
      Pattern.compile("```\\n(curl .*?)\\n```\\n", Pattern.DOTALL);
  private static final Pattern PROMISE = Pattern.compile("\\n\\nThe answer holds .*?\\.\\n");
  private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");

  /**
   * One recipe.
   *
   * @param promises what the answer holds
   */
  private record Recipe(String command, List<String> promises) {}

  @Test
  void everyRecipeWorks() throws Exception {
    List<Recipe> recipes = recipes();
    assertTrue(recipes.size() >= 7, recipes.toString());
    assertTrue(recipes.stream().filter(r -> !r.promises().isEmpty()).count() >= 6);
    try (FlotillaProcess serve =
        FlotillaProcess.start(
            "serve", "--port", "0", "--cluster-name", FlotillaProcess.uniqueCluster())) {
      URI base = serve.awaitReady();
      for (Recipe recipe : recipes) {
        String answer = run(recipe.command().replace(BASE, base.toString()));
        for (String promise : recipe.promises()) {
          assertTrue(
              answer.contains(promise), recipe.command() + "\ngave no " + promise + ":\n" + answer);
        }
      }
    }
  }

  private static List<Recipe> recipes() throws Exception {
    String readme = Files.readString(SourceFormat.root().resolve("README.md"));
    List<Recipe> recipes = new ArrayList<>();
    Matcher recipe = RECIPE.matcher(readme);
    while (recipe.find()) {
      List<String> promises = new ArrayList<>();
      Matcher promise = PROMISE.matcher(readme).region(recipe.end() - 1, readme.length());
      if (promise.lookingAt()) {
        Matcher quoted = QUOTED.matcher(promise.group());
        while (quoted.find()) {
          promises.add(quoted.group(1));
        }
      }
      recipes.add(new Recipe(recipe.group(1), promises));
    }
    return recipes;
  }

  private static String run(String command) throws Exception {
    // A refusal must fail the command, which a person would read instead.
    String strict =
        "set -o pipefail\n" + command.replaceFirst("^curl", "curl -sS --fail-with-body -m 60");
    Process process =
        new ProcessBuilder("bash", "-c", strict)
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
            .start();
    String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(90, TimeUnit.SECONDS), command);
    assertEquals(0, process.exitValue(), command + "\ngave:\n" + answer);
    return answer;
  }
}
