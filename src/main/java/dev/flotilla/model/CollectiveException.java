package dev.flotilla.model;

import dev.flotilla.protocol.Rank;
import java.util.List;

/**
 * A step that ranks were to take together has failed for this member. Nothing that the exchange
 * brought may be used, and the generation is over: the group goes on only as a new one.
 */
public final class CollectiveException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What went wrong. */
  public enum Kind {
    /** The missing ranks did not come before the deadline. */
    STALLED(1),
    /** The missing ranks have closed, or their connections have ended. */
    GONE(2),
    /** The ranks named as missing belong to another member list. */
    WRONG_GENERATION(3),
    /** The ranks named as missing came to another exchange: a bug. */
    OUT_OF_STEP(4),
    /** This member itself was closed or interrupted. */
    CLOSED(5);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    /** What stands for it between two ranks. */
    public int code() {
      return code;
    }

    /** What a code stands for; unknown ones mean that the other is gone. */
    public static Kind of(int code) {
      for (Kind kind : values()) {
        if (kind.code == code) {
          return kind;
        }
      }
      return GONE;
    }
  }

  private final Kind kind;
  private final transient List<Rank> missing;

  /** With its sentence. */
  public CollectiveException(Kind kind, List<Rank> missing, String message) {
    super(message);
    this.kind = kind;
    this.missing = List.copyOf(missing);
  }

  /** What went wrong. */
  public Kind kind() {
    return kind;
  }

  /** The ranks that it was due to, ascending; empty if it was due to nobody else. */
  public List<Rank> missing() {
    return missing;
  }
}
