package dev.flotilla.protocol;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The bytes of a {@link LoadReport}; its epoch is the frame's. */
final class LoadLayout {
  private LoadLayout() {}

  static void write(LoadReport load, FrameWriter out) {
    out.i32(load.rank().value());
    out.text(load.incarnation().value());
    out.i64(load.sequence());
    out.i32(load.waiting());
    out.i32(load.running());
    out.i64(load.queuedTokens());
    out.i64(load.residentTokens());
    out.i32(load.kvBlocksUsed());
    out.i32(load.kvBlocks());
    out.i64(load.step());
    out.i64(load.wave());
    out.u8(load.stepping() ? 1 : 0);
    out.i64(load.lastStepAgeMs());
    List<LoadReport.Ack> acks = load.acks();
    out.i32(acks.size());
    for (LoadReport.Ack ack : acks) {
      out.i64(ack.sequence());
    }
    for (LoadReport.Ack ack : acks) {
      out.text(ack.frontend().value());
    }
    EngineTotals totals = load.totals();
    out.u8(totals == null ? 0 : 1);
    if (totals != null) {
      write(totals, out);
    }
    write(load.work(), out);
    LockstepLoad lockstep = load.lockstep();
    out.u8(lockstep == null ? 0 : 1);
    if (lockstep != null) {
      out.i64(lockstep.generation());
      out.u8(lockstep.running() ? 1 : 0);
      out.i64(lockstep.dummySteps());
      out.i64(lockstep.waitedMs());
    }
  }

  private static LockstepLoad lockstep(FrameReader in) {
    return new LockstepLoad(in.i64(), in.flag(), in.i64(), in.i64());
  }

  private static void write(EngineWork work, FrameWriter out) {
    out.f32(work.queuedPrefillMs());
    out.i32(work.decoding());
    out.i64(work.decodeContext());
    out.i64(work.kvQueued());
    out.f32(work.msToStepEnd());
    StepCost cost = work.cost();
    out.f32((float) cost.baseMs());
    out.f32((float) cost.prefillMs());
    out.f32((float) cost.prefillContextMs());
    out.f32((float) cost.decodeMs());
    out.f32((float) cost.decodeContextMs());
  }

  private static EngineWork work(FrameReader in) {
    return new EngineWork(in.f32(), in.i32(), in.i64(), in.i64(), in.f32(), cost(in));
  }

  private static StepCost cost(FrameReader in) {
    float[] ms = {in.f32(), in.f32(), in.f32(), in.f32(), in.f32()};
    for (float value : ms) {
      if (!(value >= 0 && value < Float.POSITIVE_INFINITY)) {
        throw new FrameException(
            FrameException.Problem.BODY, "step costs of at least 0", Float.toString(value));
      }
    }
    return new StepCost(ms[0], ms[1], ms[2], ms[3], ms[4]);
  }

  private static void write(EngineTotals totals, FrameWriter out) {
    out.i64(totals.prefixQueries());
    out.i64(totals.prefixHits());
    out.i64(totals.preemptions());
    out.i64(totals.promptTokens());
    out.i64(totals.generationTokens());
    out.i32(totals.iterationTokens().size());
    totals.iterationTokens().forEach(out::i64);
    out.i64(totals.iterationTokensSum());
  }

  private static EngineTotals totals(FrameReader in) {
    return new EngineTotals(
        in.i64(),
        in.i64(),
        in.i64(),
        in.i64(),
        in.i64(),
        Arrays.stream(in.longs(in.count(8))).boxed().toList(),
        in.i64());
  }

  static LoadReport read(Epoch epoch, FrameReader in) {
    return new LoadReport(
        new Rank(in.i32()),
        new Incarnation(in.text()),
        epoch,
        in.i64(),
        in.i32(),
        in.i32(),
        in.i64(),
        in.i64(),
        in.i32(),
        in.i32(),
        in.i64(),
        in.i64(),
        in.flag(),
        in.i64(),
        acks(in),
        in.flag() ? totals(in) : null,
        work(in),
        in.flag() ? lockstep(in) : null);
  }

  private static List<LoadReport.Ack> acks(FrameReader in) {
    long[] sequences = in.longs(in.count(8));
    List<LoadReport.Ack> acks = new ArrayList<>(sequences.length);
    for (long sequence : sequences) {
      acks.add(new LoadReport.Ack(new FrontendId(in.text()), sequence));
    }
    return acks;
  }
}
