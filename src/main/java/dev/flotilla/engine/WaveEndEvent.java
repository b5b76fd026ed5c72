package dev.flotilla.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A wave ends at one rank, for Flight Recorder; its duration is the wave's. */
@Name("dev.flotilla.WaveEnd")
@Label("Wave End")
@Category("Flotilla")
@Description("What one rank did in a wave, from its start on")
@StackTrace(false)
final class WaveEndEvent extends Event {
  @Label("Rank")
  int rank;

  @Label("Generation")
  long generation;

  @Label("Wave")
  long wave;

  @Label("Steps")
  @Description("Steps taken, with work or without")
  long steps;

  @Label("Dummy Steps")
  @Description("Steps without work")
  long dummySteps;

  @Label("Complete")
  @Description("Whether it ended because no rank had work; otherwise the group was broken")
  boolean complete;
}
