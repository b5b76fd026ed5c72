package dev.flotilla.protocol;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.LoadBalancing;
import java.util.List;

/** One fixed message of every type; the golden frames are made of these. */
final class SampleMessages {
  static final Rank RANK = new Rank(3);
  static final Incarnation INCARNATION = new Incarnation("9f3c1a7e");
  static final Epoch EPOCH = new Epoch(2, 5);
  static final FrontendId FRONTEND = new FrontendId("fe-1");
  static final NodeId NODE = new NodeId("node-a");
  static final Term TERM = new Term(2, NODE);
  static final RequestId REQUEST = new RequestId(FRONTEND, 42);
  static final EngineFacts FACTS =
      new EngineFacts("tiny-llama", "cpu", 1024, 16, 4096, 256, 2048, "0.1.0", 1, "c0ffee");
  static final LoadReport LOAD =
      new LoadReport(
          RANK,
          INCARNATION,
          EPOCH,
          77,
          4,
          8,
          1234,
          56789,
          300,
          1024,
          1_000_001,
          0,
          true,
          0,
          List.of(
              new LoadReport.Ack(FRONTEND, 19),
              new LoadReport.Ack(new FrontendId("fe-2"), 1L << 40)),
          null,
          new EngineWork(
              37.5f, 7, 45_678, 2345, 12.25f, new StepCost(6, 0.03125, 0x1p-20, 0.0625, 0x1p-15)),
          new LockstepLoad(3, true, 17, 4_321));

  private static final Endpoint ENDPOINT = new Endpoint("127.0.0.1", 40_001);

  private static Generation generation() {
    return new Generation(
        3,
        List.of(
            new Generation.Member(new Rank(0), new Incarnation("e5e5"), null),
            new Generation.Member(RANK, INCARNATION, ENDPOINT)));
  }

  private static final EngineTotals TOTALS =
      new EngineTotals(
          900,
          640,
          2,
          1_100,
          75,
          List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11L, 12L, 13L, 14L),
          1L << 33);

  static final Sampling SAMPLING =
      Sampling.builder()
          .temperature(0.7f)
          .topP(0.9f)
          .topK(40)
          .minP(0.05f)
          .seed(-1)
          .maxTokens(64)
          .minTokens(1)
          .ignoreEos(true)
          .stopIds(TokenIds.of(2, 13))
          .logprobs(5)
          .promptLogprobs(0)
          .penalties(new Penalties(1.5f, 0.25f, -0.5f))
          .rules(
              new TokenRules(
                  TokenIds.of(4, 5),
                  List.of(-100f, 2.5f),
                  TokenIds.of(3, 4, 5),
                  List.of(TokenIds.of(6, 7), TokenIds.of(8))))
          .grammar(new Grammar(Grammar.Kind.REGEX, "a+b"))
          .build();

  private SampleMessages() {}

  static Object of(FrameType type) {
    return switch (type) {
      case SUBMIT -> submit();
      case ABORT -> new ToEngine.Abort(REQUEST, 2);
      case INIT -> init();
      case WELCOME -> new ToEngine.Welcome(INCARNATION, EPOCH);
      case REFUSED -> new ToEngine.Refused(INCARNATION, TERM, "rank 9 is not one of 0 to 3");
      case WHO_IS_THERE -> new ToEngine.WhoIsThere(TERM);
      case ENGINE_PING -> new ToEngine.Ping(FRONTEND, 11);
      case ENGINE_PONG -> new ToEngine.Pong(FRONTEND, 12);
      case DRAIN -> new ToEngine.Drain(INCARNATION, 30_000);
      case HAND_OVER ->
          new ToEngine.HandOver(
              INCARNATION,
              EPOCH,
              77,
              new EngineAt(new Rank(0), new Incarnation("aa"), new Epoch(2, 1)),
              41.5,
              StepCost.DEFAULT,
              4_096,
              12);
      case DECLINE -> new ToEngine.Decline(REQUEST, 2);
      case OFFER ->
          new ToFrontend.Offer(
              new EngineAt(RANK, INCARNATION, EPOCH),
              new EngineAt(new Rank(0), new Incarnation("aa"), new Epoch(2, 1)),
              List.of(new ToFrontend.Attempt(REQUEST, 2)));
      case UTILITY -> new ToEngine.Utility(FRONTEND, 15, "reset_prefix_cache", "{}");
      case UTILITY_ANSWER ->
          new ToFrontend.UtilityAnswer(RANK, INCARNATION, 15, null, "shutting down");
      case PREFIX_SNAPSHOT, CHOOSE, PREFIX_CHANGE, CHOSEN -> choosing(type);
      case PAUSE, RESUME, PAUSED -> PauseMessages.sample(type);
      case HELLO ->
          new ToCoordinator.Hello(
              INCARNATION, RANK, NODE, true, false, "c0ffee", Epoch.NONE, TERM, ENDPOINT);
      case READY -> new ToCoordinator.Ready(RANK, INCARNATION, EPOCH, FACTS, NODE);
      case COORDINATOR_LOAD -> new ToCoordinator.Load(LOAD.withTotals(TOTALS));
      case LEAVING -> new ToCoordinator.Leaving(RANK, INCARNATION, "drained");
      case FRONTEND_HELLO -> new ToCoordinator.FrontendHello(FRONTEND, NODE, TERM);
      case NODE_HELLO -> new ToCoordinator.NodeHello(NODE, "10.0.0.7", 8, true);
      case NODE_LEFT -> new ToCoordinator.NodeLeft(NODE);
      case LEADING ->
          new ToCoordinator.Leading(
              TERM,
              new GroupPlan(4, Balancing.INTERNAL, LoadBalancing.FLOTILLA, 2, false, "c0ffee"));
      case NODES -> new ToCoordinator.Nodes(List.of(NODE, new NodeId("node-b")), List.of(NODE));
      case TOKENS -> new ToFrontend.Tokens(LOAD, deltas());
      case FRONTEND_LOAD -> new ToFrontend.Load(LOAD);
      case REFUSAL -> new ToFrontend.Refusal(REQUEST, 2, RANK, EPOCH, 429, "the queue is full");
      case VIEW -> new ToFrontend.View(view());
      case FRONTEND_PING -> new ToFrontend.Ping(RANK, INCARNATION, 13);
      case FRONTEND_PONG -> new ToFrontend.Pong(RANK, INCARNATION, 14);
      case START_ENGINE -> new ToNode.StartEngine("{\"rank\":3}");
      case NODE_REPORT, LEASE_REFUSED, ENGINE_ENDED, RESERVE, PLACE, RETIRE, SETTLE ->
          PlacementMessages.sample(type);
      case START_WAVE, REGROUP, WANT_WAVE, GROUP_BROKEN -> GroupMessages.sample(type, generation());
      case STOP_ENGINE -> new ToNode.StopEngine(RANK, INCARNATION, 5_000);
    };
  }

  private static ToEngine.Submit submit() {
    return new ToEngine.Submit(
        REQUEST,
        2,
        EPOCH,
        19,
        TokenIds.of(1, 2, 300, 128_255),
        TokenIds.of(7),
        SAMPLING,
        -3,
        "tenant-7");
  }

  private static ToEngine.Init init() {
    return new ToEngine.Init(
        RANK,
        INCARNATION,
        EPOCH,
        TERM,
        DataParallel.ofSize(4),
        NODE,
        List.of(FRONTEND),
        generation(),
        true);
  }

  static ClusterView view() {
    return new ClusterView(
        TERM,
        9,
        4,
        List.of(
            new ClusterView.Engine(
                new Rank(0),
                new Incarnation("aa"),
                new Epoch(2, 1),
                EngineState.CONNECTED,
                NODE,
                true,
                false,
                null,
                null),
            new ClusterView.Engine(
                RANK, INCARNATION, EPOCH, EngineState.READY, NODE, false, true, FACTS, LOAD)),
        List.of(new ClusterView.Frontend(FRONTEND, NODE)));
  }

  private static Object choosing(FrameType type) {
    return switch (type) {
      case PREFIX_SNAPSHOT -> new ToEngine.PrefixSnapshot(FRONTEND);
      case CHOOSE ->
          new ToCoordinator.Choose(
              FRONTEND, 16, 48, 16, List.of(7L, -8L), List.of(INCARNATION), RANK, true);
      case PREFIX_CHANGE ->
          new ToFrontend.PrefixChange(
              RANK,
              INCARNATION,
              EPOCH,
              11,
              14,
              0,
              1,
              BlockHashes.of(0x0123456789abcdefL, -2),
              BlockHashes.of(3));
      case CHOSEN -> new ToFrontend.Chosen(16, RANK, INCARNATION, 32, "flotilla; rank 3");
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private static List<ToFrontend.Delta> deltas() {
    Logprobs position =
        new Logprobs(
            new Logprobs.Entry(300, -0.5f),
            List.of(new Logprobs.Entry(300, -0.5f), new Logprobs.Entry(4, -1.25f)));
    return List.of(
        new ToFrontend.Delta(
            REQUEST, 2, 17, TokenIds.of(300), null, -1, List.of(position), List.of(position)),
        new ToFrontend.Delta(
            new RequestId(FRONTEND, 43),
            1,
            5,
            TokenIds.of(8, 13),
            FinishReason.STOP,
            13,
            List.of(),
            List.of(),
            16,
            new ToFrontend.Timing(1_000, 2_000_000, 3_000_000_000L)));
  }
}
