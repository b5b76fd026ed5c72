package dev.flotilla.executor.cpu;

/** How the weights of a tile are stored. */
enum Format {
  /** Int lane i of a column holds row i in its lower half and row i + 16 in its upper half. */
  BF16(64),
  /** 32 floats a column, in the order of rows. */
  F32(128);

  private final int columnBytes;

  Format(int columnBytes) {
    this.columnBytes = columnBytes;
  }

  /** Bytes of one column of 32 rows. */
  int columnBytes() {
    return columnBytes;
  }
}
