package dev.flotilla.protocol;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does a message cost to leave one node and to arrive at another? A step of 64 streams is one
 * {@link ToFrontend.Tokens} with 64 deltas of one token; a request is one {@link ToEngine.Submit}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CodecBench {
  private static final int STREAMS = 64;
  private static final int PROMPT_TOKENS = 1024;
  private static final Rank RANK = new Rank(3);
  private static final FrontendId FRONTEND = new FrontendId("6f1c2d7e9a804b53");
  private static final Epoch EPOCH = new Epoch(2, 5);

  private final ToFrontend.Tokens tokens =
      new ToFrontend.Tokens(
          new LoadReport(
              RANK,
              new Incarnation("0d9b8f7a6c5e4d32"),
              EPOCH,
              123_456,
              2,
              STREAMS,
              4_000,
              50_000,
              3_200,
              25_000,
              98_765,
              0,
              false,
              0,
              List.of(new LoadReport.Ack(FRONTEND, 777)),
              null),
          IntStream.range(0, STREAMS).mapToObj(CodecBench::delta).toList());

  private final ToEngine.Submit submit =
      new ToEngine.Submit(
          new RequestId(FRONTEND, 4711),
          1,
          EPOCH,
          778,
          TokenIds.of(IntStream.range(0, PROMPT_TOKENS).map(i -> i * 37 % 50_000).toArray()),
          TokenIds.EMPTY,
          Sampling.greedy(512));

  private final byte[] tokensFrame = Frames.encode(tokens);
  private final byte[] submitFrame = Frames.encode(submit);

  private static ToFrontend.Delta delta(int i) {
    return new ToFrontend.Delta(
        new RequestId(FRONTEND, 4_000L + i),
        1,
        100 + i,
        TokenIds.of(20_000 + i),
        null,
        -1,
        List.of(),
        List.of());
  }

  /** 64 deltas to bytes. */
  @Benchmark
  public byte[] encodeTokensOf64Streams() {
    return Frames.encode(tokens);
  }

  /** 64 deltas from bytes. */
  @Benchmark
  public ToFrontend decodeTokensOf64Streams() {
    return Frames.decode(ToFrontend.class, tokensFrame);
  }

  /** A prompt of 1,024 tokens to bytes. */
  @Benchmark
  public byte[] encodeSubmitOf1024Tokens() {
    return Frames.encode(submit);
  }

  /** A prompt of 1,024 tokens from bytes. */
  @Benchmark
  public ToEngine decodeSubmitOf1024Tokens() {
    return Frames.decode(ToEngine.class, submitFrame);
  }
}
