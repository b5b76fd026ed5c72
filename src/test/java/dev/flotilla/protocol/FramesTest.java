package dev.flotilla.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.protocol.FrameException.Problem;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FramesTest {
  private static final List<Class<?>> FAMILIES =
      List.of(ToEngine.class, ToCoordinator.class, ToFrontend.class, ToNode.class);

  private static Class<?> familyOf(FrameType type) {
    return FAMILIES.stream()
        .filter(f -> f.isAssignableFrom(type.message))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource
  void everyMessageComesBackAsItWasSent(FrameType type) {
    RandomMessages messages = new RandomMessages(type.id);
    for (int i = 0; i < 300; i++) {
      Object message = messages.next(type);
      assertInstanceOf(type.message, message);
      assertEquals(message, Frames.decode(familyOf(type), Frames.encode(message)));
    }
  }

  @Test
  void writerGrowsUnderEveryKindOfValue() {
    for (int capacity = 0; capacity < 40; capacity++) {
      FrameWriter out = new FrameWriter(capacity);
      out.u8(200);
      out.u16(60_000);
      out.i32(-3);
      out.i64(Long.MIN_VALUE);
      out.f32(0.5f);
      out.text("h\u00e9");
      out.longText("\u00e9");
      out.counted(TokenIds.of(1, 2));
      FrameReader in = new FrameReader(out.toBytes());
      assertEquals(200, in.u8());
      assertEquals(60_000, in.u16());
      assertEquals(-3, in.i32());
      assertEquals(Long.MIN_VALUE, in.i64());
      assertEquals(0.5f, in.f32());
      assertEquals("h\u00e9", in.text());
      assertEquals("\u00e9", in.longText());
      assertEquals(TokenIds.of(1, 2), in.counted());
      in.end();
    }
  }

  /** The records of a family, also those under a narrower sealed type. */
  private static Stream<Class<?>> messages(Class<?> family) {
    return Arrays.stream(family.getPermittedSubclasses())
        .flatMap(type -> type.isInterface() ? messages(type) : Stream.<Class<?>>of(type));
  }

  @Test
  void everySealedMessageHasAType() {
    TreeSet<String> sealed = new TreeSet<>();
    for (Class<?> family : FAMILIES) {
      messages(family).map(Class::getName).forEach(sealed::add);
    }
    TreeSet<String> typed = new TreeSet<>();
    Arrays.stream(FrameType.values()).map(t -> t.message.getName()).forEach(typed::add);
    assertEquals(sealed, typed);
  }

  @ParameterizedTest
  @EnumSource
  void everyTruncationIsATypedFailure(FrameType type) {
    byte[] frame = Frames.encode(new RandomMessages(7).next(type));
    for (int length = 0; length < frame.length; length++) {
      byte[] cut = Arrays.copyOf(frame, length);
      FrameException e =
          assertThrows(FrameException.class, () -> Frames.decode(familyOf(type), cut));
      assertTrue(e.problem() == Problem.TRUNCATED || e.problem() == Problem.BODY, e::getMessage);
    }
  }

  @ParameterizedTest
  @EnumSource
  void damageIsATypedFailureOrAnotherMessage(FrameType type) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(type.id);
    RandomMessages messages = new RandomMessages(type.id + 1000L);
    int failures = 0;
    for (int i = 0; i < 500; i++) {
      byte[] frame = Frames.encode(messages.next(type));
      for (int hits = 1 + random.nextInt(3); hits > 0; hits--) {
        frame[random.nextInt(frame.length)] = (byte) random.nextInt();
      }
      try {
        Frames.decode(familyOf(type), frame);
      } catch (FrameException e) {
        failures++;
      }
    }
    assertTrue(failures > 0, "damage is seen at least sometimes");
  }

  @Test
  void saysWhichVersionAndTypeCame() {
    byte[] frame = Frames.encode(new ToEngine.WhoIsThere(SampleMessages.TERM));
    byte[] newer = frame.clone();
    newer[0] = 9;
    FrameException version =
        assertThrows(FrameException.class, () -> Frames.decode(ToEngine.class, newer));
    assertEquals(Problem.VERSION, version.problem());
    assertEquals("bad frame: expected protocol version 1, got 9", version.getMessage());

    byte[] unknown = frame.clone();
    unknown[1] = (byte) 0xee;
    FrameException type =
        assertThrows(FrameException.class, () -> Frames.decode(ToEngine.class, unknown));
    assertEquals(Problem.TYPE, type.problem());
    assertEquals("0xee", type.actual());

    FrameException family =
        assertThrows(FrameException.class, () -> Frames.decode(ToNode.class, frame));
    assertEquals("bad frame: expected a ToNode, got WHO_IS_THERE", family.getMessage());
  }

  @Test
  void trailingBytesAreRefused() {
    byte[] frame = Frames.encode(new ToEngine.Abort(new RequestId(new FrontendId("f"), 1), 1));
    FrameException e =
        assertThrows(
            FrameException.class,
            () -> Frames.decode(ToEngine.class, Arrays.copyOf(frame, frame.length + 1)));
    assertEquals(Problem.BODY, e.problem());
  }

  @Test
  void hugeCountsAllocateNothing() {
    FrameWriter out = new FrameWriter(64);
    out.u8(Frames.VERSION);
    out.u8(FrameType.SUBMIT.id);
    out.i64(1);
    out.text("f");
    out.i64(1);
    out.i32(1);
    out.i64(1);
    for (int i = 0; i < 41; i++) {
      out.u8(0);
    }
    out.i32(Integer.MAX_VALUE);
    FrameException e =
        assertThrows(FrameException.class, () -> Frames.decode(ToEngine.class, out.toBytes()));
    assertEquals(Problem.TRUNCATED, e.problem());
  }

  @Test
  void jsonBodiesIgnoreNewKeysAndMissMissingOnes() {
    ToCoordinator.Hello hello =
        (ToCoordinator.Hello)
            json(
                FrameType.HELLO,
                """
                {"incarnation":"i","node":"n","local":true,"headless":false,"config_hash":"",
                 "highest":"2.7","seen":"2@n","added_later":[1]}""");
    assertEquals(null, hello.rank());
    assertEquals(new Epoch(2, 7), hello.highest());
    for (String missing :
        List.of(
            "{\"node\":\"n\",\"local\":true,\"headless\":false,\"config_hash\":\"\",\"highest\":\"0.0\",\"seen\":\"1@n\"}",
            "{\"incarnation\":\"i\",\"node\":\"n\",\"headless\":false,\"config_hash\":\"\",\"highest\":\"0.0\",\"seen\":\"1@n\"}",
            "{\"incarnation\":\"i\",\"node\":\"n\",\"local\":true,\"headless\":false,\"config_hash\":\"\",\"highest\":\"x\",\"seen\":\"1@n\"}",
            "{\"incarnation\":\"i\",\"node\":\"n\",\"local\":true,\"headless\":false,\"config_hash\":\"\",\"highest\":\"0.0\",\"seen\":\"1\"}",
            "null",
            "[]",
            "")) {
      FrameException e =
          assertThrows(FrameException.class, () -> json(FrameType.HELLO, missing), missing);
      assertEquals(Problem.BODY, e.problem());
    }
  }

  @Test
  void codecHandsOverAMarkerInsteadOfThrowing() {
    Buffer buffer = Buffer.buffer("head");
    WireCodec.ENGINE.encodeToWire(buffer, new ToEngine.WhoIsThere(SampleMessages.TERM));
    assertEquals(
        new ToEngine.WhoIsThere(SampleMessages.TERM), WireCodec.ENGINE.decodeFromWire(4, buffer));
    for (int length = 0; length < buffer.length(); length++) {
      Object cut = WireCodec.ENGINE.decodeFromWire(4, buffer.slice(0, length));
      assertInstanceOf(BadFrame.class, cut);
    }
    assertInstanceOf(BadFrame.class, WireCodec.NODE.decodeFromWire(4, buffer));
  }

  private static Object json(FrameType type, String body) {
    FrameWriter out = new FrameWriter(64);
    out.u8(Frames.VERSION);
    out.u8(type.id);
    out.i64(0);
    out.raw(body.getBytes(StandardCharsets.UTF_8));
    return Frames.decode(familyOf(type), out.toBytes());
  }
}
