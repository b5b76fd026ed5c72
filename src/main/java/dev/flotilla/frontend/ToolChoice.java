package dev.flotilla.frontend;

import dev.flotilla.protocol.Grammar;
import org.jspecify.annotations.Nullable;

/**
 * How an answer may call tools.
 *
 * @param parse whether calls are looked for in the text
 * @param parallel whether there may be several
 * @param grammar what forces a call; null if the model may answer in words
 */
record ToolChoice(boolean parse, boolean parallel, @Nullable Grammar grammar) {
  static final ToolChoice NONE = new ToolChoice(false, false, null);
}
