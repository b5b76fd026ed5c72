package dev.flotilla.bench;

/** The measurement could not be made; the message is one sentence that says why and what to do. */
public final class BenchException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With its sentence. */
  public BenchException(String message) {
    super(message);
  }
}
