package dev.flotilla.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EventScannerTest {
  private static final String STREAM =
      """
      : ping

      data: {"id":"a","choices":[{"index":0,"text":" x","finish_reason":null}],"usage":null}

      data:{"choices": [ {"text": "","finish_reason": null}]}

      data: {"choices":[{"text":"\\"usage\\":{\\"choices\\":[]","finish_reason":"length"}]}

      data: {"choices":[{"text":"","finish_reason":"stop"}]}

      data: {"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":3}}

      data: [DONE]

      """;

  private static Exchange exchange() {
    return new Exchange(0, new Planned(0, () -> new Prompt.Text(""), 1, 1), 0);
  }

  @Test
  void findsTheSameInHoweverCutAStream() {
    byte[] bytes = STREAM.getBytes(StandardCharsets.UTF_8);
    Random random = new Random(1);
    for (int round = 0; round < 200; round++) {
      Exchange exchange = exchange();
      EventScanner scanner = new EventScanner(exchange, false);
      int at = 0;
      while (at < bytes.length) {
        int end = Math.min(bytes.length, at + 1 + random.nextInt(round + 1));
        scanner.accept(bytes, at, end, at);
        at = end;
      }
      assertEquals(3, exchange.arrivals);
      assertEquals(4, exchange.inputTokens());
      assertEquals(3, exchange.outputTokens());
      assertNull(exchange.failure);
      assertTrue(exchange.succeeded());
    }
  }

  @Test
  void saysWhatIsNoJson() {
    Exchange exchange = exchange();
    byte[] bytes = "data: <html>\n\n".getBytes(StandardCharsets.UTF_8);
    new EventScanner(exchange, false).accept(bytes, 0, bytes.length, 0);
    assertEquals("the server sent an event that is not JSON: <html>", exchange.failure);
  }

  @Test
  void boundsALineWithoutEnd() {
    Exchange exchange = exchange();
    EventScanner scanner = new EventScanner(exchange, false);
    byte[] bytes = new byte[300_000];
    for (int i = 0; i < 5; i++) {
      scanner.accept(bytes, 0, bytes.length, 0);
    }
    assertEquals("the server sent an event of more than 1048576 bytes", exchange.failure);
  }
}
