package dev.flotilla.protocol;

import java.util.ArrayList;
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
        acks(in));
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
