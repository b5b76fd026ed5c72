package dev.flotilla.protocol;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageCodec;
import java.util.List;

/**
 * One codec per family of messages. The frame is its own length-prefixed stretch of the bus
 * message; local delivery hands over the same immutable object. A frame that cannot be read becomes
 * a {@link BadFrame}, which the receiver counts and drops: nothing is thrown on an event loop.
 */
final class WireCodec<M> implements MessageCodec<M, Object> {
  static final WireCodec<ToEngine> ENGINE = new WireCodec<>("fe", ToEngine.class);
  static final WireCodec<ToCoordinator> COORDINATOR = new WireCodec<>("fc", ToCoordinator.class);
  static final WireCodec<ToFrontend> FRONTEND = new WireCodec<>("ff", ToFrontend.class);
  static final WireCodec<ToNode> NODE = new WireCodec<>("fn", ToNode.class);
  static final List<WireCodec<?>> ALL = List.of(ENGINE, COORDINATOR, FRONTEND, NODE);

  private final String name;
  private final Class<M> family;

  private WireCodec(String name, Class<M> family) {
    this.name = name;
    this.family = family;
  }

  static WireCodec<?> of(Object message) {
    return switch (message) {
      case ToEngine _ -> ENGINE;
      case ToCoordinator _ -> COORDINATOR;
      case ToFrontend _ -> FRONTEND;
      case ToNode _ -> NODE;
      default ->
          throw new IllegalArgumentException("no codec for " + message.getClass().getSimpleName());
    };
  }

  @Override
  public void encodeToWire(Buffer buffer, M message) {
    byte[] frame = Frames.encode(message);
    buffer.appendIntLE(frame.length).appendBytes(frame);
  }

  @Override
  public Object decodeFromWire(int position, Buffer buffer) {
    try {
      int left = buffer.length() - position - 4;
      int length = left < 0 ? -1 : buffer.getIntLE(position);
      if (length < 0 || length > left) {
        throw new FrameException(
            FrameException.Problem.TRUNCATED, "a frame of " + length + " bytes", left + " bytes");
      }
      return Frames.decode(family, buffer.getBytes(position + 4, position + 4 + length));
    } catch (FrameException e) {
      return new BadFrame(e);
    }
  }

  @Override
  public Object transform(M message) {
    return message;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public byte systemCodecID() {
    return -1;
  }
}
