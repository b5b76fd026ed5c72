/**
 * Kernels written by {@code KernelSources} (in the tests), one class per vector width; a test holds
 * them against their generator. They trust the addresses they are given.
 */
@NullMarked
package dev.flotilla.executor.cpu.generated;

import org.jspecify.annotations.NullMarked;
