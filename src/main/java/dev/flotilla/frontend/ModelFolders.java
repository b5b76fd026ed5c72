package dev.flotilla.frontend;

import dev.flotilla.config.FrontendConfig;

/** Opens what a front-end needs of a model's folder. */
final class ModelFolders {
  private ModelFolders() {}

  static ServedModel open(FrontendConfig config) {
    throw new IllegalStateException("no model folder " + config.model());
  }
}
