package dev.flotilla.executor.cpu;

import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs every kernel at start until it is compiled, compares its result bit for bit with the plain
 * loop's, and times it against a loop of multiply-adds. A method that the compiler does not turn
 * into vector instructions works, but a hundred times slower, and nothing else would tell. Such a
 * kernel, or a wrong one, is replaced by that of a narrower vector or by the plain loop, whose bits
 * are the same.
 */
final class SelfTest {
  private static final Logger LOG = LoggerFactory.getLogger(SelfTest.class);

  /** Speed below this part of what is expected means that something is wrong. */
  private static final double SLOW = 1.0 / 3;

  /**
   * Reached only where a kernel is slow. It counts processor time, since on a busy machine the
   * compiler is late for other reasons, and no more than four times as much by the clock.
   */
  private static final long DEADLINE_NANOS = TimeUnit.MILLISECONDS.toNanos(10_000);

  /** After so many calls a kernel is queued for the compiler, which needs the processor more. */
  private static final int QUEUED_CALLS = 4_000;

  /**
   * Operations a second that any machine with vectors exceeds (4 lanes at 1 GHz do 8e9); less means
   * that the loop of multiply-adds is not compiled yet, and beside it everything looks fast.
   */
  private static final double PEAK_LEAST = 4e9;

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final int COLS = 32;
  private static final int CALLS = 8;
  private static final int Y = 8 * 64;

  private static final class Holder {
    private static final Kernels TESTED =
        test(Kernels.of(Kernels.preferredBits()), DEADLINE_NANOS, LOG::warn);
  }

  private final NativeBlock memory = NativeBlock.allocate(4L * 128 * COLS, "the self-test");
  private final float[] x = new float[8 * COLS];

  private SelfTest() {
    for (int i = 0; i < x.length; i++) {
      x[i] = (i * 37 % 101 - 50) / 16f;
    }
    for (long at = 0; at < 2L * 128 * COLS; at += 4) {
      // Both halves are finite bf16 numbers of about 1, and so is the whole as a float.
      int half = 0x3f80 + (int) (at * 13 % 64);
      RawMemory.ALL.set(
          ValueLayout.JAVA_INT_UNALIGNED, memory.address() + at, (half << 16) | (half ^ 0x8000));
    }
  }

  /** The kernels of this JVM, tested on the first call. */
  static Kernels kernels() {
    return Holder.TESTED;
  }

  /** Tests kernels and replaces those that fail, telling which and why. */
  static Kernels test(Kernels kernels, long deadlineNanos, Consumer<String> warn) {
    SelfTest test = new SelfTest();
    try {
      test.run(kernels, deadlineNanos, warn);
    } finally {
      test.memory.close();
    }
    return kernels;
  }

  /**
   * One kernel's place.
   *
   * @param operations of a call, two for each multiply-add
   * @param expected part of the speed of the multiply-add loop; low where one chain of additions
   *     waits for itself
   * @param call binds the kernel of that place
   * @param copy takes over the kernel of that place from elsewhere
   */
  private record Place(
      String name,
      double operations,
      double expected,
      BiFunction<Kernels, float[], Runnable> call,
      BiConsumer<Kernels, Kernels> copy) {}

  private static final class Trial {
    private final Place place;
    private final Runnable call;
    private final float[] result = new float[Y];
    private double seconds = Double.MAX_VALUE;
    private int calls;

    Trial(Place place, Kernels kernels) {
      this.place = place;
      this.call = place.call.apply(kernels, result);
    }

    void run() {
      // Where many calls were slow the compiler is at work, and a few calls will show its result.
      int rounds = calls < QUEUED_CALLS ? 16 : 2;
      calls += rounds * CALLS;
      for (int i = 0; i < rounds; i++) {
        Arrays.fill(result, 0);
        long start = System.nanoTime();
        for (int c = 0; c < CALLS; c++) {
          call.run();
        }
        seconds = Math.min(seconds, (System.nanoTime() - start) / 1e9 / CALLS);
      }
    }

    double share(double peak) {
      return place.operations / seconds / peak;
    }

    boolean fast(double peak) {
      return share(peak) >= place.expected * SLOW;
    }
  }

  private void run(Kernels kernels, long deadlineNanos, Consumer<String> warn) {
    List<Trial> trials = trials(kernels);
    int preferred = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    double scale = Math.max(128, kernels.bits()) / (double) preferred;
    double peak = kernels.bits() == 0 ? 0 : compile(trials, scale, deadlineNanos);
    for (Trial trial : trials) {
      trial.run();
      String fault = fault(trial, peak * scale);
      if (!fault.isEmpty()) {
        replace(kernels, trial.place, fault, warn);
      }
    }
  }

  /** Runs all until each is fast or time is up; gives the speed of the multiply-add loop. */
  private static double compile(List<Trial> trials, double scale, long deadlineNanos) {
    long start = System.nanoTime();
    long busy = processNanos();
    double peak = 0;
    boolean done = false;
    while (!done
        && System.nanoTime() - start < 4 * deadlineNanos
        && processNanos() - busy < deadlineNanos) {
      peak = Math.max(peak, peak());
      done = peak > PEAK_LEAST;
      int queued = 0;
      for (Trial trial : trials) {
        if (!trial.fast(peak * scale)) {
          trial.run();
          done = false;
          queued += trial.calls >= QUEUED_CALLS ? 1 : -trials.size();
        }
      }
      if (queued > 0) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
    return peak;
  }

  private static long processNanos() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getProcessCpuTime()
        : System.nanoTime();
  }

  private String fault(Trial trial, double peak) {
    Trial plain = new Trial(trial.place, Kernels.of(0));
    plain.run();
    if (!Arrays.equals(plain.result, trial.result)) {
      return "computes something else than the plain loop";
    }
    return peak == 0 || trial.fast(peak)
        ? ""
        : String.format(
            Locale.ROOT,
            "runs at %.3f of the speed of multiply-adds, where about %.2f are expected",
            trial.share(peak),
            trial.place.expected);
  }

  /** The fastest of the narrower ones and the plain loop takes the place. */
  private void replace(Kernels kernels, Place place, String fault, Consumer<String> warn) {
    Kernels best = Kernels.of(0);
    Trial plain = new Trial(place, best);
    plain.run();
    double least = plain.seconds;
    for (int bits = kernels.bits() / 2; bits >= 128; bits /= 2) {
      Kernels narrower = Kernels.of(bits);
      Trial trial = new Trial(place, narrower);
      for (int i = 0; i < 50; i++) {
        trial.run();
      }
      if (trial.seconds < least && Arrays.equals(trial.result, plain.result)) {
        least = trial.seconds;
        best = narrower;
      }
    }
    place.copy.accept(kernels, best);
    warn.accept(
        "kernel %s of %d bits %s; replaced by %s, which costs speed but changes no result"
            .formatted(
                place.name,
                kernels.bits(),
                fault,
                best.bits() == 0 ? "the plain loop" : "that of " + best.bits() + " bits"));
  }

  private List<Trial> trials(Kernels kernels) {
    List<Trial> trials = new ArrayList<>();
    for (Place place : places()) {
      trials.add(new Trial(place, kernels));
    }
    return trials;
  }

  private List<Place> places() {
    List<Place> places = new ArrayList<>();
    double[] tileShare = {0.1, 0.4, 0.5, 0.2};
    int[] batches = {1, 4, 8, 1};
    long w = memory.address();
    for (Format format : Format.values()) {
      for (int i = 0; i < batches.length; i++) {
        int at = i;
        int tiles = i == 3 ? 2 : 1;
        places.add(
            new Place(
                format + " batch " + batches[i] + (tiles == 2 ? " two tiles" : ""),
                2.0 * tiles * 32 * batches[i] * COLS,
                tileShare[i],
                (k, y) -> {
                  TileKernel kernel = k.tiles(format)[at];
                  long step = (long) COLS * format.columnBytes();
                  return () -> kernel.run(w, step, x, 0, y, 0, 64, COLS);
                },
                (to, from) -> to.tiles(format)[at] = from.tiles(format)[at]));
      }
    }
    places.add(widenBatch8());
    for (int i = 0; i < 3; i++) {
      places.add(keys(batches[i], i, tileShare[i]));
      places.add(values(batches[i], i, tileShare[i] / 2));
    }
    return places;
  }

  /** Its second half of outputs comes from the tile that it wrote. */
  private Place widenBatch8() {
    long w = memory.address();
    long panel = w + 2L * 128 * COLS;
    return new Place(
        "widening batch 8",
        2.0 * 2 * 32 * 8 * COLS,
        0.4,
        (k, y) -> {
          TileKernel.WidenBatch8 kernel = k.widenBatch8()[0];
          TileKernel written = k.tile(Format.F32, 8);
          return () -> {
            kernel.run(w, panel, x, 0, y, 0, 64, COLS);
            written.run(panel, 0, x, 0, y, Tiles.ROWS, 64, COLS);
          };
        },
        (to, from) -> to.widenBatch8()[0] = from.widenBatch8()[0]);
  }

  private Place keys(int batch, int at, double expected) {
    long w = memory.address();
    return new Place(
        "keys batch " + batch,
        2.0 * 32 * batch * COLS,
        expected,
        (k, y) -> {
          TileKernel.Keys kernel = k.keys()[at];
          return () -> kernel.run(w, w + 64L * COLS, x, 0, y, 0, 32, COLS);
        },
        (to, from) -> to.keys()[at] = from.keys()[at]);
  }

  private Place values(int batch, int at, double expected) {
    long w = memory.address();
    return new Place(
        "values batch " + batch,
        2.0 * 32 * batch * COLS,
        expected,
        (k, y) -> {
          TileKernel.Values kernel = k.values()[at];
          return () -> kernel.run(w, x, 0, y, 0, 32, COLS);
        },
        (to, from) -> to.values()[at] = from.values()[at]);
  }

  /** Operations a second of multiply-adds in registers, by this thread. */
  private static double peak() {
    double least = Double.MAX_VALUE;
    float sink = 0;
    for (int i = 0; i < 8; i++) {
      long start = System.nanoTime();
      sink += chains(2_000);
      least = Math.min(least, (System.nanoTime() - start) / 1e9);
    }
    double operations = 2.0 * 8 * FloatVector.SPECIES_PREFERRED.length() * 2_000;
    return Float.isNaN(sink) ? 0 : operations / least;
  }

  private static float chains(int rounds) {
    VectorSpecies<Float> species = FloatVector.SPECIES_PREFERRED;
    FloatVector a = FloatVector.broadcast(species, 1.0001f);
    FloatVector h = FloatVector.broadcast(species, 0.5f);
    FloatVector c0 = a;
    FloatVector c1 = a;
    FloatVector c2 = a;
    FloatVector c3 = a;
    FloatVector c4 = a;
    FloatVector c5 = a;
    FloatVector c6 = a;
    FloatVector c7 = a;
    for (int i = 0; i < rounds; i++) {
      c0 = c0.fma(h, a);
      c1 = c1.fma(h, a);
      c2 = c2.fma(h, a);
      c3 = c3.fma(h, a);
      c4 = c4.fma(h, a);
      c5 = c5.fma(h, a);
      c6 = c6.fma(h, a);
      c7 = c7.fma(h, a);
    }
    FloatVector low = c0.add(c1).add(c2).add(c3);
    return low.add(c4).add(c5).add(c6).add(c7).reduceLanes(VectorOperators.ADD);
  }
}
