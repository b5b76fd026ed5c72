package dev.flotilla.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One keep-alive connection, which carries one exchange at a time. Belongs to the load loop's
 * thread; never blocks.
 */
final class Connection {
  /** An error body longer than this is cut: only its message is shown. */
  private static final int ERROR_BYTES_MAX = 64 << 10;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final int target;
  private final SocketChannel channel;
  private final SelectionKey key;
  private final ResponseReader reader = new ResponseReader();
  private final ByteArrayOutputStream errorBody = new ByteArrayOutputStream(0);
  private @Nullable Exchange exchange;
  private @Nullable EventScanner events;
  private @Nullable ByteBuffer unsent;
  private boolean used;
  private long now;

  /** When the present wait is given up. */
  long deadline;

  private Connection(int target, SocketChannel channel, SelectionKey key) {
    this.target = target;
    this.channel = channel;
    this.key = key;
  }

  static Connection open(int target, InetSocketAddress address, Selector selector)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      boolean connected = channel.connect(address);
      int interest = connected ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT;
      SelectionKey key = channel.register(selector, interest);
      Connection connection = new Connection(target, channel, key);
      key.attach(connection);
      return connection;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** Which of the servers it is to. */
  int target() {
    return target;
  }

  @Nullable Exchange exchange() {
    return exchange;
  }

  boolean connected() {
    return channel.isConnected();
  }

  /** Whether an exchange may be sent again: the server closed an idle connection under it. */
  boolean mayRetry() {
    Exchange e = exchange;
    return e != null && used && !reader.started() && !e.retried;
  }

  /** Starts an exchange; its bytes leave as the socket takes them. */
  void send(Exchange next, byte[] request, boolean chat) throws IOException {
    exchange = next;
    events = new EventScanner(next, chat);
    errorBody.reset();
    reader.restart();
    unsent = ByteBuffer.wrap(request);
    if (channel.isConnected()) {
      write();
    }
  }

  /** Goes on after the selector said that something is possible; true when the answer is whole. */
  boolean advance(ByteBuffer buffer, byte[] bytes, long at) throws IOException {
    now = at;
    if (key.isConnectable()) {
      channel.finishConnect();
      write();
    } else if (key.isWritable()) {
      write();
    }
    return key.isReadable() && read(buffer, bytes);
  }

  private void write() throws IOException {
    ByteBuffer rest = unsent;
    if (rest != null) {
      channel.write(rest);
      if (!rest.hasRemaining()) {
        unsent = null;
      }
    }
    key.interestOps(
        unsent == null ? SelectionKey.OP_READ : SelectionKey.OP_READ | SelectionKey.OP_WRITE);
  }

  private boolean read(ByteBuffer buffer, byte[] bytes) throws IOException {
    buffer.clear();
    int count = channel.read(buffer);
    if (count < 0) {
      reader.closed();
      if (exchange == null || !reader.complete()) {
        throw new IOException("the server closed the connection");
      }
      return true;
    }
    buffer.flip().get(bytes, 0, count);
    try {
      reader.accept(bytes, 0, count, this::body);
    } catch (ResponseReader.Malformed e) {
      throw new IOException("the server does not speak HTTP/1.1: " + e.getMessage(), e);
    }
    return reader.complete();
  }

  private void body(byte[] bytes, int from, int to) {
    EventScanner scanner = events;
    if (scanner != null && reader.status() == 200) {
      scanner.accept(bytes, from, to, now);
    } else {
      errorBody.write(bytes, from, Math.min(to - from, ERROR_BYTES_MAX - errorBody.size()));
    }
  }

  /** Takes the finished exchange out, judged; the connection is idle from now on. */
  @Nullable Exchange finish() {
    Exchange finished = exchange;
    if (finished != null && reader.status() != 200) {
      finished.fail("status " + reader.status() + ": " + errorMessage());
    } else if (finished != null && !finished.done) {
      finished.fail("the answer ended after " + finished.arrivals + " tokens without [DONE]");
    }
    exchange = null;
    events = null;
    used = true;
    return finished;
  }

  boolean reusable() {
    return reader.reusable() && unsent == null;
  }

  /** Takes the exchange out unjudged. */
  @Nullable Exchange release() {
    Exchange released = exchange;
    exchange = null;
    return released;
  }

  void close() {
    key.cancel();
    try {
      channel.close();
    } catch (IOException _) {
      // The descriptor is freed all the same, and nobody waits for it any more.
    }
  }

  private String errorMessage() {
    String text = errorBody.toString(StandardCharsets.UTF_8);
    try {
      String message = EventScanner.errorIn(JSON.readTree(text));
      return message == null ? text : message;
    } catch (IOException e) {
      return text.isEmpty() ? "no body" : text.lines().findFirst().orElse("");
    }
  }
}
