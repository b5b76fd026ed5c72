package dev.flotilla.protocol;

/** The bytes of a {@link ToFrontend.PrefixChange}; its epoch is the frame's. */
final class PrefixLayout {
  private PrefixLayout() {}

  static int capacity(ToFrontend.PrefixChange change) {
    return 96 + 8 * (change.added().size() + change.evicted().size());
  }

  static void write(ToFrontend.PrefixChange change, FrameWriter out) {
    out.i32(change.rank().value());
    out.text(change.incarnation().value());
    out.i64(change.after());
    out.i64(change.number());
    out.i32(change.piece());
    out.i32(change.pieces());
    write(change.added(), out);
    write(change.evicted(), out);
  }

  private static void write(BlockHashes hashes, FrameWriter out) {
    out.i32(hashes.size());
    for (int i = 0; i < hashes.size(); i++) {
      out.i64(hashes.get(i));
    }
  }

  static ToFrontend.PrefixChange read(Epoch epoch, FrameReader in) {
    return new ToFrontend.PrefixChange(
        new Rank(in.i32()),
        new Incarnation(in.text()),
        epoch,
        in.i64(),
        in.i64(),
        in.i32(),
        in.i32(),
        BlockHashes.of(in.longs(in.count(8))),
        BlockHashes.of(in.longs(in.count(8))));
  }
}
