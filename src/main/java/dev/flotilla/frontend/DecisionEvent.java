package dev.flotilla.frontend;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/**
 * One choice of an engine, for Flight Recorder. Off unless a recording asks for it, and then as
 * dear as an estimate of every engine.
 */
@Name("dev.flotilla.Decision")
@Label("Engine Choice")
@Category("Flotilla")
@Description("Which engine a request was given to, and why")
@StackTrace(false)
@Enabled(false)
final class DecisionEvent extends Event {
  @Label("Request")
  String request = "";

  @Label("Attempt")
  int attempt;

  @Label("Rank")
  int rank;

  @Label("Prompt Tokens")
  int promptTokens;

  @Label("Cached Tokens")
  int cachedTokens;

  @Label("Score")
  double score;

  @Label("Decision")
  String decision = "";
}
