package dev.flotilla.collective;

import dev.flotilla.model.ModelException;
import dev.flotilla.protocol.Endpoint;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;

/**
 * The socket at which a rank takes the connections of its group. It is bound before the handshake,
 * which tells the others where it is, and lasts over generations.
 */
public final class Door implements AutoCloseable {
  /** More than the ranks of a group that can connect at a time, and some that are gone. */
  private static final int BACKLOG = 256;

  private final ServerSocketChannel channel;
  private final Endpoint endpoint;

  private Door(ServerSocketChannel channel, Endpoint endpoint) {
    this.channel = channel;
    this.endpoint = endpoint;
  }

  /**
   * Binds.
   *
   * @param host as the other ranks reach this one; loopback unless they are on other machines
   * @param port 0: any free one
   * @throws ModelException with a sentence if it cannot be bound
   */
  public static Door open(String host, int port) {
    ServerSocketChannel channel = null;
    try {
      channel = ServerSocketChannel.open();
      channel.configureBlocking(false);
      channel.bind(new InetSocketAddress(host, port), BACKLOG);
      int bound = ((InetSocketAddress) channel.getLocalAddress()).getPort();
      return new Door(channel, new Endpoint(host, bound));
    } catch (IOException | RuntimeException e) {
      Sockets.close(channel);
      throw new ModelException(
          "the ranks' exchange cannot listen on %s:%d (%s); name an address of this machine and a free port"
              .formatted(host, port, e.getMessage()),
          e);
    }
  }

  /** Where it is. */
  public Endpoint endpoint() {
    return endpoint;
  }

  ServerSocketChannel channel() {
    return channel;
  }

  @Override
  public void close() {
    Sockets.close(channel);
  }
}
