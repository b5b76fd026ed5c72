package dev.flotilla.frontend;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.Rank;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.vertx.core.shareddata.Shareable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What is shown under {@code /metrics}, with the original's names, so that boards and scalers that
 * read those work unchanged; what the original lacks is prefixed {@code flotilla_}. All front-ends
 * of one Vert.x share one instance: each of them, whichever takes a scrape, shows what all have
 * served, and what the engines count themselves. Safe for use by several threads.
 */
final class FrontendMetrics implements Shareable {
  static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private final String model;
  private final Labelling labelling;
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final RequestSeries requests;
  private final EngineCounters counters = new EngineCounters();
  private final Gauge streams;
  private final Counter http;

  FrontendMetrics(String model, Labelling labelling) {
    this.model = model;
    this.labelling = labelling;
    requests = new RequestSeries(model, registry);
    streams =
        Gauge.builder()
            .name("flotilla_frontend_streams")
            .help("Streams that a front-end owns.")
            .labelNames("model_name", "frontend")
            .register(registry);
    http =
        Counter.builder()
            .name("http_requests")
            .help("HTTP requests answered.")
            .labelNames("handler", "method", "status")
            .register(registry);
    JvmMetrics.builder().register(registry);
  }

  /** An attempt after a stream's first goes to the engine. */
  void failover(Rank to) {
    requests.of(labelling.of(to)).failover();
  }

  /** A queued request left the engine for an idler one. */
  void moved(Rank from) {
    requests.of(labelling.of(from)).moved();
  }

  /** Tokens of a choice came. */
  void tokens(Choice choice, int count, long nowNanos) {
    RequestStream.Target target = choice.stream.servedBy();
    if (target != null && count > 0) {
      requests.of(labelling.of(target.rank())).tokens(choice, count, nowNanos);
    }
  }

  /** A choice has ended. */
  void ended(Choice choice, FinishReason reason) {
    RequestStream.Target target = choice.stream.servedBy();
    if (target != null) {
      requests.of(labelling.of(target.rank())).ended(choice, reason, System.nanoTime());
    }
  }

  /** A view came to one of the front-ends. */
  void engines(ClusterView view) {
    for (ClusterView.Engine engine : view.engines()) {
      String label = labelling.of(engine.rank());
      requests.of(label);
      LoadReport load = engine.load();
      if (load != null) {
        counters.add(label, load);
      }
    }
  }

  /** An HTTP request was answered. */
  void answered(String handler, String method, int status) {
    http.labelValues(handler, method, Integer.toString(status)).inc();
  }

  /** How many streams a front-end owns. */
  void streams(String frontend, int live) {
    streams.labelValues(model, frontend).set(live);
  }

  /** A front-end has ended. */
  void forget(String frontend) {
    streams.remove(model, frontend);
  }

  /**
   * All series as Prometheus reads them.
   *
   * @param fresh the engines, with the freshest report of each
   */
  byte[] scrape(ClusterView fresh) {
    List<MetricSnapshot> all =
        new ArrayList<>(EngineSeries.of(model, fresh, labelling, counters.sums()));
    registry.scrape().forEach(all::add);
    try (ByteArrayOutputStream out = new ByteArrayOutputStream(32_768)) {
      PrometheusTextFormatWriter.create().write(out, new MetricSnapshots(all));
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
