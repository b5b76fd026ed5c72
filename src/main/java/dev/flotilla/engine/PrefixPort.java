package dev.flotilla.engine;

import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.scheduler.PrefixContents;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes what one rank's prefix cache gains and loses to those that follow it, at most once in
 * {@value #GAP_MS} ms, and sends snapshots to those that ask. Used by the port's thread.
 */
final class PrefixPort {
  private static final Logger LOG = LoggerFactory.getLogger(PrefixPort.class);

  /** Short against the prefill that makes the blocks. */
  private static final long GAP_MS = 10;

  private final Bus bus;
  private final Identity identity;
  private final PrefixFeed feed;
  private final ReportPort reports;
  private final Supplier<Place> place;
  private final Loop loop;
  private final Pacer pacer;
  private final Set<FrontendId> asking = new LinkedHashSet<>();

  /** Which rank the engine has, and under which epoch; only used once it has one. */
  record Place(Rank rank, Epoch epoch) {}

  /**
   * The step loop as this port needs it.
   *
   * @param port runs on the port's thread
   */
  record Loop(Inbox inbox, Executor port) {
    /** Reads the cache between two steps; false if the loop takes nothing now. */
    boolean read(Consumer<PrefixContents> reader) {
      return inbox.offer(
          Inbox.Command.Call.of(
              scheduler -> {
                PrefixContents contents = scheduler.prefixes();
                port.execute(() -> reader.accept(contents));
              }));
    }
  }

  PrefixPort(
      Bus bus,
      Identity identity,
      PrefixFeed feed,
      ReportPort reports,
      Supplier<Place> place,
      Loop loop,
      Pacer.Later later) {
    this.bus = bus;
    this.identity = identity;
    this.feed = feed;
    this.reports = reports;
    this.place = place;
    this.loop = loop;
    this.pacer = new Pacer(GAP_MS, this::publish, later, System::nanoTime);
  }

  /** A step has ended. */
  void look() {
    if (feed.waits()) {
      pacer.request();
    }
  }

  /** A front-end wants all; those that ask while the cache is read get the same answer. */
  void asked(FrontendId from) {
    boolean first = asking.isEmpty();
    asking.add(from);
    if (first && !loop.read(this::answer)) {
      asking.clear(); // They ask again.
    }
  }

  private void answer(PrefixContents contents) {
    Place now = place.get();
    List<ToFrontend.PrefixChange> pieces =
        PrefixFeed.snapshot(contents, now.rank(), identity.incarnation(), now.epoch());
    for (FrontendId frontend : asking) {
      reports.follows(frontend);
      pieces.forEach(piece -> send(frontend, piece));
    }
    asking.clear();
  }

  private void publish() {
    Place now = place.get();
    ToFrontend.PrefixChange change = feed.take(now.rank(), identity.incarnation(), now.epoch());
    if (change != null) {
      reports.followers().forEach(frontend -> send(frontend, change));
    }
  }

  private void send(FrontendId frontend, ToFrontend.PrefixChange change) {
    bus.send(Addresses.frontend(frontend), change)
        .onFailure(
            failure -> {
              LOG.debug("{} does not follow any more: {}", frontend, failure.getMessage());
              reports.lost(frontend);
            });
  }
}
