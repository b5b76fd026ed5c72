package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Llama3Scaling;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rotary position embedding, half-split: dimension d turns with d + headDim / 2. Frequencies and
 * angles are rounded to float as in transformers, whose results are the measure. The tables grow
 * between steps, so only the holder of the step may call {@link #ensure}.
 */
final class Rope {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  private final int half;
  private final float[] frequencies;
  private final int maxPositions;
  private float[] cos = new float[0]; // [positions, half]
  private float[] sin = new float[0];
  private int positions;

  Rope(ModelConfig config, int maxPositions) {
    this.half = config.headDim() / 2;
    this.maxPositions = maxPositions;
    this.frequencies = new float[half];
    for (int i = 0; i < half; i++) {
      float plain = (float) (1 / Math.pow(config.rope().theta(), 2.0 * i / config.headDim()));
      Llama3Scaling scaling = config.rope().scaling();
      frequencies[i] = scaling == null ? plain : scaled(plain, scaling);
    }
  }

  private static float scaled(float frequency, Llama3Scaling s) {
    double wavelength = 2 * Math.PI / frequency;
    double low = s.originalMaxPositions() / s.lowFreqFactor();
    double high = s.originalMaxPositions() / s.highFreqFactor();
    if (wavelength < high) {
      return frequency;
    }
    if (wavelength > low) {
      return (float) (frequency / s.factor());
    }
    double smooth =
        (s.originalMaxPositions() / wavelength - s.lowFreqFactor())
            / (s.highFreqFactor() - s.lowFreqFactor());
    return (float) ((1 - smooth) * frequency / s.factor() + smooth * frequency);
  }

  /** Makes the tables cover so many positions. */
  void ensure(int count) {
    if (count <= positions) {
      return;
    }
    int grown = Math.max(count, Math.min(maxPositions, Math.max(256, positions * 2)));
    float[] newCos = new float[Math.multiplyExact(grown, half)];
    float[] newSin = new float[newCos.length];
    System.arraycopy(cos, 0, newCos, 0, positions * half);
    System.arraycopy(sin, 0, newSin, 0, positions * half);
    for (int p = positions; p < grown; p++) {
      for (int i = 0; i < half; i++) {
        float angle = p * frequencies[i];
        newCos[p * half + i] = (float) Math.cos(angle);
        newSin[p * half + i] = (float) Math.sin(angle);
      }
    }
    cos = newCos;
    sin = newSin;
    positions = grown;
  }

  /** Turns one head in place. */
  void rotate(float[] x, int at, int position) {
    int row = position * half;
    int i = 0;
    for (; i <= half - F.length(); i += F.length()) {
      FloatVector a = FloatVector.fromArray(F, x, at + i);
      FloatVector b = FloatVector.fromArray(F, x, at + half + i);
      FloatVector c = FloatVector.fromArray(F, cos, row + i);
      FloatVector s = FloatVector.fromArray(F, sin, row + i);
      a.mul(c).sub(b.mul(s)).intoArray(x, at + i);
      b.mul(c).add(a.mul(s)).intoArray(x, at + half + i);
    }
    for (; i < half; i++) {
      float a = x[at + i];
      float b = x[at + half + i];
      x[at + i] = a * cos[row + i] - b * sin[row + i];
      x[at + half + i] = b * cos[row + i] + a * sin[row + i];
    }
  }
}
