package dev.flotilla.executor.cpu;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.model.Batch;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * How near is the whole executor to what the machine can do? Reads memory, multiplies in registers,
 * decodes at 1 and 8 sequences and prefills, in turns within one run, and reports medians and
 * minima: on a machine with other load only the figures of one run can be compared.
 *
 * <p>Arguments: the model's folder, and the number of rounds (default 5).
 */
final class ExecutorBench {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final long READ_BYTES = 512L << 20;
  private static final int CONTEXT = 64;
  private static final int STEPS = 32;

  /** About 50 ms a sample: shorter ones catch moments that no whole step is granted. */
  private static final int FMA_ROUNDS = 10_000_000;

  private static final int PREFILLS = 6;
  private static final int CHAINS = 12;

  private final ComputePool pool = ComputePool.shared();
  private final CpuExecutor executor;
  private final ModelFolder folder;
  private final RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
  private final float[] sinks = new float[pool.workers() * 16];

  private ExecutorBench(ModelFolder folder) {
    this.folder = folder;
    int most = Math.min(1024, folder.config().maxPositions());
    this.executor =
        CpuExecutor.open(folder, new CpuOptions(16, 1024, most, 64, 2048, ExecutorBench::tell));
  }

  private static void tell(long done, long total) {
    if (done == total) {
      print("repacked %d MiB", total >> 20);
    }
  }

  @FormatMethod
  private static void print(@FormatString String format, Object... args) {
    System.out.println(String.format(Locale.ROOT, format, args));
  }

  /** Runs it. */
  public static void main(String[] args) {
    long start = System.nanoTime();
    ExecutorBench bench = new ExecutorBench(ModelFolder.open(Path.of(args[0])));
    print(
        "%d threads, %d bits, opened in %.2f s",
        bench.pool.workers(), Kernels.preferredBits(), (System.nanoTime() - start) / 1e9);
    bench.run(args.length > 1 ? Integer.parseInt(args[1]) : 5);
    bench.executor.close();
  }

  private void run(int rounds) {
    long weights = SharedWeights.open(folder, false, CpuOptions.Progress.NONE).weights().bytes();
    double[][] t = new double[6][rounds];
    List<List<Double>> shares = List.of(new ArrayList<>(), new ArrayList<>());
    multiply();
    try (NativeBlock memory = NativeBlock.allocate(READ_BYTES, "reading")) {
      // Untouched pages would all be one and the same page of zeros.
      for (long at = 0; at < READ_BYTES; at += 8) {
        RawMemory.ALL.set(ValueLayout.JAVA_LONG, memory.address() + at, at);
      }
      for (int r = 0; r < rounds; r++) {
        t[0][r] = least(3, () -> read(memory.address()));
        t[1][r] = least(3, this::multiply);
        t[2][r] = decode(1);
        t[3][r] = decode(8);
        t[4][r] = prefill(128, shares.get(0));
        t[5][r] = prefill(256, shares.get(1));
      }
    }
    double bandwidth = READ_BYTES / best(t[0]);
    double peak = 2.0 * FMA_ROUNDS * CHAINS * F.length() * pool.workers() / best(t[1]);
    print(
        "read %.1f GB/s, multiply-add %.0f GF/s, weights %d MB",
        bandwidth / 1e9, peak / 1e9, weights / 1_000_000);
    for (int i = 2; i <= 3; i++) {
      int batch = i == 2 ? 1 : 8;
      print(
          "decode at %d: best %.1f tokens/s (step %.2f ms), median %.1f",
          batch, batch / best(t[i]), best(t[i]) * 1e3, batch / median(t[i]));
    }
    print("decode at 1 reads %.2f of the bandwidth", weights / best(t[2]) / bandwidth);
    print("8 sequences: %.2f times one", 8 * best(t[2]) / best(t[3]));
    for (int i = 4; i <= 5; i++) {
      int tokens = i == 4 ? 128 : 256;
      double[] sorted = shares.get(i - 4).stream().mapToDouble(d -> d).sorted().toArray();
      print(
          "prefill of %d: best %.0f tokens/s, median %.0f; of the peak measured around each: median %.2f, best %.2f; of the best peak %.2f",
          tokens,
          tokens / best(t[i]),
          tokens / median(t[i]),
          sorted[sorted.length / 2],
          sorted[sorted.length - 1],
          operations(tokens) / best(t[i]) / peak);
    }
  }

  private static double best(double[] seconds) {
    return Arrays.stream(seconds).min().orElseThrow();
  }

  private static double median(double[] seconds) {
    return Arrays.stream(seconds).sorted().toArray()[seconds.length / 2];
  }

  private static double least(int times, Runnable task) {
    double least = Double.MAX_VALUE;
    for (int i = 0; i < times; i++) {
      long start = System.nanoTime();
      task.run();
      least = Math.min(least, (System.nanoTime() - start) / 1e9);
    }
    return least;
  }

  private void read(long address) {
    int slices = pool.workers() * 16;
    long slice = READ_BYTES / slices / 256 * 256;
    pool.hold(
        () ->
            pool.run(
                slices,
                1,
                (from, to, worker) -> sinks[worker * 16] += sum(address + from * slice, slice)));
  }

  private static float sum(long from, long bytes) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    long step = F.vectorByteSize();
    for (long i = from; i < from + bytes; i += 4 * step) {
      a = a.add(FloatVector.fromMemorySegment(F, RawMemory.ALL, i, ByteOrder.LITTLE_ENDIAN));
      b = b.add(FloatVector.fromMemorySegment(F, RawMemory.ALL, i + step, ByteOrder.LITTLE_ENDIAN));
      c =
          c.add(
              FloatVector.fromMemorySegment(
                  F, RawMemory.ALL, i + 2 * step, ByteOrder.LITTLE_ENDIAN));
      d =
          d.add(
              FloatVector.fromMemorySegment(
                  F, RawMemory.ALL, i + 3 * step, ByteOrder.LITTLE_ENDIAN));
    }
    return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
  }

  private void multiply() {
    pool.hold(
        () ->
            pool.run(
                pool.workers(), 1, (from, to, worker) -> sinks[worker * 16] += chains(FMA_ROUNDS)));
  }

  private static float chains(int rounds) {
    FloatVector a = FloatVector.broadcast(F, 1.0001f);
    FloatVector h = FloatVector.broadcast(F, 0.5f);
    FloatVector c0 = a;
    FloatVector c1 = a;
    FloatVector c2 = a;
    FloatVector c3 = a;
    FloatVector c4 = a;
    FloatVector c5 = a;
    FloatVector c6 = a;
    FloatVector c7 = a;
    FloatVector c8 = a;
    FloatVector c9 = a;
    FloatVector c10 = a;
    FloatVector c11 = a;
    for (int i = 0; i < rounds; i++) {
      c0 = c0.fma(h, a);
      c1 = c1.fma(h, a);
      c2 = c2.fma(h, a);
      c3 = c3.fma(h, a);
      c4 = c4.fma(h, a);
      c5 = c5.fma(h, a);
      c6 = c6.fma(h, a);
      c7 = c7.fma(h, a);
      c8 = c8.fma(h, a);
      c9 = c9.fma(h, a);
      c10 = c10.fma(h, a);
      c11 = c11.fma(h, a);
    }
    FloatVector low = c0.add(c1).add(c2).add(c3).add(c4).add(c5);
    return low.add(c6).add(c7).add(c8).add(c9).add(c10).add(c11).reduceLanes(VectorOperators.ADD);
  }

  private TokenIds tokens(int count) {
    return TokenIds.of(random.ints(count, 3, folder.config().vocab()).toArray());
  }

  private Batch.Item item(int sequence, int count, int start) {
    int[] blocks = new int[(CONTEXT + STEPS + 256) / 16];
    Arrays.setAll(blocks, i -> sequence * blocks.length + i);
    return new Batch.Item(
        sequence, tokens(count), start, TokenIds.of(blocks), Sampling.greedy(STEPS), -1, -1);
  }

  /** Seconds of the fastest step. */
  private double decode(int sequences) {
    double least = Double.MAX_VALUE;
    for (int step = -1; step < STEPS; step++) {
      List<Batch.Item> items = new ArrayList<>();
      for (int s = 0; s < sequences; s++) {
        items.add(step < 0 ? item(s, CONTEXT, 0) : item(s, 1, CONTEXT + step));
      }
      Batch batch = new Batch(items);
      double seconds = least(1, () -> executor.execute(batch));
      least = step < 0 ? least : Math.min(least, seconds);
    }
    return least;
  }

  /**
   * Two operations a weight and token; a weight takes two bytes; the head runs for one row. And of
   * attention what no implementation can leave out: each query with the keys and the values up to
   * its own position.
   */
  private double operations(int tokens) {
    ModelConfig config = folder.config();
    long weights = SharedWeights.open(folder, false, CpuOptions.Progress.NONE).weights().bytes();
    long head = 2L * config.vocab() * config.hidden();
    double seen = tokens * (tokens + 1.0) / 2;
    double attention = 4.0 * config.heads() * config.headDim() * config.layers() * seen;
    return (double) (weights - head) * tokens + head + attention;
  }

  /** Least seconds; adds each one's share of the peak measured just before and after it. */
  private double prefill(int count, List<Double> shares) {
    Batch batch = new Batch(List.of(item(0, count, 0)));
    double operations = operations(count);
    double fmas = 2.0 * FMA_ROUNDS * CHAINS * F.length() * pool.workers();
    double least = Double.MAX_VALUE;
    double before = least(1, this::multiply);
    for (int i = 0; i < PREFILLS; i++) {
      double seconds = least(1, () -> executor.execute(batch));
      double after = least(1, this::multiply);
      shares.add(operations / seconds / (2 * fmas / (before + after)));
      least = Math.min(least, seconds);
      before = after;
    }
    return least;
  }
}
