package dev.flotilla.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The bytes of version 1 never change once it is released: one frame of each message is kept as
 * hexadecimal text. A changed layout then needs a new version; {@code -Dgolden.write=true} writes
 * frames of new messages.
 */
class GoldenFramesTest {
  private static final Path FOLDER =
      Path.of(System.getProperty("flotilla.basedir", "."), "src/test/resources/protocol/v1");

  @ParameterizedTest
  @EnumSource
  void bytesOfVersionOneStayTheSame(FrameType type) throws IOException {
    Object message = SampleMessages.of(type);
    byte[] frame = Frames.encode(message);
    Path file =
        FOLDER.resolve(
            type.message.getDeclaringClass().getSimpleName()
                + "."
                + type.message.getSimpleName()
                + ".hex");
    if (Boolean.getBoolean("golden.write") && !Files.exists(file)) {
      Files.writeString(file, format(frame));
    }
    List<String> lines = Files.readAllLines(file);
    byte[] golden = HexFormat.of().parseHex(String.join("", lines).replace(" ", ""));
    assertEquals(format(golden), format(frame));
    assertEquals(message, Frames.decode(type.message, golden));
  }

  private static String format(byte[] frame) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < frame.length; i++) {
      text.append("%02x".formatted(frame[i]));
      text.append(i % 32 == 31 || i == frame.length - 1 ? '\n' : ' ');
    }
    return text.toString();
  }
}
