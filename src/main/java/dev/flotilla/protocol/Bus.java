package dev.flotilla.protocol;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.spi.cluster.ClusterManager;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The typed sender and receiver over one Vert.x event bus. Delivery is best effort: whoever needs
 * to know repeats until an acknowledgement of ours comes. A send never waits for a reply, since
 * {@code request} hangs to its timeout when the peer is gone, while {@code write} fails at once.
 */
public final class Bus {
  private final EventBus events;
  private final NodeId node;

  private Bus(EventBus events, NodeId node) {
    this.events = events;
    this.node = node;
  }

  /** The bus of a Vert.x instance; registers our codecs the first time. */
  public static Bus of(Vertx vertx) {
    EventBus events = vertx.eventBus();
    for (WireCodec<?> codec : WireCodec.ALL) {
      register(events, codec);
    }
    ClusterManager cluster = ((VertxInternal) vertx).clusterManager();
    return new Bus(events, new NodeId(cluster == null ? "local" : cluster.getNodeId()));
  }

  /** This node; {@code local} where there is no cluster. */
  public NodeId node() {
    return node;
  }

  /**
   * Sends to one receiver; fails within milliseconds when its node is gone or nobody listens.
   * Success says only that the message was handed to the connection.
   */
  public <M> Future<Void> send(Address<M> to, M message) {
    return events.<M>sender(to.name(), options(message)).write(message);
  }

  /** Sends to every receiver of a publish address. */
  public <M> void publish(Address<M> to, M message) {
    events.publish(to.name(), message, options(message));
  }

  /**
   * Receives on the caller's context; the future completes when every node can reach it. What
   * cannot be read, or is of another family, is counted, logged now and then, and dropped.
   */
  public <M> Future<Subscription> consume(Address<M> at, Consumer<M> receiver) {
    MessageConsumer<Object> consumer =
        events.consumer(at.name(), message -> deliver(at, message.body(), receiver));
    return consumer.completion().map(ignored -> consumer::unregister);
  }

  /** Frames that receivers of this JVM could not read and dropped. */
  public static long droppedFrames() {
    return BadFrame.dropped();
  }

  private static <M> void deliver(Address<M> at, @Nullable Object body, Consumer<M> receiver) {
    if (at.family().isInstance(body)) {
      receiver.accept(at.family().cast(body));
    } else {
      BadFrame bad =
          body instanceof BadFrame found
              ? found
              : new BadFrame(
                  new FrameException(
                      FrameException.Problem.TYPE,
                      "a " + at.family().getSimpleName(),
                      body == null ? "nothing" : body.getClass().getSimpleName()));
      bad.drop(at.name());
    }
  }

  private static void register(EventBus events, WireCodec<?> codec) {
    try {
      events.registerCodec(codec);
    } catch (IllegalStateException registeredAlready) {
      // Another verticle of this Vert.x came first, and the codec has no state: nothing to do.
    }
  }

  private static DeliveryOptions options(Object message) {
    return new DeliveryOptions().setCodecName(WireCodec.of(message).name());
  }

  /** A registered receiver. */
  public interface Subscription {
    /** Stops receiving. */
    Future<Void> unregister();
  }
}
