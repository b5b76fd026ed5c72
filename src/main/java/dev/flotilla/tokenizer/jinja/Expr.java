package dev.flotilla.tokenizer.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An expression of a template, with the line it stands in. */
sealed interface Expr {
  int line();

  record Const(int line, Object value) implements Expr {}

  record Name(int line, String name) implements Expr {}

  record ListOf(int line, List<Expr> items) implements Expr {}

  record TupleOf(int line, List<Expr> items) implements Expr {}

  /** Keys and values alternate. */
  record DictOf(int line, List<Expr> items) implements Expr {}

  record Attribute(int line, Expr of, String name) implements Expr {}

  record Item(int line, Expr of, Expr index) implements Expr {}

  record Slice(int line, Expr of, @Nullable Expr from, @Nullable Expr to, @Nullable Expr step)
      implements Expr {}

  record Call(int line, Expr of, Arguments arguments) implements Expr {}

  record Filter(int line, Expr of, String name, Arguments arguments) implements Expr {}

  record Test(int line, Expr of, String name, Arguments arguments) implements Expr {}

  record Not(int line, Expr of) implements Expr {}

  record Sign(int line, boolean minus, Expr of) implements Expr {}

  record Binary(int line, String operator, Expr left, Expr right) implements Expr {}

  record Concat(int line, List<Expr> parts) implements Expr {}

  record Compare(int line, Expr first, List<Operand> rest) implements Expr {}

  record And(int line, Expr left, Expr right) implements Expr {}

  record Or(int line, Expr left, Expr right) implements Expr {}

  record Cond(int line, Expr test, Expr then, @Nullable Expr otherwise) implements Expr {}

  /** What a block has rendered; the subject of its filters. */
  record Body(int line) implements Expr {}

  /** One more operand in a chain of comparisons. */
  record Operand(String operator, Expr value) {}

  /** What is passed to a call, a filter or a test. */
  record Arguments(
      List<Expr> positional, List<Keyword> named, @Nullable Expr list, @Nullable Expr dict) {
    static final Arguments NONE = new Arguments(List.of(), List.of(), null, null);
  }

  record Keyword(String name, Expr value) {}
}
