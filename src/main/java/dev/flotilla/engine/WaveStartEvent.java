package dev.flotilla.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A wave starts at one rank, for Flight Recorder. */
@Name("dev.flotilla.WaveStart")
@Label("Wave Start")
@Category("Flotilla")
@Description("All ranks of a group step together from here on, with work or without")
@StackTrace(false)
final class WaveStartEvent extends Event {
  @Label("Rank")
  int rank;

  @Label("Generation")
  long generation;

  @Label("Wave")
  long wave;
}
