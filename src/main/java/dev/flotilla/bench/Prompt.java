package dev.flotilla.bench;

/** What one request asks to be continued. */
sealed interface Prompt {

  /** Token ids, whose number is exact. */
  @SuppressWarnings("ArrayRecordComponent") // written once, read once, never compared
  record Ids(int[] ids) implements Prompt {}

  /** Text, whose number of tokens only the server knows. */
  record Text(String text) implements Prompt {}
}
