package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelFolder;

/**
 * What executors of this JVM compute with: tested kernels, for which they wait, or in a JVM that is
 * waited for itself plain loops, into whose places the tested kernels come later. Both give the
 * same bits.
 */
final class EarlyKernels {
  /**
   * Largest model that may begin with plain loops: they compute some hundred million of its weights
   * a second and core, so that a token takes a few dozen milliseconds.
   */
  private static final long PARAMETERS_MAX = 16_000_000;

  /** Plain loops at first. */
  private static final Kernels LATER = Kernels.of(0);

  private static volatile boolean hurried;

  private EarlyKernels() {}

  /** From now on small models begin with plain loops. */
  static void hurry() {
    hurried = true;
  }

  /** Tests the kernels, which takes seconds, and puts them into their places. */
  static void prepare() {
    LATER.adopt(SelfTest.kernels());
  }

  /** A model is about to be loaded: its kernels, if it waits for them, are tested meanwhile. */
  static void expect(ModelFolder folder) {
    if (hurried && !beginsPlain(folder)) {
      Thread.ofPlatform().daemon().name("kernel-test").start(EarlyKernels::prepare);
    }
  }

  /** The kernels for a model; may wait for their test. */
  static Kernels of(ModelFolder folder) {
    return beginsPlain(folder) ? LATER : SelfTest.kernels();
  }

  private static boolean beginsPlain(ModelFolder folder) {
    return hurried && folder.parameters() <= PARAMETERS_MAX;
  }
}
