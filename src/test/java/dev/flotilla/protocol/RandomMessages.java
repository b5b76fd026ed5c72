package dev.flotilla.protocol;

import dev.flotilla.config.Balancing;
import dev.flotilla.config.LoadBalancing;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/** Messages of every type with random contents, drawn from a seed. */
final class RandomMessages {
  final RandomGenerator random;
  private final RandomSampling sampling;
  private final RandomWork work;

  RandomMessages(long seed) {
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    sampling = new RandomSampling(random);
    work = new RandomWork(random);
  }

  /** One message of the given type. */
  Object next(FrameType type) {
    return switch (type) {
      case SUBMIT -> submit();
      case ABORT -> new ToEngine.Abort(request(), random.nextInt());
      case INIT -> init();
      case WELCOME -> new ToEngine.Welcome(incarnation(), epoch());
      case REFUSED -> new ToEngine.Refused(incarnation(), term(), text());
      case WHO_IS_THERE -> new ToEngine.WhoIsThere(term());
      case ENGINE_PING -> new ToEngine.Ping(frontend(), random.nextLong());
      case ENGINE_PONG -> new ToEngine.Pong(frontend(), random.nextLong());
      case DRAIN -> new ToEngine.Drain(incarnation(), random.nextLong());
      case HAND_OVER, DECLINE, OFFER -> HandOverMessages.random(type, this);
      case TOKENS -> tokens();
      case FRONTEND_LOAD -> new ToFrontend.Load(load());
      case REFUSAL ->
          new ToFrontend.Refusal(
              request(), random.nextInt(), rank(), epoch(), random.nextInt(), text());
      case VIEW -> new ToFrontend.View(view());
      case FRONTEND_PING -> new ToFrontend.Ping(rank(), incarnation(), random.nextLong());
      case FRONTEND_PONG -> new ToFrontend.Pong(rank(), incarnation(), random.nextLong());
      case PREFIX_SNAPSHOT, CHOOSE, PREFIX_CHANGE, CHOSEN -> choosing(type);
      case PAUSE, RESUME, PAUSED -> PauseMessages.random(type, this);
      case UTILITY,
          UTILITY_ANSWER,
          HELLO,
          READY,
          COORDINATOR_LOAD,
          LEAVING,
          FRONTEND_HELLO,
          NODE_HELLO,
          NODE_LEFT,
          LEADING,
          NODES,
          START_ENGINE,
          STOP_ENGINE ->
          membership(type);
      case START_WAVE, REGROUP, WANT_WAVE, GROUP_BROKEN -> GroupMessages.random(type, this);
      case NODE_REPORT, LEASE_REFUSED, ENGINE_ENDED, RESERVE, PLACE, RETIRE, SETTLE ->
          PlacementMessages.random(type, this, random);
    };
  }

  ToEngine.Submit submit() {
    return new ToEngine.Submit(
        request(),
        random.nextInt(),
        epoch(),
        random.nextLong(),
        ids(40),
        ids(10),
        sampling.next(),
        random.nextInt(),
        text());
  }

  ClusterView view() {
    return new ClusterView(
        term(),
        random.nextLong(),
        random.nextInt(),
        list(3, _ -> engine()),
        list(3, _ -> new ClusterView.Frontend(frontend(), node())),
        random.nextBoolean());
  }

  ToEngine.Init init() {
    return new ToEngine.Init(
        rank(),
        incarnation(),
        epoch(),
        term(),
        new DataParallel(
            random.nextInt(),
            random.nextBoolean() ? Balancing.INTERNAL : Balancing.EXTERNAL,
            random.nextBoolean(),
            random.nextBoolean() ? LoadBalancing.FLOTILLA : LoadBalancing.VLLM_CLASSIC),
        random.nextBoolean() ? null : node(),
        list(3, _ -> frontend()),
        random.nextBoolean() ? null : generation(),
        random.nextBoolean());
  }

  Object choosing(FrameType type) {
    return switch (type) {
      case PREFIX_SNAPSHOT -> new ToEngine.PrefixSnapshot(frontend());
      case CHOOSE ->
          new ToCoordinator.Choose(
              frontend(),
              random.nextLong(),
              random.nextInt(),
              random.nextInt(),
              list(4, _ -> random.nextLong()),
              list(3, _ -> incarnation()),
              random.nextBoolean() ? null : rank(),
              random.nextBoolean());
      case PREFIX_CHANGE ->
          new ToFrontend.PrefixChange(
              rank(),
              incarnation(),
              epoch(),
              random.nextLong(),
              random.nextLong(),
              random.nextInt(),
              random.nextInt(),
              BlockHashes.of(random.longs(random.nextInt(5)).toArray()),
              BlockHashes.of(random.longs(random.nextInt(5)).toArray()));
      case CHOSEN ->
          new ToFrontend.Chosen(
              random.nextLong(),
              random.nextBoolean() ? null : rank(),
              random.nextBoolean() ? null : incarnation(),
              random.nextInt(),
              text());
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  Generation generation() {
    List<Generation.Member> members = new ArrayList<>();
    int size = 1 + random.nextInt(4);
    for (int i = 0; i < size; i++) {
      members.add(new Generation.Member(new Rank(3 * i), incarnation(), endpoint()));
    }
    return new Generation(random.nextLong(), members);
  }

  @Nullable Endpoint endpoint() {
    return random.nextBoolean()
        ? null
        : new Endpoint("h" + random.nextInt(), 1 + random.nextInt(65_535));
  }

  Object membership(FrameType type) {
    return switch (type) {
      case HELLO ->
          new ToCoordinator.Hello(
              incarnation(),
              random.nextBoolean() ? null : rank(),
              node(),
              random.nextBoolean(),
              random.nextBoolean(),
              text(),
              epoch(),
              term(),
              endpoint());
      case READY ->
          new ToCoordinator.Ready(
              rank(), incarnation(), epoch(), facts(), random.nextBoolean() ? null : node());
      case COORDINATOR_LOAD -> new ToCoordinator.Load(load());
      case LEAVING -> new ToCoordinator.Leaving(rank(), incarnation(), text());
      case FRONTEND_HELLO -> new ToCoordinator.FrontendHello(frontend(), node(), term());
      case NODE_HELLO ->
          new ToCoordinator.NodeHello(node(), text(), random.nextInt(), random.nextBoolean());
      case NODE_LEFT -> new ToCoordinator.NodeLeft(node());
      case LEADING ->
          new ToCoordinator.Leading(
              term(),
              new GroupPlan(
                  random.nextInt(),
                  Balancing.HYBRID,
                  LoadBalancing.VLLM,
                  random.nextBoolean() ? null : random.nextInt(),
                  random.nextBoolean(),
                  random.nextBoolean() ? null : text()));
      case NODES -> new ToCoordinator.Nodes(list(3, _ -> node()), list(2, _ -> node()));
      case START_ENGINE -> new ToNode.StartEngine(text());
      case STOP_ENGINE -> new ToNode.StopEngine(rank(), incarnation(), random.nextLong());
      case UTILITY -> new ToEngine.Utility(frontend(), random.nextLong(), text(), text());
      case UTILITY_ANSWER ->
          new ToFrontend.UtilityAnswer(
              rank(),
              incarnation(),
              random.nextLong(),
              random.nextBoolean() ? null : text(),
              random.nextBoolean() ? null : text());
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  ClusterView.Engine engine() {
    List<EngineState> states = List.of(EngineState.values());
    return new ClusterView.Engine(
        rank(),
        incarnation(),
        epoch(),
        states.get(random.nextInt(states.size())),
        node(),
        random.nextBoolean(),
        random.nextBoolean(),
        random.nextBoolean() ? null : facts(),
        random.nextBoolean() ? null : load());
  }

  EngineFacts facts() {
    return new EngineFacts(
        text(),
        text(),
        random.nextInt(),
        random.nextInt(),
        random.nextInt(),
        random.nextInt(),
        random.nextInt(),
        text(),
        random.nextInt(),
        text());
  }

  LoadReport load() {
    return new LoadReport(
        rank(),
        incarnation(),
        epoch(),
        random.nextLong(),
        random.nextInt(),
        random.nextInt(),
        random.nextLong(),
        random.nextLong(),
        random.nextInt(),
        random.nextInt(),
        random.nextLong(),
        random.nextLong(),
        random.nextBoolean(),
        random.nextLong(),
        list(3, _ -> new LoadReport.Ack(frontend(), random.nextLong())),
        random.nextBoolean() ? null : work.totals(),
        work.next(),
        random.nextBoolean() ? null : work.lockstep());
  }

  ToFrontend.Timing timing() {
    return new ToFrontend.Timing(random.nextLong(), random.nextLong(), random.nextLong());
  }

  private ToFrontend.Tokens tokens() {
    LoadReport load = load();
    return random.nextBoolean()
        ? new ToFrontend.Tokens(load, deltas())
        : new ToFrontend.Tokens(
            new EngineAt(load.rank(), load.incarnation(), load.epoch()), null, deltas());
  }

  List<ToFrontend.Delta> deltas() {
    FrontendId one = frontend();
    boolean shared = random.nextBoolean();
    boolean logprobs = random.nextBoolean();
    boolean promptLogprobs = random.nextBoolean();
    return list(
        5,
        _ ->
            new ToFrontend.Delta(
                new RequestId(shared ? one : frontend(), random.nextLong()),
                random.nextInt(),
                random.nextInt(),
                ids(4),
                finish(),
                random.nextInt(),
                logprobs ? list(3, _ -> logprobs()) : List.of(),
                promptLogprobs ? list(5, _ -> logprobs()) : List.of(),
                random.nextBoolean() ? 0 : random.nextInt(),
                random.nextInt(4) == 0 ? timing() : null));
  }

  @Nullable FinishReason finish() {
    return switch (random.nextInt(5)) {
      case 0 -> FinishReason.STOP;
      case 1 -> FinishReason.LENGTH;
      case 2 -> FinishReason.ABORT;
      case 3 -> FinishReason.ERROR;
      default -> null;
    };
  }

  Logprobs logprobs() {
    return new Logprobs(entry(), list(4, _ -> entry()));
  }

  Logprobs.Entry entry() {
    return new Logprobs.Entry(random.nextInt(), -random.nextFloat());
  }

  RequestId request() {
    return new RequestId(frontend(), random.nextLong());
  }

  Rank rank() {
    return new Rank(random.nextInt(Rank.COUNT_MAX));
  }

  Epoch epoch() {
    return new Epoch(random.nextInt(Integer.MAX_VALUE), random.nextInt(Integer.MAX_VALUE));
  }

  Term term() {
    return new Term(random.nextInt(Integer.MAX_VALUE), node());
  }

  Incarnation incarnation() {
    return new Incarnation("i" + Long.toHexString(random.nextLong()));
  }

  FrontendId frontend() {
    return new FrontendId("f" + Long.toHexString(random.nextLong()));
  }

  NodeId node() {
    return new NodeId("n" + Long.toHexString(random.nextLong()));
  }

  TokenIds ids(int most) {
    return TokenIds.of(random.ints(random.nextInt(most + 1)).toArray());
  }

  String text() {
    return random
        .ints(random.nextInt(8), 0, 0x2000)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  <T> List<T> list(int most, Function<Integer, T> make) {
    int count = random.nextInt(most + 1);
    List<T> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      items.add(make.apply(i));
    }
    return items;
  }
}
