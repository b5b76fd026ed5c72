package dev.flotilla.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class TermTest {
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");

  @Test
  void areOrderedByNumberThenNode() {
    List<Term> ordered = List.of(Term.NONE, new Term(1, A), new Term(1, B), new Term(2, A));
    assertEquals(ordered, ordered.reversed().stream().sorted().toList());
    assertEquals(new Term(2, A), new Term(1, B).max(new Term(2, A)));
  }

  @Test
  void aSuccessorIsOneNumberHigherWhoeverItIs() {
    assertEquals(new Term(2, A), new Term(1, B).next(A));
    assertThrows(ArithmeticException.class, () -> new Term(Integer.MAX_VALUE, A).next(A));
  }

  @Test
  void receiversGoOverForAHigherNumberAlone() {
    Term seen = new Term(3, A);
    assertTrue(seen.admits(seen));
    assertTrue(seen.admits(new Term(4, A)));
    assertFalse(seen.admits(new Term(3, B)), "both may have given the same epochs");
    assertFalse(seen.admits(new Term(2, B)));
    assertFalse(seen.admits(new Term(Integer.MAX_VALUE, B)), "it could have no successor");
  }

  @Test
  void isReadFromItsText() {
    Term term = new Term(7, new NodeId("node@host"));
    assertEquals(term, Term.of(term.toString()));
    for (String bad : List.of("7", "x@a", "-1@a", "7@")) {
      assertThrows(IllegalArgumentException.class, () -> Term.of(bad), bad);
    }
  }
}
