package dev.flotilla.simulation.load;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.flotilla.config.ConfigException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * Requests in order of arrival.
 *
 * @param requests never empty
 */
public record Trace(List<Arrival> requests) {
  /** Tokens of a block that a hash id names. */
  public static final int BLOCK_TOKENS = 512;

  /** Longer prompts and outputs are a broken file, not a model's context. */
  private static final int TOKENS_MAX = 10_000_000;

  /**
   * One request.
   *
   * @param ms when it arrives
   * @param input prompt tokens
   * @param output tokens to be generated
   * @param blocks ids of the prompt's blocks of 512 tokens, chained from the start; empty if not
   *     known
   */
  public record Arrival(double ms, int input, int output, List<Integer> blocks) {
    /** Keeps a private copy. */
    public Arrival {
      blocks = List.copyOf(blocks);
    }
  }

  /** Sorts by arrival. */
  public Trace {
    requests = requests.stream().sorted(Comparator.comparingDouble(Arrival::ms)).toList();
    if (requests.isEmpty()) {
      throw new ConfigException("the trace holds no request");
    }
  }

  /** Whether prompts share prefixes. */
  public boolean prefixes() {
    return requests.stream().anyMatch(r -> !r.blocks().isEmpty());
  }

  /** The same requests, arriving so many times slower. */
  public Trace stretched(double factor) {
    return new Trace(
        requests.stream()
            .map(r -> new Arrival(r.ms() * factor, r.input(), r.output(), r.blocks()))
            .toList());
  }

  /**
   * Reads JSON lines of {@code t_ms}, {@code input}, {@code output} and optionally {@code
   * hash_ids}, gzipped or not.
   */
  public static Trace read(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      in.mark(2);
      boolean zipped = in.read() == 0x1f && in.read() == 0x8b;
      in.reset();
      return zipped ? parse(new GZIPInputStream(in), file.toString()) : parse(in, file.toString());
    } catch (NoSuchFileException e) {
      throw new ConfigException("--trace: there is no file " + file);
    }
  }

  /** Reads JSON lines; {@code name} is for error texts. */
  public static Trace parse(InputStream in, String name) throws IOException {
    List<Arrival> requests = new ArrayList<>();
    try (JsonParser json = new JsonFactory().createParser(in)) {
      for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
        if (token != JsonToken.START_OBJECT) {
          throw broken(name, requests.size(), "an object was expected, not " + json.getText());
        }
        requests.add(arrival(json, name, requests.size()));
      }
    } catch (JsonProcessingException e) {
      throw broken(name, requests.size(), e.getOriginalMessage());
    }
    if (requests.isEmpty()) {
      throw new ConfigException("--trace: %s holds no request".formatted(name));
    }
    return new Trace(requests);
  }

  private static Arrival arrival(JsonParser json, String name, int index) throws IOException {
    double ms = Double.NaN;
    double input = Double.NaN;
    double output = Double.NaN;
    int[] blocks = new int[16];
    int count = 0;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      JsonToken value = json.nextToken();
      switch (field) {
        case "t_ms" -> ms = number(json, value);
        case "input" -> input = number(json, value);
        case "output" -> output = number(json, value);
        case "hash_ids" -> {
          while (json.nextToken() == JsonToken.VALUE_NUMBER_INT) {
            if (count == blocks.length) {
              blocks = Arrays.copyOf(blocks, 2 * count);
            }
            blocks[count++] = json.getIntValue();
          }
        }
        default -> json.skipChildren();
      }
    }
    boolean sane =
        ms >= 0 && ms < 1e15 && whole(input) && whole(output) && (long) count * BLOCK_TOKENS < 1e9;
    if (!sane) {
      throw broken(
          name, index, "t_ms (from 0), input and output (from 1) must be there, and be numbers");
    }
    return new Arrival(
        ms, (int) input, (int) output, Arrays.stream(blocks, 0, count).boxed().toList());
  }

  private static double number(JsonParser json, JsonToken value) throws IOException {
    return value.isNumeric() ? json.getDoubleValue() : Double.NaN;
  }

  private static boolean whole(double tokens) {
    return tokens >= 1 && tokens <= TOKENS_MAX && tokens == Math.rint(tokens);
  }

  private static ConfigException broken(String name, int index, String what) {
    return new ConfigException("--trace: %s, request %d: %s".formatted(name, index + 1, what));
  }
}
