package dev.flotilla.protocol;

/**
 * One leadership of one coordinator, ordered by (number, node). A new leader takes the highest
 * number that it has seen or been told of, plus one, so that nothing needs to be durable; two that
 * took the same number without knowing of each other are told apart by their nodes, and the higher
 * one stays.
 *
 * <p>An epoch carries the number alone. Therefore receivers go over to another leader only for a
 * higher number: under an equal one both may have given the same epochs. They tell a leader that
 * they do not follow what they have seen, and it goes above.
 *
 * @param number from 1; 0 is no leadership
 * @param node of the coordinator
 */
public record Term(int number, NodeId node) implements Comparable<Term> {
  /** Nobody has led yet. */
  public static final Term NONE = new Term(0, new NodeId("nobody"));

  /** Refuses negative numbers. */
  public Term {
    if (number < 0) {
      throw new IllegalArgumentException("term must not be negative: " + number);
    }
  }

  /**
   * Reads {@code number@node}.
   *
   * @throws IllegalArgumentException for anything else
   */
  public static Term of(String text) {
    int at = text.indexOf('@');
    if (at < 0) {
      throw new IllegalArgumentException("term must be number@node, not '" + text + "'");
    }
    return new Term(Integer.parseInt(text.substring(0, at)), new NodeId(text.substring(at + 1)));
  }

  /** The lowest leadership of a node that goes above this one. */
  public Term next(NodeId leader) {
    return new Term(Math.addExact(number, 1), leader);
  }

  /**
   * Whether a receiver that has seen this term takes what another says: the same leader, or one of
   * a higher number that itself can have a successor.
   */
  public boolean admits(Term other) {
    return other.equals(this) || (other.number > number && !other.last());
  }

  /** The later of both. */
  public Term max(Term other) {
    return compareTo(other) >= 0 ? this : other;
  }

  /** Whether no number is left for a successor. */
  public boolean last() {
    return number == Integer.MAX_VALUE;
  }

  @Override
  public int compareTo(Term other) {
    int order = Integer.compare(number, other.number);
    return order != 0 ? order : node.compareTo(other.node);
  }

  @Override
  public String toString() {
    return number + "@" + node;
  }
}
