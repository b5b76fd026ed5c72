package dev.flotilla.executor.cpu;

import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Llama3Scaling;

/**
 * Rotary position embedding: element {@code i} of a head's first half and of its second half are a
 * point in the plane, turned by {@code position * frequency(i)}.
 */
final class RotaryAngles {
  private final int dim;
  private final double[] frequencies; // [headDim / 2]

  RotaryAngles(ModelConfig config) {
    dim = config.headDim();
    frequencies = new double[dim / 2];
    Llama3Scaling scaling = config.rope().scaling();
    for (int i = 0; i < frequencies.length; i++) {
      double frequency = Math.pow(config.rope().theta(), -2.0 * i / dim);
      frequencies[i] = scaling == null ? frequency : scaled(frequency, scaling);
    }
  }

  /** Long waves are stretched by the factor, short ones left, those between partly stretched. */
  private static double scaled(double frequency, Llama3Scaling s) {
    double turns = s.originalMaxPositions() * frequency / (2 * Math.PI);
    double share = (turns - s.lowFreqFactor()) / (s.highFreqFactor() - s.lowFreqFactor());
    double kept = Math.clamp(share, 0, 1);
    return kept * frequency + (1 - kept) * frequency / s.factor();
  }

  /** Turns each head of {@code x}. */
  void rotate(float[] x, int position) {
    int half = dim / 2;
    for (int head = 0; head < x.length; head += dim) {
      for (int i = 0; i < half; i++) {
        float cos = (float) Math.cos(position * frequencies[i]);
        float sin = (float) Math.sin(position * frequencies[i]);
        float a = x[head + i];
        float b = x[head + half + i];
        x[head + i] = a * cos - b * sin;
        x[head + half + i] = b * cos + a * sin;
      }
    }
  }
}
