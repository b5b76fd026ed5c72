package dev.flotilla.bench;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does one streamed token cost the load generator, apart from the socket? One answer of 512
 * chunks, each an event of about 200 bytes, through the reader and the scanner.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class EventScannerBench {
  private static final int EVENTS = 512;

  private final ResponseReader reader = new ResponseReader();
  private final byte[] response = response();

  private static byte[] response() {
    StringBuilder text = new StringBuilder("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < EVENTS; i++) {
      String event =
          "data: {\"id\":\"cmpl-0123456789abcdef0123456789abcdef\",\"object\":\"text_completion\","
              + "\"created\":1790000000,\"model\":\"tiny-llama\",\"choices\":[{\"index\":0,\"text\":\" ab\","
              + "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n";
      text.append(Integer.toHexString(event.length())).append("\r\n").append(event).append("\r\n");
    }
    return text.append("0\r\n\r\n").toString().getBytes(StandardCharsets.US_ASCII);
  }

  /** Per event. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public int readOneEvent() throws ResponseReader.Malformed {
    Exchange exchange = new Exchange(0, new Planned(0, () -> new Prompt.Text(""), 1, EVENTS), 0);
    EventScanner scanner = new EventScanner(exchange, false);
    reader.restart();
    reader.accept(
        response, 0, response.length, (bytes, from, to) -> scanner.accept(bytes, from, to, 1));
    return exchange.arrivals;
  }
}
