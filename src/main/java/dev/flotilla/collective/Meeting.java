package dev.flotilla.collective;

import dev.flotilla.model.CollectiveException;
import dev.flotilla.model.CollectiveException.Kind;
import dev.flotilla.model.Parcel;
import dev.flotilla.protocol.Endpoint;
import dev.flotilla.protocol.Generation;
import dev.flotilla.protocol.Rank;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Connects one member to all others of its generation, on the calling thread: it opens the
 * connections to those before it in the list and takes those of the rest at its door. Each side
 * names its member list first; a connection of another generation is told so and closed, and who
 * opened it tries again, since the other side may not know the new list yet.
 */
final class Meeting {
  private static final long RETRY_NANOS = 20_000_000;
  private static final int CALLERS_MAX = 1024;

  private final Door door;
  private final Generation generation;
  private final long fingerprint;
  private final int own;
  private final Selector selector;
  private final BooleanSupplier wanted;
  private final @Nullable Link[] links; // by member: welcomed
  private final @Nullable Link[] opening; // by member: said HELLO, or is connecting
  private final long[] retryAt;
  private final boolean[] strangers; // by member: answered with another list
  private final List<Link> callers = new ArrayList<>();

  Meeting(Door door, Generation generation, int own, Selector selector, BooleanSupplier wanted) {
    this.wanted = wanted;
    this.door = door;
    this.generation = generation;
    this.fingerprint = generation.fingerprint();
    this.own = own;
    this.selector = selector;
    int size = generation.size();
    this.links = new Link[size];
    this.opening = new Link[size];
    this.retryAt = new long[size];
    this.strangers = new boolean[size];
  }

  /**
   * The links to the others, by member; null at its own place.
   *
   * @throws CollectiveException if some did not come in time
   */
  @Nullable Link[] links(long deadlineNanos) throws IOException {
    long start = System.nanoTime();
    SelectionKey visitors = door.channel().register(selector, SelectionKey.OP_ACCEPT);
    try {
      for (int i = 0; i < own; i++) {
        retryAt[i] = start;
      }
      while (true) {
        advance();
        List<Rank> missing = missing();
        if (missing.isEmpty()) {
          return links;
        }
        if (!wanted.getAsBoolean()) {
          throw new CollectiveException(
              Kind.CLOSED,
              List.of(),
              "rank %s gave generation %d up while it met the others"
                  .formatted(generation.rank(own), generation.number()));
        }
        long left = start + deadlineNanos - System.nanoTime();
        if (left <= 0 || Thread.currentThread().isInterrupted()) {
          throw failure(missing, deadlineNanos);
        }
        selector.select(Math.clamp(left / 1_000_000, 1, RETRY_NANOS / 1_000_000));
        selector.selectedKeys().clear();
      }
    } catch (IOException | RuntimeException e) {
      closeAll(links);
      throw e;
    } finally {
      visitors.cancel();
      closeAll(opening);
      callers.forEach(Link::close);
    }
  }

  private void advance() throws IOException {
    for (int i = 0; i < own; i++) {
      if (links[i] == null) {
        open(i);
      }
    }
    SocketChannel visitor = door.channel().accept();
    while (visitor != null) {
      if (callers.size() < CALLERS_MAX) {
        Link caller = link(visitor, SelectionKey.OP_READ);
        caller.expect();
        callers.add(caller);
      } else {
        Sockets.close(visitor);
      }
      visitor = door.channel().accept();
    }
    callers.removeIf(this::admitted);
  }

  private void open(int member) {
    Link link = opening[member];
    try {
      if (link == null) {
        if (System.nanoTime() - retryAt[member] >= 0) {
          opening[member] = call(member);
        }
        return;
      }
      SocketChannel channel = (SocketChannel) link.key().channel();
      if (!channel.isConnected() && !channel.finishConnect()) {
        return;
      }
      if (!link.advance()) {
        link.interest();
        return;
      }
      Frame answer = link.frame();
      if (answer.kind() == Frame.Kind.WELCOME && answer.fingerprint() == fingerprint) {
        welcome(member, link);
        opening[member] = null;
      } else {
        strangers[member] = true;
        again(member);
      }
    } catch (IOException | IllegalArgumentException e) {
      again(member); // Not there yet, or gone; the deadline decides.
    }
  }

  private void again(int member) {
    Link link = opening[member];
    if (link != null) {
      link.close();
    }
    opening[member] = null;
    retryAt[member] = System.nanoTime() + RETRY_NANOS;
  }

  private Link call(int member) throws IOException {
    Endpoint endpoint = generation.members().get(member).endpoint();
    if (endpoint == null) {
      throw new CollectiveException(
          Kind.WRONG_GENERATION,
          List.of(generation.rank(member)),
          "rank %s has told no socket for the ranks' exchange".formatted(generation.rank(member)));
    }
    SocketChannel channel = SocketChannel.open();
    try {
      Link link = link(channel, SelectionKey.OP_CONNECT);
      channel.connect(new InetSocketAddress(endpoint.host(), endpoint.port()));
      link.begin(Frame.bare(Frame.Kind.HELLO, own, fingerprint), new Parcel());
      return link;
    } catch (IOException | RuntimeException e) {
      Sockets.close(channel);
      throw e;
    }
  }

  private Link link(SocketChannel channel, int interest) throws IOException {
    channel.configureBlocking(false);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    return new Link(channel, channel.register(selector, interest));
  }

  /** Whether a caller is done with: taken as a member's link, or turned away. */
  private boolean admitted(Link caller) {
    try {
      if (!caller.read()) {
        return false;
      }
      Frame hello = caller.frame();
      int member = hello.sender();
      caller.send(Frame.bare(Frame.Kind.WELCOME, own, fingerprint));
      boolean expected =
          hello.kind() == Frame.Kind.HELLO
              && hello.fingerprint() == fingerprint
              && hello.bodyBytes() == 0
              && member > own
              && member < links.length;
      // An answer of 32 bytes fits into the buffer of a socket that nothing was written to.
      if (!caller.write() || !expected) {
        if (member < strangers.length) {
          strangers[member] = true;
        }
        caller.close();
        return true;
      }
      Link before = links[member];
      if (before != null) {
        before.close();
      }
      welcome(member, caller);
      return true;
    } catch (IOException | IllegalArgumentException e) {
      caller.close();
      return true;
    }
  }

  private void welcome(int member, Link link) {
    link.interest(); // None: its first parcel may come before the last member, and must not wake
    // us.
    links[member] = link;
  }

  private List<Rank> missing() {
    List<Rank> missing = new ArrayList<>();
    for (int i = 0; i < links.length; i++) {
      if (i != own && links[i] == null) {
        missing.add(generation.rank(i));
      }
    }
    return missing;
  }

  private CollectiveException failure(List<Rank> missing, long deadlineNanos) {
    boolean all = true;
    for (Rank rank : missing) {
      all &= strangers[generation.indexOf(rank)];
    }
    Kind kind = all ? Kind.WRONG_GENERATION : Kind.STALLED;
    return new CollectiveException(
        kind,
        missing,
        "rank %s, generation %d: ranks %s %s within %d ms"
            .formatted(
                generation.rank(own),
                generation.number(),
                missing,
                all ? "named only other member lists" : "did not connect",
                deadlineNanos / 1_000_000));
  }

  private static void closeAll(@Nullable Link[] links) {
    for (Link link : links) {
      if (link != null) {
        link.close();
      }
    }
  }
}
