package dev.flotilla.engine;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.protocol.ToFrontend;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells one rank's load: to every front-end and to the coordinator when work comes, when a step
 * begins and when the rank falls idle, as far as its {@link Audience} can afford it. Reports ride
 * on tokens where they can; messages of their own go only to those that no report rode to. Under
 * the original's two policies the coordinator is told what the original's is, the scheduler's
 * counts at each step, and nobody else needs a report. Used by the port's thread.
 *
 * <p>Source: the live reports of the reference "let@event"; the original reports after each step.
 */
final class ReportPort {
  private static final Logger LOG = LoggerFactory.getLogger(ReportPort.class);

  /** Under the original's policies front-ends need none, and short steps are reported at once. */
  private static final long SNAPSHOT_GAP_MS = 5;

  /** A front-end that has heard nothing for so long is told that the engine lives. */
  private static final long SILENT_NANOS = 500_000_000;

  private final Bus bus;
  private final CoordinatorPort coordinator;
  private final LoadGauge gauge;
  private final Supplier<LoadReport> measure;
  private final Audience audience = new Audience(System.nanoTime());
  private final Pacer toFrontends;
  private final Pacer toCoordinator;
  private boolean connected;
  private boolean external; // Nobody balances by what the coordinator is told: beats suffice.
  private LoadBalancing policy = LoadBalancing.FLOTILLA;

  /**
   * A reporter that is not connected yet.
   *
   * @param measure the load now; called only once the rank is known
   */
  ReportPort(
      Bus bus,
      CoordinatorPort coordinator,
      LoadGauge gauge,
      Supplier<LoadReport> measure,
      Pacer.Later later) {
    this.bus = bus;
    this.coordinator = coordinator;
    this.gauge = gauge;
    this.measure = measure;
    toFrontends = new Pacer(Audience.GAP_MS, this::tellFrontends, later, System::nanoTime);
    toCoordinator =
        new Pacer(Audience.COORDINATOR_GAP_MS, this::tellCoordinator, later, System::nanoTime);
  }

  /** The coordinator has let the engine in. */
  void admitted(ToEngine.Init init) {
    if (init.joins() && !connected) {
      LOG.info("rank {} joins a group that serves already", init.rank());
    }
    external = init.parallel().balancing() == Balancing.EXTERNAL;
    policy = init.parallel().policy();
    toCoordinator.gap(policy.bySnapshots() ? SNAPSHOT_GAP_MS : Audience.COORDINATOR_GAP_MS);
    init.frontends().forEach(audience::add);
  }

  /** Whether the rank is known to the coordinator. */
  void connected(boolean now) {
    connected = now;
  }

  /** A front-end follows the prefix cache and the load. */
  void follows(FrontendId frontend) {
    audience.wantsPrefixes(frontend);
    toFrontends.request();
  }

  /** Those that follow the prefix cache. */
  List<FrontendId> followers() {
    return audience.prefixed();
  }

  /** Work has come, and its sender waits to hear that it has. */
  void received(FrontendId from) {
    audience.received(from);
    toFrontends.request();
    if (!policy.bySnapshots()) {
      toCoordinator.request();
    }
  }

  /**
   * A step has begun or ended; before the tokens of it are sent.
   *
   * @param work whether work has gone otherwise, or none is left
   */
  void stepped(boolean work) {
    if (work) {
      audience.changed();
    } else {
      audience.stepped();
    }
  }

  /** Tokens go to a front-end, and this report with them; null if none is due. */
  @Nullable LoadReport riding(FrontendId frontend) {
    boolean rides = audience.rides(frontend, System.nanoTime());
    return rides ? measure.get().toFrontend(frontend) : null;
  }

  /** After the tokens have been sent: all others are told. */
  void settled() {
    if (connected) {
      toFrontends.request();
      toCoordinator.request();
    }
  }

  /** A front-end cannot be reached. */
  void lost(FrontendId frontend) {
    audience.remove(frontend);
  }

  /** The heartbeat, with all that was done since the start. */
  void beat() {
    if (!connected) {
      return;
    }
    gauge.renew();
    coordinator.load(gauge.withTotals(counted(measure.get())));
    if (policy == LoadBalancing.FLOTILLA) {
      tell(audience.silentFor(SILENT_NANOS, System.nanoTime()));
    }
  }

  private void tellFrontends() {
    tell(audience.due(System.nanoTime(), policy == LoadBalancing.FLOTILLA));
  }

  private void tell(List<FrontendId> frontends) {
    if (frontends.isEmpty()) {
      return;
    }
    LoadReport load = measure.get();
    for (FrontendId frontend : frontends) {
      bus.send(Addresses.frontend(frontend), new ToFrontend.Load(load.toFrontend(frontend)))
          .onFailure(
              failure -> {
                LOG.debug("{} is gone: {}", frontend, failure.getMessage());
                lost(frontend);
              });
    }
  }

  private void tellCoordinator() {
    if (connected && !external) {
      audience.pay(System.nanoTime());
      coordinator.load(counted(measure.get()));
    }
  }

  /** What lies in the inbox is not yet known to the original's scheduler. */
  private LoadReport counted(LoadReport load) {
    return policy.bySnapshots() ? load.withWaiting(load.waiting() - gauge.inInbox()) : load;
  }
}
