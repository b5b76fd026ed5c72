package dev.flotilla.executor.cpu;

/**
 * A mixture layer. A token's experts are added in ascending order of their numbers, one after the
 * other, so that its result has the same bits wherever the experts were computed.
 */
interface Mixture {
  /**
   * Computes the layer of the packed, normed tokens into {@code out}, {@code ldy} apart.
   *
   * @param index of the layer
   */
  void run(int index, CpuWeights.Layer layer, Tiles router, Packed x, float[] out, int ldy);
}
