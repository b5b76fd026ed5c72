package dev.flotilla.launch;

import java.util.concurrent.CompletionStage;

/**
 * One engine of this node that runs somewhere: as worker verticles of this JVM ({@link
 * VerticleProcess}) or in a JVM of its own ({@link ChildProcess}). Stages may complete on any
 * thread.
 */
interface EngineProcess {
  /** As the original calls it. */
  String name();

  /**
   * Completes once its model is loaded; fails with the sentence of what it cannot do, in which case
   * another try would fail as well, or with {@link Ended} if it died before.
   */
  CompletionStage<Void> started();

  /** Completes once, whenever and however it ends; never fails. */
  CompletionStage<EngineEnd> ended();

  /** Has it end what runs, say goodbye and end. */
  void stop();

  /** Ends it at once, with all that it has started. */
  void kill();

  /** The engine died before it had started. */
  final class Ended extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient EngineEnd end;

    Ended(EngineEnd end) {
      super(end.sentence() + " before it was ready");
      this.end = end;
    }

    EngineEnd end() {
      return end;
    }
  }
}
