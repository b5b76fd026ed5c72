package dev.flotilla.grammar;

import dev.flotilla.grammar.NumberRules.Bound;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The decimal numbers between two bounds. For each count of digits before the point an automaton
 * compares digit by digit: as long as all digits so far equal a bound's, that bound is tight and
 * limits the next one.
 */
final class NumberRange {
  private static final int WHOLE_MAX = 18;

  private final @Nullable Bound low;
  private final @Nullable Bound high;
  private final int fractionMax;
  private final CharNfa.Builder builder = new CharNfa.Builder("minimum");

  /** How far a number is written, and which bounds its digits still equal. */
  private record Progress(int digits, boolean tightLow, boolean tightHigh) {}

  NumberRange(@Nullable Bound low, @Nullable Bound high, int fractionMax) {
    this.low = low;
    this.high = high;
    this.fractionMax = fractionMax;
  }

  CharNfa build() {
    int start = builder.state();
    if (high == null || high.value().signum() >= 0) {
      Bound from = low == null || low.value().signum() < 0 ? zero(true) : low;
      digits(start, from, high);
    }
    if (low == null || low.value().signum() < 0) {
      int minus = builder.state();
      builder.edge(start, CodePoints.of('-'), minus);
      // Zero is written without a sign.
      Bound from = high == null || high.value().signum() >= 0 ? zero(false) : high.negated();
      digits(minus, from, low == null ? null : low.negated());
    }
    return builder.build();
  }

  private static Bound zero(boolean closed) {
    return new Bound(BigDecimal.ZERO, closed);
  }

  private void digits(int from, Bound least, @Nullable Bound most) {
    String low = whole(least);
    for (int length = low.length(); length <= WHOLE_MAX; length++) {
      if (most != null && whole(most).length() < length) {
        return;
      }
      boolean tightHigh = most != null && whole(most).length() == length;
      new Walk(length, least, most).build(from, new Progress(0, low.length() == length, tightHigh));
    }
  }

  private static String whole(Bound bound) {
    return bound.value().setScale(0, RoundingMode.DOWN).toBigInteger().toString();
  }

  /** All numbers with so many digits before the point. */
  private final class Walk {
    private final int length;
    private final Bound least;
    private final @Nullable Bound most;
    private final String lowDigits;
    private final String highDigits;
    private final Map<Progress, Integer> states = new HashMap<>();

    Walk(int length, Bound least, @Nullable Bound most) {
      this.length = length;
      this.least = least;
      this.most = most;
      lowDigits = digits(least);
      highDigits = most == null ? "" : digits(most);
    }

    /** Digits before and after the point, padded to the length of all that may be written. */
    private String digits(Bound bound) {
      BigDecimal value = bound.value();
      int scale = Math.max(fractionMax, value.scale()) + 1;
      BigInteger all = value.setScale(scale, RoundingMode.UNNECESSARY).unscaledValue();
      String text = all.toString();
      int wanted = Math.max(length, whole(bound).length()) + scale;
      return "0".repeat(Math.max(0, wanted - text.length())) + text;
    }

    void build(int from, Progress progress) {
      next(from, progress, progress.digits == 0 && length > 1 ? 1 : 0);
    }

    private void next(int state, Progress at, int least) {
      for (int digit = least; digit < 10; digit++) {
        int lower = at.tightLow ? lowDigits.charAt(at.digits) - '0' : -1;
        int upper = at.tightHigh ? highDigits.charAt(at.digits) - '0' : 10;
        if (digit >= lower && digit <= upper) {
          Progress then = new Progress(at.digits + 1, digit == lower, digit == upper);
          builder.edge(state, CodePoints.of('0' + digit), stateOf(then));
        }
      }
    }

    private int stateOf(Progress progress) {
      Integer known = states.get(progress);
      if (known != null) {
        return known;
      }
      int state = builder.state();
      states.put(progress, state);
      if (progress.digits >= length && fits(progress)) {
        builder.accept(state);
      }
      if (progress.digits < length) {
        next(state, progress, 0);
      } else if (progress.digits == length && fractionMax > 0) {
        int point = builder.state();
        builder.edge(state, CodePoints.of('.'), point);
        next(point, progress, 0);
      } else if (progress.digits < length + fractionMax) {
        next(state, progress, 0);
      }
      return state;
    }

    /** Whether the number may end here, given that zeros follow. */
    private boolean fits(Progress at) {
      boolean aboveLow = !at.tightLow || (restIsZero(lowDigits, at.digits) && least.closed());
      boolean belowHigh =
          !at.tightHigh || !restIsZero(highDigits, at.digits) || (most != null && most.closed());
      return aboveLow && belowHigh;
    }

    private static boolean restIsZero(String digits, int from) {
      return digits.substring(from).chars().allMatch(c -> c == '0');
    }
  }
}
