package dev.flotilla.frontend;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Who may ask, and under which id: keys, {@code X-Request-Id}, the count of requests. */
final class Access {
  private static final String REQUEST_ID = "X-Request-Id";
  private static final int ID_CHARS_MAX = 256;

  private final List<byte[]> keyHashes;
  private final FrontendMetrics metrics;

  Access(List<String> keys, FrontendMetrics metrics) {
    this.keyHashes = keys.stream().map(Access::hash).toList();
    this.metrics = metrics;
  }

  /** Gives every response the request's id, and counts it when it ends. */
  void note(RoutingContext ctx) {
    ctx.response().putHeader(REQUEST_ID, requestId(ctx));
    ctx.addEndHandler(
        _ -> {
          var route = ctx.currentRoute();
          String path = route == null ? null : route.getPath();
          metrics.answered(
              path == null ? "none" : path,
              ctx.request().method().name(),
              ctx.response().getStatusCode());
        });
    ctx.next();
  }

  /** The id that the client gave, or one that was made for it. */
  static String requestId(RoutingContext ctx) {
    String known = ctx.get(REQUEST_ID);
    if (known != null) {
      return known;
    }
    String given = ctx.request().getHeader(REQUEST_ID);
    String id = given != null && usable(given) ? given : UUID.randomUUID().toString();
    ctx.put(REQUEST_ID, id);
    return id;
  }

  private static boolean usable(String id) {
    return !id.isEmpty()
        && id.length() <= ID_CHARS_MAX
        && id.chars().allMatch(c -> c > ' ' && c < 127);
  }

  /** Refuses a request without one of the keys, where any are set. */
  void check(RoutingContext ctx) {
    if (keyHashes.isEmpty() || known(bearer(ctx.request()))) {
      ctx.next();
    } else {
      Errors.send(ctx.response(), ApiException.unauthorized());
    }
  }

  private static @Nullable String bearer(HttpServerRequest request) {
    String header = request.getHeader(HttpHeaders.AUTHORIZATION);
    boolean bearer = header != null && header.regionMatches(true, 0, "Bearer ", 0, 7);
    return bearer ? header.substring(7).trim() : null;
  }

  /**
   * Takes the same time for every wrong key: hashes are compared, all of them, to the last byte.
   */
  private boolean known(@Nullable String key) {
    if (key == null) {
      return false;
    }
    byte[] hash = hash(key);
    boolean found = false;
    for (byte[] own : keyHashes) {
      found |= MessageDigest.isEqual(own, hash);
    }
    return found;
  }

  private static byte[] hash(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
