package dev.flotilla.protocol;

/** A request: the front-end that accepted it and that front-end's running number. */
public record RequestId(FrontendId frontend, long counter) {
  @Override
  public String toString() {
    return frontend + "/" + counter;
  }
}
