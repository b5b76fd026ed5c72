package dev.flotilla.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ResponseReaderTest {
  private final ResponseReader reader = new ResponseReader();
  private final StringBuilder body = new StringBuilder();

  private void feed(String text, int stride) throws ResponseReader.Malformed {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    for (int i = 0; i < bytes.length; i += stride) {
      reader.accept(
          bytes,
          i,
          Math.min(bytes.length, i + stride),
          (b, from, to) -> body.append(new String(b, from, to - from, StandardCharsets.UTF_8)));
    }
  }

  @Test
  void joinsChunksHoweverTheyAreCut() throws Exception {
    String response =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "5\r\nhello\r\nA;x=y\r\n, world ok\r\n0\r\nTrailer: 1\r\n\r\n";
    for (int stride = 1; stride < 40; stride++) {
      reader.restart();
      body.setLength(0);
      feed(response, stride);
      assertEquals("hello, world ok", body.toString());
      assertEquals(200, reader.status());
      assertTrue(reader.reusable());
    }
  }

  @Test
  void skipsInterimResponsesAndHonoursClose() throws Exception {
    feed(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Busy\r\nContent-Length: 2\r\n"
            + "Connection: close\r\n\r\nno",
        7);
    assertEquals(429, reader.status());
    assertEquals("no", body.toString());
    assertTrue(reader.complete());
    assertFalse(reader.reusable());
  }

  @Test
  void endsABodyWithoutLengthWhenTheConnectionCloses() throws Exception {
    feed("HTTP/1.0 200 OK\r\n\r\nall", 100);
    assertFalse(reader.complete());
    reader.closed();
    assertTrue(reader.complete());
    assertFalse(reader.reusable());
  }

  @Test
  void rejectsWhatIsNotHttp() {
    assertThrows(ResponseReader.Malformed.class, () -> feed("SSH-2.0-x\r\n", 100));
  }

  @Test
  void rejectsAnEndlessHead() {
    assertThrows(ResponseReader.Malformed.class, () -> feed("x".repeat(20_000), 1000));
  }

  @Test
  void rejectsABadChunkSize() {
    assertThrows(
        ResponseReader.Malformed.class,
        () -> feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 100));
  }
}
