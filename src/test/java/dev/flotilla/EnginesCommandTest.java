package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class EnginesCommandTest {
  private static final String ANSWER =
      """
      {"engines":[{"rank":0,"state":"READY","epoch":"1.1","incarnation":"0123456789abcdef","node":"n1",\
      "local":true,"waiting":0,"running":12,"kv_usage":0.256,"wave":0,"step":4711,"last_step_age_ms":3},\
      {"rank":1,"state":"DRAINING","epoch":"1.2","incarnation":"fedc","node":"n2","local":false,\
      "waiting":100,"running":0,"kv_usage":0,"wave":0,"step":0,"last_step_age_ms":-1}]}""";

  private record Ran(int code, String out, String err) {}

  private static Ran run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = Flotilla.commandLine();
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return new Ran(line.execute(args), out.toString(), err.toString());
  }

  @Test
  void alignsItsColumns() throws Exception {
    String expected =
        """
        RANK  STATE     EPOCH  INCARNATION  NODE       WAITING  RUNNING      KV  WAVE  STEP  LAST STEP
           0  READY     1.1    01234567     n1 (here)        0       12  25.6 %     0  4711   3 ms ago
           1  DRAINING  1.2    fedc         n2             100        0   0.0 %     0     0      never
        """;
    assertEquals(expected, EnginesTable.render(new ObjectMapper().readTree(ANSWER)));
  }

  @Test
  void saysThatNoneHasJoined() throws Exception {
    assertEquals(
        "No engine has joined yet.\n",
        EnginesTable.render(new ObjectMapper().readTree("{\"engines\":[]}")));
  }

  @Test
  void showsWhatTheServerAnswers() throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/engines",
        exchange -> {
          byte[] bytes = ANSWER.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
    try {
      String port = Integer.toString(server.getAddress().getPort());
      Ran json = run("engines", "--json", "--port", port);
      assertEquals(0, json.code(), json.err());
      assertEquals(ANSWER + "\n", json.out());
      Ran table = run("engines", "--url", "http://127.0.0.1:" + port + "/");
      assertEquals(3, table.out().lines().count());
      Ran other = run("engines", "--url", "http://127.0.0.1:" + port + "/elsewhere");
      assertEquals(1, other.code());
      assertTrue(other.err().contains("answered with status 404"), other.err());
    } finally {
      server.stop(0);
    }
  }

  @Test
  void failsWithASentence() {
    Ran nobody = run("engines", "--port", "1");
    assertEquals(1, nobody.code());
    assertTrue(nobody.err().contains("no server answers at 127.0.0.1:1"), nobody.err());
    Ran usage = run("engines", "--url", "nonsense");
    assertEquals(2, usage.code());
    assertEquals(1, usage.err().lines().count(), usage.err());
  }
}
