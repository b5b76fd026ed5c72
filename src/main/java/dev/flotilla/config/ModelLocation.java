package dev.flotilla.config;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the model of a setting lies. */
public final class ModelLocation {
  /** System property: the folder of the distribution; the launch scripts set it. */
  public static final String HOME = "flotilla.home";

  private static final String BUNDLED = "models/tiny-llama";

  private ModelLocation() {}

  /**
   * The folder that is meant: as given; else, if relative, below the distribution; the bundled
   * model if nothing is given.
   */
  public static Path resolve(String model) {
    Path home = Path.of(System.getProperty(HOME, "."));
    if (model.isEmpty()) {
      return home.resolve(BUNDLED);
    }
    Path given = Path.of(model);
    if (!given.isAbsolute() && !Files.exists(given) && Files.exists(home.resolve(given))) {
      return home.resolve(given);
    }
    return given;
  }
}
