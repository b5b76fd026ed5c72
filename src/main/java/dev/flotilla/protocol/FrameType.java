package dev.flotilla.protocol;

import org.jspecify.annotations.Nullable;

/**
 * The type byte of every message; unique over all families, so that a frame of the wrong family is
 * told apart. Ids are never reused.
 */
enum FrameType {
  SUBMIT(0x10, ToEngine.Submit.class),
  ABORT(0x11, ToEngine.Abort.class),
  INIT(0x12, ToEngine.Init.class),
  WELCOME(0x13, ToEngine.Welcome.class),
  REFUSED(0x14, ToEngine.Refused.class),
  WHO_IS_THERE(0x15, ToEngine.WhoIsThere.class),
  ENGINE_PING(0x16, ToEngine.Ping.class),
  ENGINE_PONG(0x17, ToEngine.Pong.class),
  DRAIN(0x18, ToEngine.Drain.class),
  UTILITY(0x19, ToEngine.Utility.class),
  PAUSE(0x26, ToEngine.Pause.class),
  RESUME(0x27, ToEngine.Resume.class),
  HAND_OVER(0x28, ToEngine.HandOver.class),
  DECLINE(0x29, ToEngine.Decline.class),
  PREFIX_SNAPSHOT(0x2d, ToEngine.PrefixSnapshot.class),
  START_WAVE(0x2e, ToEngine.StartWave.class),
  REGROUP(0x2f, ToEngine.Regroup.class),
  HELLO(0x30, ToCoordinator.Hello.class),
  READY(0x31, ToCoordinator.Ready.class),
  COORDINATOR_LOAD(0x32, ToCoordinator.Load.class),
  LEAVING(0x33, ToCoordinator.Leaving.class),
  FRONTEND_HELLO(0x34, ToCoordinator.FrontendHello.class),
  NODE_HELLO(0x35, ToCoordinator.NodeHello.class),
  NODE_LEFT(0x36, ToCoordinator.NodeLeft.class),
  PAUSED(0x42, ToCoordinator.Paused.class),
  WANT_WAVE(0x40, ToCoordinator.WantWave.class),
  GROUP_BROKEN(0x41, ToCoordinator.GroupBroken.class),
  NODE_REPORT(0x48, ToCoordinator.NodeReport.class),
  LEASE_REFUSED(0x49, ToCoordinator.LeaseRefused.class),
  ENGINE_ENDED(0x4a, ToCoordinator.EngineEnded.class),
  LEADING(0x4c, ToCoordinator.Leading.class),
  CHOOSE(0x4d, ToCoordinator.Choose.class),
  NODES(0x4e, ToCoordinator.Nodes.class),
  TOKENS(0x50, ToFrontend.Tokens.class),
  FRONTEND_LOAD(0x51, ToFrontend.Load.class),
  REFUSAL(0x52, ToFrontend.Refusal.class),
  VIEW(0x53, ToFrontend.View.class),
  FRONTEND_PING(0x54, ToFrontend.Ping.class),
  FRONTEND_PONG(0x55, ToFrontend.Pong.class),
  UTILITY_ANSWER(0x56, ToFrontend.UtilityAnswer.class),
  OFFER(0x68, ToFrontend.Offer.class),
  PREFIX_CHANGE(0x6d, ToFrontend.PrefixChange.class),
  CHOSEN(0x6e, ToFrontend.Chosen.class),
  START_ENGINE(0x70, ToNode.StartEngine.class),
  STOP_ENGINE(0x71, ToNode.StopEngine.class),
  RESERVE(0x72, ToNode.Reserve.class),
  PLACE(0x73, ToNode.Place.class),
  RETIRE(0x74, ToNode.Retire.class),
  SETTLE(0x75, ToNode.Settle.class);

  private static final @Nullable FrameType[] BY_ID = new @Nullable FrameType[256];

  static {
    for (FrameType type : values()) {
      if (BY_ID[type.id] != null) {
        throw new IllegalStateException(type + " has the id of " + BY_ID[type.id]);
      }
      BY_ID[type.id] = type;
    }
  }

  final int id;
  final Class<?> message;

  FrameType(int id, Class<?> message) {
    this.id = id;
    this.message = message;
  }

  static FrameType of(int id) {
    FrameType type = BY_ID[id];
    if (type == null) {
      throw new FrameException(
          FrameException.Problem.TYPE, "a known message type", "0x%02x".formatted(id));
    }
    return type;
  }

  static FrameType of(ToEngine message) {
    return switch (message) {
      case ToEngine.Submit _ -> SUBMIT;
      case ToEngine.Abort _ -> ABORT;
      case ToEngine.Init _ -> INIT;
      case ToEngine.Welcome _ -> WELCOME;
      case ToEngine.Refused _ -> REFUSED;
      case ToEngine.WhoIsThere _ -> WHO_IS_THERE;
      case ToEngine.Ping _ -> ENGINE_PING;
      case ToEngine.Pong _ -> ENGINE_PONG;
      case ToEngine.Drain _ -> DRAIN;
      case ToEngine.Utility _ -> UTILITY;
      case ToEngine.HandOver _ -> HAND_OVER;
      case ToEngine.Decline _ -> DECLINE;
      case ToEngine.PrefixSnapshot _ -> PREFIX_SNAPSHOT;
      case ToEngine.Pause _ -> PAUSE;
      case ToEngine.Resume _ -> RESUME;
      case ToEngine.StartWave _ -> START_WAVE;
      case ToEngine.Regroup _ -> REGROUP;
    };
  }

  static FrameType of(ToCoordinator message) {
    return switch (message) {
      case ToCoordinator.Hello _ -> HELLO;
      case ToCoordinator.Ready _ -> READY;
      case ToCoordinator.Load _ -> COORDINATOR_LOAD;
      case ToCoordinator.Leaving _ -> LEAVING;
      case ToCoordinator.FrontendHello _ -> FRONTEND_HELLO;
      case ToCoordinator.NodeHello _ -> NODE_HELLO;
      case ToCoordinator.NodeLeft _ -> NODE_LEFT;
      case ToCoordinator.NodeReport _ -> NODE_REPORT;
      case ToCoordinator.LeaseRefused _ -> LEASE_REFUSED;
      case ToCoordinator.EngineEnded _ -> ENGINE_ENDED;
      case ToCoordinator.Leading _ -> LEADING;
      case ToCoordinator.Nodes _ -> NODES;
      case ToCoordinator.Choose _ -> CHOOSE;
      case ToCoordinator.Paused _ -> PAUSED;
      case ToCoordinator.WantWave _ -> WANT_WAVE;
      case ToCoordinator.GroupBroken _ -> GROUP_BROKEN;
    };
  }

  static FrameType of(ToFrontend message) {
    return switch (message) {
      case ToFrontend.Tokens _ -> TOKENS;
      case ToFrontend.Load _ -> FRONTEND_LOAD;
      case ToFrontend.Refusal _ -> REFUSAL;
      case ToFrontend.View _ -> VIEW;
      case ToFrontend.Ping _ -> FRONTEND_PING;
      case ToFrontend.Pong _ -> FRONTEND_PONG;
      case ToFrontend.UtilityAnswer _ -> UTILITY_ANSWER;
      case ToFrontend.Offer _ -> OFFER;
      case ToFrontend.PrefixChange _ -> PREFIX_CHANGE;
      case ToFrontend.Chosen _ -> CHOSEN;
    };
  }

  static FrameType of(ToNode message) {
    return switch (message) {
      case ToNode.StartEngine _ -> START_ENGINE;
      case ToNode.StopEngine _ -> STOP_ENGINE;
      case ToNode.Reserve _ -> RESERVE;
      case ToNode.Place _ -> PLACE;
      case ToNode.Retire _ -> RETIRE;
      case ToNode.Settle _ -> SETTLE;
    };
  }
}
