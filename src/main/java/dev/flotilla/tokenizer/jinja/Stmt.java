package dev.flotilla.tokenizer.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement of a template, with the line it stands in. */
sealed interface Stmt {
  int line();

  record Data(int line, String text) implements Stmt {}

  record Print(int line, Expr value) implements Stmt {}

  record If(int line, Expr test, List<Stmt> then, List<Stmt> otherwise) implements Stmt {}

  record For(
      int line,
      Target target,
      Expr iterable,
      @Nullable Expr filter,
      List<Stmt> body,
      List<Stmt> otherwise)
      implements Stmt {}

  record Set(int line, Target target, Expr value) implements Stmt {}

  /** The value is what the body renders, through filters. */
  record SetBlock(int line, Target target, Expr value, List<Stmt> body) implements Stmt {}

  record FilterBlock(int line, Expr value, List<Stmt> body) implements Stmt {}

  record MacroOf(int line, String name, Signature signature, List<Stmt> body) implements Stmt {}

  record CallBlock(int line, Signature signature, Expr.Call call, List<Stmt> body)
      implements Stmt {}

  record With(int line, List<Target> targets, List<Expr> values, List<Stmt> body) implements Stmt {}

  /** Transformers' mark around what the assistant said; changes no text. */
  record Generation(int line, List<Stmt> body) implements Stmt {}

  record Break(int line) implements Stmt {}

  record Continue(int line) implements Stmt {}

  /** What is assigned to. */
  sealed interface Target {
    record Variable(String name) implements Target {}

    record Tuple(List<Target> items) implements Target {}

    record Member(String namespace, String attribute) implements Target {}
  }

  /**
   * A macro's parameters.
   *
   * @param defaults of the last parameters
   */
  record Signature(List<String> names, List<Expr> defaults) {
    static final Signature NONE = new Signature(List.of(), List.of());

    @Nullable Expr defaultOf(int index) {
      int at = index - (names.size() - defaults.size());
      return at < 0 ? null : defaults.get(at);
    }
  }
}
