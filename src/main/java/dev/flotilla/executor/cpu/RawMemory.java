package dev.flotilla.executor.cpu;

import java.lang.foreign.MemorySegment;

/** The whole address space as one segment, for the kernels of this part only. */
public final class RawMemory {
  /**
   * An offset in it is an address. As a constant it costs nothing and leaves all accesses with one
   * type, but nothing checks them: a wrong address ends the JVM.
   */
  @SuppressWarnings("restricted")
  public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private RawMemory() {}
}
