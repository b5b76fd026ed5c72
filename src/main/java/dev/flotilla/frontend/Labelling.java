package dev.flotilla.frontend;

import dev.flotilla.config.EngineLabel;
import dev.flotilla.protocol.Rank;

/** The value of the label {@code engine}. */
record Labelling(EngineLabel kind) {
  /** Of the one series over all engines. */
  static final String ALL = "all";

  /** The label of an engine's series. */
  String of(Rank rank) {
    return kind == EngineLabel.SUM ? ALL : rank.toString();
  }
}
