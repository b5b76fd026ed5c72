package dev.flotilla.model;

import java.util.Arrays;

/**
 * What one rank sends another in one exchange: whole numbers, then activations. A buffer that is
 * filled again and again and grows to the greatest load seen. Used by one thread at a time.
 */
public final class Parcel {
  private int[] numbers = new int[0];
  private float[] values = new float[0];
  private int numberCount;
  private int valueCount;

  /** With those numbers and no activations. */
  public static Parcel of(int... numbers) {
    Parcel parcel = new Parcel();
    parcel.reset(numbers.length, 0);
    System.arraycopy(numbers, 0, parcel.numbers, 0, numbers.length);
    return parcel;
  }

  /** Makes room for so much; what it held is lost, and what it holds now is not set. */
  public Parcel reset(int newNumbers, int newValues) {
    if (numbers.length < newNumbers) {
      numbers = new int[grown(newNumbers)];
    }
    if (values.length < newValues) {
      values = new float[grown(newValues)];
    }
    numberCount = newNumbers;
    valueCount = newValues;
    return this;
  }

  private static int grown(int needed) {
    return (int) Math.min(Integer.MAX_VALUE - 8, needed + needed / 4L);
  }

  /** The numbers; those from {@link #numberCount()} on mean nothing. */
  public int[] numbers() {
    return numbers;
  }

  /** The activations; those from {@link #valueCount()} on mean nothing. */
  public float[] values() {
    return values;
  }

  /** Numbers it holds. */
  public int numberCount() {
    return numberCount;
  }

  /** Activations it holds. */
  public int valueCount() {
    return valueCount;
  }

  @Override
  public String toString() {
    return "%d numbers %s and %d activations"
        .formatted(
            numberCount,
            Arrays.toString(Arrays.copyOf(numbers, Math.min(8, numberCount))),
            valueCount);
  }
}
