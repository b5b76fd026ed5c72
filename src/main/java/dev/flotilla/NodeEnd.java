package dev.flotilla;

import dev.flotilla.frontend.FrontendVerticle;
import dev.flotilla.launch.NodeAgentVerticle;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of a node, in order: its front-ends take nothing new and finish what they have, its
 * engines what other nodes' front-ends have with them; what takes longer ends with {@code abort}.
 * Then engines, front-ends and coordinator stop, and the node leaves its cluster. Every wait has a
 * deadline, and so has the whole; what is left then is killed.
 */
final class NodeEnd {
  private static final Logger LOG = LoggerFactory.getLogger(NodeEnd.class);

  /** For everything that is not draining: goodbyes, last bytes, leaving the cluster. */
  private static final long ORDER_MS = 4_500;

  /** Engines are stopped first, and the rest needs some of the time. */
  private static final long ENGINES_MS = 2_500;

  /** Nobody waits for goodbyes when the node has failed. */
  private static final long ABRUPT_MS = 700;

  /** Between a drain's end and its news. */
  private static final long NEWS_MS = 200;

  private final Vertx vertx;
  private final PartGuard guard;
  private final NodeAgentVerticle agent;
  private final Map<Integer, FrontendVerticle> frontends;
  private final AtomicBoolean begun = new AtomicBoolean();
  private final CountDownLatch hurried = new CountDownLatch(1);
  private final Semaphore news = new Semaphore(0);
  private volatile boolean abrupt;

  NodeEnd(
      Vertx vertx,
      PartGuard guard,
      NodeAgentVerticle agent,
      Map<Integer, FrontendVerticle> frontends) {
    this.vertx = vertx;
    this.guard = guard;
    this.agent = agent;
    this.frontends = frontends;
  }

  /** From now on nothing is waited for that can be left behind. */
  void abrupt() {
    abrupt = true;
  }

  /** Ends a drain that is under way. */
  void hurry() {
    LOG.warn("asked to end a second time: what runs is aborted");
    hurried.countDown();
    news.release();
  }

  /**
   * Ends the node; returns when it has. A second call does nothing.
   *
   * @param drainMs that running requests get; 0: they are aborted
   * @param agentId deployment of the agent, if it came that far
   */
  void run(long drainMs, @Nullable String agentId) {
    if (!begun.compareAndSet(false, true)) {
      return;
    }
    guard.close();
    long began = System.nanoTime();
    long drain = abrupt ? 0 : drainMs;
    try {
      drainFrontends(drain);
      long left = drain - (System.nanoTime() - began) / 1_000_000;
      if (left > 0 && hurried.getCount() > 0) {
        waitPatiently(agent.drain(left), left);
      }
      stop(agentId);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      agent.kill();
    }
  }

  private void drainFrontends(long drainMs) throws InterruptedException {
    Future<?> drained =
        Future.join(frontends.values().stream().map(f -> f.drain(drainMs)).toList());
    waitPatiently(drained, drainMs + NEWS_MS);
    if (!drained.isComplete()) {
      wait(Future.join(frontends.values().stream().map(f -> f.drain(0)).toList()), NEWS_MS);
    }
  }

  private void stop(@Nullable String agentId) throws InterruptedException {
    long deadline = System.nanoTime() + (abrupt ? ABRUPT_MS : ORDER_MS) * 1_000_000;
    if (abrupt) {
      agent.kill();
    } else if (agentId != null && vertx.deploymentIDs().contains(agentId)) {
      wait(vertx.undeploy(agentId), ENGINES_MS);
    }
    wait(vertx.close(), Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
  }

  /** Waits until it is done, the time is over, or somebody asks for the end a second time. */
  private void waitPatiently(Future<?> done, long ms) throws InterruptedException {
    done.onComplete(ignored -> news.release());
    long deadline = System.nanoTime() + ms * 1_000_000;
    while (!done.isComplete() && hurried.getCount() > 0) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return;
      }
      // Wakes up for either; whatever woke it, the loop looks again.
      news.tryAcquire(left, TimeUnit.NANOSECONDS);
    }
  }

  private static void wait(Future<?> done, long ms) throws InterruptedException {
    CountDownLatch latch = new CountDownLatch(1);
    done.onComplete(ignored -> latch.countDown());
    if (!latch.await(ms, TimeUnit.MILLISECONDS)) {
      LOG.debug("went on after {} ms without waiting for the end of a part", ms);
    }
  }
}
