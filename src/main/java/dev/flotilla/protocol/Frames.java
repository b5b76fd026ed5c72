package dev.flotilla.protocol;

import dev.flotilla.protocol.FrameException.Problem;

/**
 * Messages as bytes, little-endian: version u8, type u8, epoch u64 (0 where the message has none),
 * body. Hot messages have a binary body, column by column; rare ones JSON. Every switch is
 * exhaustive, so that a new message does not compile until it has a layout.
 */
final class Frames {
  /** Of every frame that this build writes, and the only one that it reads. */
  static final int VERSION = 1;

  private static final int HEADER_BYTES = 10;

  private Frames() {}

  static byte[] encode(Object message) {
    return switch (message) {
      case ToEngine m -> encode(m);
      case ToCoordinator m -> encode(m);
      case ToFrontend m -> encode(m);
      case ToNode m -> encode(m);
      default ->
          throw new IllegalArgumentException("no layout for " + message.getClass().getName());
    };
  }

  /**
   * Reads a frame of the given family.
   *
   * @throws FrameException whatever is wrong with it
   */
  static <M> M decode(Class<M> family, byte[] frame) {
    FrameReader in = new FrameReader(frame);
    int version = in.u8();
    if (version != VERSION) {
      throw new FrameException(
          Problem.VERSION, "protocol version " + VERSION, Integer.toString(version));
    }
    FrameType type = FrameType.of(in.u8());
    if (!family.isAssignableFrom(type.message)) {
      throw new FrameException(Problem.TYPE, "a " + family.getSimpleName(), type.toString());
    }
    long epoch = in.i64();
    try {
      // The records refuse what no message may say; their sentence becomes the frame's.
      M message = family.cast(body(type, Epoch.of(epoch), in));
      in.end();
      return message;
    } catch (IllegalArgumentException e) {
      throw new FrameException(Problem.BODY, type.toString(), String.valueOf(e.getMessage()));
    }
  }

  private static FrameWriter start(FrameType type, Epoch epoch, int capacity) {
    FrameWriter out = new FrameWriter(HEADER_BYTES + capacity);
    out.u8(VERSION);
    out.u8(type.id);
    out.i64(epoch.packed());
    return out;
  }

  private static byte[] encode(ToEngine message) {
    FrameType type = FrameType.of(message);
    return switch (message) {
      case ToEngine.Submit submit -> {
        int ids = submit.prompt().size() + submit.delivered().size();
        FrameWriter out = start(type, submit.epoch(), 192 + 4 * ids);
        WorkLayout.write(submit, out);
        yield out.toBytes();
      }
      case ToEngine.Abort abort -> {
        FrameWriter out = start(type, Epoch.NONE, 64);
        WorkLayout.write(abort, out);
        yield out.toBytes();
      }
      case ToEngine.Init init -> json(type, init.epoch(), init);
      case ToEngine.Welcome welcome -> json(type, welcome.epoch(), welcome);
      case ToEngine.HandOver order -> json(type, order.epoch(), order);
      case ToEngine.Refused _,
          ToEngine.Decline _,
          ToEngine.WhoIsThere _,
          ToEngine.Ping _,
          ToEngine.Pong _,
          ToEngine.Drain _,
          ToEngine.Utility _,
          ToEngine.Pacing _,
          ToEngine.GroupOrder _,
          ToEngine.PrefixSnapshot _ ->
          json(type, Epoch.NONE, message);
    };
  }

  private static byte[] encode(ToCoordinator message) {
    FrameType type = FrameType.of(message);
    return switch (message) {
      case ToCoordinator.Load load -> load(type, load.load());
      case ToCoordinator.Ready ready -> json(type, ready.epoch(), ready);
      case ToCoordinator.Hello _,
          ToCoordinator.Leaving _,
          ToCoordinator.FrontendHello _,
          ToCoordinator.NodeHello _,
          ToCoordinator.NodeLeft _,
          ToCoordinator.Leading _,
          ToCoordinator.Nodes _,
          ToCoordinator.Choose _,
          ToCoordinator.Paused _,
          ToCoordinator.FromMember _,
          ToCoordinator.FromAgent _ ->
          json(type, Epoch.NONE, message);
    };
  }

  private static byte[] encode(ToFrontend message) {
    FrameType type = FrameType.of(message);
    return switch (message) {
      case ToFrontend.Tokens tokens -> {
        FrameWriter out = start(type, tokens.from().epoch(), TokensLayout.capacity(tokens));
        TokensLayout.write(tokens, out);
        yield out.toBytes();
      }
      case ToFrontend.Load load -> load(type, load.load());
      case ToFrontend.Refusal refusal -> json(type, refusal.epoch(), refusal);
      case ToFrontend.Offer offer -> json(type, offer.from().epoch(), offer);
      case ToFrontend.PrefixChange change -> {
        FrameWriter out = start(type, change.epoch(), PrefixLayout.capacity(change));
        PrefixLayout.write(change, out);
        yield out.toBytes();
      }
      case ToFrontend.View _,
          ToFrontend.Ping _,
          ToFrontend.Pong _,
          ToFrontend.UtilityAnswer _,
          ToFrontend.Chosen _ ->
          json(type, Epoch.NONE, message);
    };
  }

  private static byte[] encode(ToNode message) {
    return switch (message) {
      case ToNode.StartEngine _, ToNode.StopEngine _, ToNode.Order _ ->
          json(FrameType.of(message), Epoch.NONE, message);
    };
  }

  private static byte[] load(FrameType type, LoadReport load) {
    FrameWriter out = start(type, load.epoch(), 160 + 48 * load.acks().size());
    LoadLayout.write(load, out);
    return out.toBytes();
  }

  private static byte[] json(FrameType type, Epoch epoch, Object message) {
    FrameWriter out = start(type, epoch, 256);
    JsonBody.write(message, out);
    return out.toBytes();
  }

  private static Object body(FrameType type, Epoch epoch, FrameReader in) {
    return switch (type) {
      case SUBMIT -> WorkLayout.readSubmit(epoch, in);
      case ABORT -> WorkLayout.readAbort(in);
      case TOKENS -> TokensLayout.read(epoch, in);
      case COORDINATOR_LOAD -> new ToCoordinator.Load(LoadLayout.read(epoch, in));
      case PREFIX_CHANGE -> PrefixLayout.read(epoch, in);
      case FRONTEND_LOAD -> new ToFrontend.Load(LoadLayout.read(epoch, in));
      case INIT,
          WELCOME,
          REFUSED,
          WHO_IS_THERE,
          ENGINE_PING,
          ENGINE_PONG,
          DRAIN,
          UTILITY,
          HAND_OVER,
          DECLINE,
          PAUSE,
          RESUME,
          PAUSED,
          START_WAVE,
          REGROUP,
          WANT_WAVE,
          GROUP_BROKEN,
          HELLO,
          READY,
          LEAVING,
          FRONTEND_HELLO,
          NODE_HELLO,
          NODE_LEFT,
          LEADING,
          NODES,
          REFUSAL,
          VIEW,
          FRONTEND_PING,
          FRONTEND_PONG,
          UTILITY_ANSWER,
          OFFER,
          PREFIX_SNAPSHOT,
          CHOOSE,
          CHOSEN,
          START_ENGINE,
          STOP_ENGINE,
          NODE_REPORT,
          LEASE_REFUSED,
          ENGINE_ENDED,
          RESERVE,
          PLACE,
          RETIRE,
          SETTLE ->
          JsonBody.read(type.message, in);
    };
  }
}
