package dev.flotilla.bench;

import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/**
 * Where requests go.
 *
 * @param base scheme, host and port, without a trailing slash
 * @param endpoint path of the generating route
 * @param headers sent with every request
 */
public record Target(URI base, String endpoint, Map<String, String> headers) {

  /** Keeps a private copy and checks that the address can be driven. */
  public Target {
    headers = Map.copyOf(headers);
    Settings.require(
        "http".equals(base.getScheme()),
        "--base-url must start with http:// (TLS is not measured here), not '%s'.",
        base);
    Settings.require(base.getHost() != null, "--base-url '%s' has no host.", base);
    Settings.require(
        endpoint.startsWith("/"), "--endpoint must start with '/', not '%s'.", endpoint);
    headers.forEach(
        (name, value) ->
            Settings.require(
                name.matches("[A-Za-z0-9!#$%&'*+.^_`|~-]+") && value.chars().allMatch(c -> c >= 32),
                "--header must be NAME=VALUE on one line, not '%s=%s'.",
                name,
                value));
  }

  /** From the text of {@code --base-url}. */
  public static Target of(String baseUrl, String endpoint, Map<String, String> headers) {
    try {
      URI uri = new URI(baseUrl.replaceAll("/+$", ""));
      return new Target(uri, endpoint, headers);
    } catch (URISyntaxException e) {
      Settings.require(false, "--base-url '%s' is not an address: %s.", baseUrl, e.getReason());
      throw new IllegalStateException(e);
    }
  }

  String host() {
    String host = base.getHost();
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  int port() {
    return base.getPort() == -1 ? 80 : base.getPort();
  }

  /** Where connections go. */
  InetSocketAddress address() {
    return new InetSocketAddress(host(), port());
  }

  /** One whole HTTP/1.1 request. */
  byte[] request(byte[] body) {
    StringBuilder head = new StringBuilder(256);
    head.append("POST ").append(base.getRawPath()).append(endpoint).append(" HTTP/1.1\r\n");
    head.append("Host: ").append(base.getRawAuthority()).append("\r\n");
    head.append("Content-Type: application/json\r\nAccept: text/event-stream\r\n");
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    head.append(String.format(Locale.ROOT, "Content-Length: %d\r\n\r\n", body.length));
    byte[] bytes = head.toString().getBytes(StandardCharsets.UTF_8);
    byte[] whole = new byte[bytes.length + body.length];
    System.arraycopy(bytes, 0, whole, 0, bytes.length);
    System.arraycopy(body, 0, whole, bytes.length, body.length);
    return whole;
  }
}
