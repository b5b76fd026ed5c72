package dev.flotilla.protocol;

import dev.flotilla.protocol.FrameException.Problem;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of {@link ToFrontend.Tokens}, column by column. All deltas of a message normally belong
 * to one front-end, whose id is then written once.
 */
final class TokensLayout {
  private static final int NO_FINISH = 0xff;
  private static final int HAS_LOGPROBS = 1;
  private static final int HAS_PROMPT_LOGPROBS = 2;
  private static final int HAS_CACHED_TOKENS = 4;
  private static final int HAS_TIMINGS = 8;
  private static final int FLAGS =
      HAS_LOGPROBS | HAS_PROMPT_LOGPROBS | HAS_CACHED_TOKENS | HAS_TIMINGS;

  /** Bytes of one delta in all columns of fixed width: counter, attempt, offset, …, id count. */
  private static final int DELTA_BYTES = 8 + 4 + 4 + 1 + 4 + 4;

  private TokensLayout() {}

  /** A guess of the frame's size that is right without log-probabilities. */
  static int capacity(ToFrontend.Tokens tokens) {
    LoadReport load = tokens.load();
    return 128 + (load == null ? 0 : 160 + 48 * load.acks().size()) + 40 * tokens.deltas().size();
  }

  static void write(ToFrontend.Tokens tokens, FrameWriter out) {
    LoadReport load = tokens.load();
    out.u8(load == null ? 0 : 1);
    if (load == null) {
      out.i32(tokens.from().rank().value());
      out.text(tokens.from().incarnation().value());
    } else {
      LoadLayout.write(load, out);
    }
    List<ToFrontend.Delta> deltas = tokens.deltas();
    out.i32(deltas.size());
    if (deltas.isEmpty()) {
      return;
    }
    frontends(deltas, out);
    for (ToFrontend.Delta delta : deltas) {
      out.i64(delta.request().counter());
    }
    for (ToFrontend.Delta delta : deltas) {
      out.i32(delta.attempt());
    }
    for (ToFrontend.Delta delta : deltas) {
      out.i32(delta.offset());
    }
    for (ToFrontend.Delta delta : deltas) {
      out.u8(finishCode(delta.finish()));
    }
    for (ToFrontend.Delta delta : deltas) {
      out.i32(delta.stopId());
    }
    for (ToFrontend.Delta delta : deltas) {
      out.i32(delta.ids().size());
    }
    for (ToFrontend.Delta delta : deltas) {
      out.ids(delta.ids());
    }
    int flags = flags(deltas);
    out.u8(flags);
    if ((flags & HAS_LOGPROBS) != 0) {
      LogprobsLayout.write(deltas, ToFrontend.Delta::logprobs, out);
    }
    if ((flags & HAS_PROMPT_LOGPROBS) != 0) {
      LogprobsLayout.write(deltas, ToFrontend.Delta::promptLogprobs, out);
    }
    if ((flags & HAS_CACHED_TOKENS) != 0) {
      deltas.forEach(delta -> out.i32(delta.cachedTokens()));
    }
    if ((flags & HAS_TIMINGS) != 0) {
      TimingLayout.write(deltas, out);
    }
  }

  private static int flags(List<ToFrontend.Delta> deltas) {
    int flags = 0;
    for (ToFrontend.Delta delta : deltas) {
      flags |= delta.logprobs().isEmpty() ? 0 : HAS_LOGPROBS;
      flags |= delta.promptLogprobs().isEmpty() ? 0 : HAS_PROMPT_LOGPROBS;
      flags |= delta.cachedTokens() == 0 ? 0 : HAS_CACHED_TOKENS;
      flags |= delta.timing() == null ? 0 : HAS_TIMINGS;
    }
    return flags;
  }

  static ToFrontend.Tokens read(Epoch epoch, FrameReader in) {
    if (in.flag()) {
      LoadReport load = LoadLayout.read(epoch, in);
      return new ToFrontend.Tokens(load, deltas(in));
    }
    EngineAt from = new EngineAt(new Rank(in.i32()), new Incarnation(in.text()), epoch);
    return new ToFrontend.Tokens(from, null, deltas(in));
  }

  private static List<ToFrontend.Delta> deltas(FrameReader in) {
    int count = in.count(DELTA_BYTES);
    if (count == 0) {
      return List.of();
    }
    FrontendId[] owners = owners(count, in);
    long[] counters = in.longs(count);
    int[] attempts = in.ints(count);
    int[] offsets = in.ints(count);
    @Nullable FinishReason[] finishes = new @Nullable FinishReason[count];
    for (int i = 0; i < count; i++) {
      finishes[i] = finishOf(in.u8());
    }
    int[] stopIds = in.ints(count);
    int[] sizes = in.ints(count);
    int[] ids = in.ints(in.sum(sizes, 4));
    int flags = in.u8();
    if ((flags & ~FLAGS) != 0) {
      throw new FrameException(Problem.BODY, "flags 0 to " + FLAGS, Integer.toString(flags));
    }
    List<List<Logprobs>> logprobs =
        (flags & HAS_LOGPROBS) != 0 ? LogprobsLayout.read(count, in) : List.of();
    List<List<Logprobs>> promptLogprobs =
        (flags & HAS_PROMPT_LOGPROBS) != 0 ? LogprobsLayout.read(count, in) : List.of();
    int[] cached = (flags & HAS_CACHED_TOKENS) != 0 ? in.ints(count) : new int[count];
    ToFrontend.@Nullable Timing[] timings =
        (flags & HAS_TIMINGS) != 0
            ? TimingLayout.read(count, in)
            : new ToFrontend.@Nullable Timing[count];
    List<ToFrontend.Delta> deltas = new ArrayList<>(count);
    int from = 0;
    for (int i = 0; i < count; i++) {
      deltas.add(
          new ToFrontend.Delta(
              new RequestId(owners[i], counters[i]),
              attempts[i],
              offsets[i],
              TokenIds.of(ids, from, sizes[i]),
              finishes[i],
              stopIds[i],
              logprobs.isEmpty() ? List.of() : logprobs.get(i),
              promptLogprobs.isEmpty() ? List.of() : promptLogprobs.get(i),
              cached[i],
              timings[i]));
      from += sizes[i];
    }
    return deltas;
  }

  private static void frontends(List<ToFrontend.Delta> deltas, FrameWriter out) {
    FrontendId first = deltas.get(0).request().frontend();
    boolean shared = true;
    for (int i = 1; i < deltas.size() && shared; i++) {
      shared = deltas.get(i).request().frontend().equals(first);
    }
    out.u8(shared ? 1 : 0);
    if (shared) {
      out.text(first.value());
    } else {
      for (ToFrontend.Delta delta : deltas) {
        out.text(delta.request().frontend().value());
      }
    }
  }

  private static FrontendId[] owners(int count, FrameReader in) {
    FrontendId[] owners = new FrontendId[count];
    if (in.flag()) {
      java.util.Arrays.fill(owners, new FrontendId(in.text()));
    } else {
      for (int i = 0; i < count; i++) {
        owners[i] = new FrontendId(in.text());
      }
    }
    return owners;
  }

  private static int finishCode(@Nullable FinishReason reason) {
    return switch (reason) {
      case null -> NO_FINISH;
      case STOP -> 0;
      case LENGTH -> 1;
      case ABORT -> 2;
      case ERROR -> 3;
    };
  }

  private static @Nullable FinishReason finishOf(int code) {
    return switch (code) {
      case NO_FINISH -> null;
      case 0 -> FinishReason.STOP;
      case 1 -> FinishReason.LENGTH;
      case 2 -> FinishReason.ABORT;
      case 3 -> FinishReason.ERROR;
      default ->
          throw new FrameException(
              Problem.BODY, "a finish code of 0 to 3 or 255", Integer.toString(code));
    };
  }
}
