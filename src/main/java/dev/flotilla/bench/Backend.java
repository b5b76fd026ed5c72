package dev.flotilla.bench;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Which of the two generating routes is driven, by vLLM's names. */
public enum Backend {
  /** {@code /v1/completions}: prompts go out as token ids, so that their lengths are exact. */
  OPENAI("openai", "/v1/completions"),
  /** {@code /v1/chat/completions}: prompts go out as one user message each. */
  OPENAI_CHAT("openai-chat", "/v1/chat/completions");

  private final String flag;
  private final String endpoint;

  Backend(String flag, String endpoint) {
    this.flag = flag;
    this.endpoint = endpoint;
  }

  /** The value of {@code --backend}. */
  public String flag() {
    return flag;
  }

  /** The path unless {@code --endpoint} is given. */
  public String endpoint() {
    return endpoint;
  }

  /** By the value of {@code --backend}. */
  public static Backend of(String flag) {
    for (Backend backend : values()) {
      if (backend.flag.equals(flag)) {
        return backend;
      }
    }
    String known = Arrays.stream(values()).map(Backend::flag).collect(Collectors.joining(" or "));
    Settings.require(false, "--backend must be %s, not '%s'.", known, flag);
    throw new IllegalStateException(flag);
  }
}
