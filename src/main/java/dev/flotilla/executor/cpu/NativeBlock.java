package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Zeroed memory outside the heap, aligned to 64 bytes. It comes from {@code calloc}: pages that are
 * never touched cost nothing, where an arena would write zeros to all of them. Free it once, when
 * no kernel runs on it; nothing checks later accesses.
 */
final class NativeBlock implements AutoCloseable {
  private static final int ALIGNMENT = 64;
  private static final int HUGE_PAGE = 2 << 20;
  private static final int MADV_HUGEPAGE = 14;
  private static final MethodHandle CALLOC =
      function(
          "calloc",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE =
      function("free", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

  /** No memory. */
  static final NativeBlock NONE = new NativeBlock(0, 0);

  private final long base;
  private final long bytes;
  private final AtomicBoolean freed = new AtomicBoolean();

  private NativeBlock(long base, long bytes) {
    this.base = base;
    this.bytes = bytes;
  }

  /** Allocates, for {@code what}, which an error names. */
  static NativeBlock allocate(long bytes, String what) {
    long base;
    try {
      base = (long) CALLOC.invokeExact(1L, bytes + ALIGNMENT);
    } catch (Throwable e) {
      throw new IllegalStateException("calloc cannot be called", e);
    }
    if (base == 0) {
      throw new ModelException(
          "no memory for %s: %d MiB were refused by the system".formatted(what, bytes >> 20));
    }
    advise(base, bytes);
    return new NativeBlock(base, bytes);
  }

  /** Asks Linux for huge pages, which spare the walks of page tables; a refusal does not matter. */
  private static void advise(long base, long bytes) {
    long from = (base + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    long length = (base + bytes - from) / HUGE_PAGE * HUGE_PAGE;
    if (length <= 0 || !System.getProperty("os.name", "").startsWith("Linux")) {
      return;
    }
    try {
      MethodHandle madvise =
          function(
              "madvise",
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT));
      int _ = (int) madvise.invokeExact(from, length, MADV_HUGEPAGE);
    } catch (Throwable e) {
      throw new IllegalStateException("madvise cannot be called", e);
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle function(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    MemorySegment address =
        linker
            .defaultLookup()
            .find(name)
            .orElseThrow(() -> new IllegalStateException("the C library has no " + name));
    return linker.downcallHandle(address, type);
  }

  /** Where it starts. */
  long address() {
    return (base + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** How long it is. */
  long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    if (base != 0 && freed.compareAndSet(false, true)) {
      try {
        FREE.invokeExact(base);
      } catch (Throwable e) {
        throw new IllegalStateException("free cannot be called", e);
      }
    }
  }
}
