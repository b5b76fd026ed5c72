package dev.flotilla.frontend;

import org.jspecify.annotations.Nullable;

/** A request cannot be served; becomes the error object of the OpenAI API. */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int status;
  private final @Nullable String param;
  private final @Nullable String code;
  private final int retrySeconds;

  private ApiException(
      int status,
      String sentence,
      @Nullable String param,
      @Nullable String code,
      int retrySeconds) {
    // A client's mistake needs no stack trace, and taking one costs more than answering it.
    super(sentence, null, false, false);
    this.status = status;
    this.param = param;
    this.code = code;
    this.retrySeconds = retrySeconds;
  }

  private ApiException(int status, String sentence, @Nullable String param, @Nullable String code) {
    this(status, sentence, param, code, 1);
  }

  /** A value that cannot be. */
  static ApiException badValue(String param, String sentence) {
    return new ApiException(400, sentence, param, null);
  }

  /** A request that cannot be, as a whole. */
  static ApiException badRequest(String sentence) {
    return new ApiException(400, sentence, null, null);
  }

  /** A model that is not served. */
  static ApiException unknownModel(String model, String served) {
    return new ApiException(
        404,
        "the model `%s` does not exist here; this service has `%s`".formatted(model, served),
        "model",
        "model_not_found");
  }

  /** A missing or wrong key. */
  static ApiException unauthorized() {
    return new ApiException(
        401,
        "a valid API key is needed: send the header `Authorization: Bearer KEY`",
        null,
        "invalid_api_key");
  }

  /** Any other status. */
  static ApiException of(int status, String sentence) {
    return new ApiException(status, sentence, null, null);
  }

  /** Too much is under way; there will be room in so many seconds. */
  static ApiException busy(String sentence, int retrySeconds) {
    return new ApiException(429, sentence, null, null, retrySeconds);
  }

  int status() {
    return status;
  }

  /** The sentence for the client. */
  String sentence() {
    return String.valueOf(getMessage());
  }

  @Nullable String param() {
    return param;
  }

  /** The kind, with the OpenAI API's names where it has one. */
  String type() {
    return switch (status) {
      case 429 -> "rate_limit_error";
      case 503 -> "service_unavailable";
      default -> status >= 500 ? "internal_error" : "invalid_request_error";
    };
  }

  /** Whether the same request may succeed a little later. */
  boolean retryable() {
    return status == 429 || status == 503;
  }

  /** When it may, if it may. */
  int retrySeconds() {
    return retrySeconds;
  }

  /** The error object, {@code {"error":{…}}}. */
  byte[] json() {
    JsonBytes out = new JsonBytes(128);
    write(out);
    return out.toArray();
  }

  void write(JsonBytes out) {
    out.raw("{\"error\":{\"message\":").string(sentence());
    out.raw(",\"type\":").string(type());
    out.raw(",\"param\":").stringOrNull(param);
    out.raw(",\"code\":").stringOrNull(code);
    out.raw("}}");
  }
}
