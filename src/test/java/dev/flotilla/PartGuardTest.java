package dev.flotilla;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Verticles that end or hang, and what takes their place. */
class PartGuardTest {
  private final Vertx vertx = Vertx.vertx();
  private final PartGuard guard = new PartGuard(vertx, 1_000);
  private final List<Part> started = new CopyOnWriteArrayList<>();
  private final CountDownLatch hang = new CountDownLatch(1);

  private final class Part extends VerticleBase {
    @Override
    public Future<?> start() {
      started.add(this);
      return Future.succeededFuture(config().getInteger("index"));
    }

    void end() {
      vertx.undeploy(deploymentID());
    }

    void hang() {
      context.runOnContext(
          ignored -> {
            try {
              hang.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
    }
  }

  private void deploy(String name) throws Exception {
    guard
        .deploy(name, Part::new, () -> "{\"index\":1}")
        .toCompletionStage()
        .toCompletableFuture()
        .get(20, TimeUnit.SECONDS);
  }

  @AfterEach
  void close() throws Exception {
    hang.countDown();
    vertx.close().toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private void awaitStarted(int count) {
    await().atMost(20, TimeUnit.SECONDS).until(() -> started.size() == count);
  }

  @Test
  void aPartThatEndsIsReplacedAndTheOthersAreLeftAlone() throws Exception {
    deploy("ApiServer_0");
    deploy("ApiServer_1");
    started.get(1).end();
    awaitStarted(3);
    guard.close();
    started.get(2).end();
    await().atMost(20, TimeUnit.SECONDS).until(() -> vertx.deploymentIDs().size() == 1);
    assertEquals(3, started.size(), "nothing is replaced while the node ends");
  }

  @Test
  void aPartWhoseEventLoopHangsIsReplaced() throws Exception {
    deploy("Coordinator");
    started.get(0).hang();
    awaitStarted(2);
  }
}
