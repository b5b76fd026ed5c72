package dev.flotilla.collective;

import dev.flotilla.model.Parcel;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The connection to one other member, which never blocks: in an exchange one frame goes out and one
 * comes in. It reads no byte beyond that frame, since a faster member's next one may lie behind it.
 */
final class Link {
  private static final Parcel NOTHING = new Parcel();

  private final SocketChannel channel;
  private final SelectionKey key;
  private final ByteBuffer head =
      ByteBuffer.allocateDirect(Frame.HEAD).order(ByteOrder.LITTLE_ENDIAN);
  private final Parcel parcel = new Parcel();
  private ByteBuffer body = ByteBuffer.allocateDirect(0).order(ByteOrder.LITTLE_ENDIAN);
  private ByteBuffer out = ByteBuffer.allocateDirect(0).order(ByteOrder.LITTLE_ENDIAN);
  private @Nullable Frame frame;
  private boolean received;

  Link(SocketChannel channel, SelectionKey key) {
    this.channel = channel;
    this.key = key;
  }

  /** Begins to send one frame and to expect one. */
  void begin(Frame sent, Parcel content) {
    send(sent, content);
    expect();
  }

  /** Begins to send one frame; what was to be sent before must be out. */
  void send(Frame sent, Parcel content) {
    out = sent.write(out, content);
  }

  void send(Frame sent) {
    send(sent, NOTHING);
  }

  /** Begins to expect one frame. */
  void expect() {
    head.clear();
    frame = null;
    received = false;
  }

  /** Sends and receives as much as goes without waiting; whether both frames are through. */
  boolean advance() throws IOException {
    write();
    return read() && !out.hasRemaining();
  }

  /** Sends as much as goes; whether all is out. */
  boolean write() throws IOException {
    while (out.hasRemaining() && channel.write(out) > 0) {
      // Until the socket takes no more.
    }
    return !out.hasRemaining();
  }

  /** Receives as much as has come, up to the frame's end; whether it is whole. */
  boolean read() throws IOException {
    if (received) {
      return true;
    }
    Frame known = frame;
    if (known == null) {
      if (!fill(head)) {
        return false;
      }
      known = Frame.read(head);
      frame = known;
      body = Frame.room(body, known.bodyBytes());
      body.limit(known.bodyBytes());
    }
    if (!fill(body)) {
      return false;
    }
    known.body(body, parcel);
    received = true;
    return true;
  }

  private boolean fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      int count = channel.read(buffer);
      if (count < 0) {
        throw new EOFException("the connection has ended");
      }
      if (count == 0) {
        return false;
      }
    }
    return true;
  }

  /** Has the selector wake for what is still to be done. */
  void interest() {
    int read = received ? 0 : SelectionKey.OP_READ;
    key.interestOps(read | (out.hasRemaining() ? SelectionKey.OP_WRITE : 0));
  }

  /** Whether the whole frame has come. */
  boolean received() {
    return received;
  }

  /** The head of the received frame. */
  Frame frame() {
    return Objects.requireNonNull(frame, "nothing was received");
  }

  /** What came with it; kept until the next frame. */
  Parcel parcel() {
    return parcel;
  }

  SelectionKey key() {
    return key;
  }

  /** Says, if there is room, why nothing more will come, and that nothing will. */
  void farewell(Frame last, Parcel why) {
    try {
      if (write()) {
        send(last, why);
        write();
      }
      channel.shutdownOutput();
    } catch (IOException e) {
      close();
    }
  }

  void close() {
    key.cancel();
    Sockets.close(channel);
  }
}
