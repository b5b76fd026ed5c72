package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Expr.Arguments;
import dev.flotilla.tokenizer.jinja.TemplateException.Kind;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Walks through a template without rendering it. An expression is called soft if a condition may
 * keep it from being computed: only there may an unknown filter stand.
 */
final class Names {
  private final BiConsumer<Expr, Boolean> visitor;

  private Names(BiConsumer<Expr, Boolean> visitor) {
    this.visitor = visitor;
  }

  /** Which of some names a body reads. */
  static Set<String> used(List<Stmt> body, Set<String> names) {
    Set<String> found = new HashSet<>();
    new Names(
            (expr, _) -> {
              if (expr instanceof Expr.Name name && names.contains(name.name())) {
                found.add(name.name());
              }
            })
        .all(body, false);
    return found;
  }

  /** Refuses filters and tests that do not exist. */
  static void check(List<Stmt> body) {
    new Names(Names::check).all(body, false);
  }

  private static void check(Expr expr, boolean soft) {
    if (!soft && expr instanceof Expr.Filter filter && !Filters.exists(filter.name())) {
      throw new TemplateException(
          Kind.ASSERTION, filter.line(), "No filter named '%s'.".formatted(filter.name()));
    }
    if (!soft && expr instanceof Expr.Test test && !Tests.exists(test.name())) {
      throw new TemplateException(
          Kind.ASSERTION, test.line(), "No test named '%s'.".formatted(test.name()));
    }
  }

  private void all(List<Stmt> body, boolean soft) {
    for (Stmt statement : body) {
      one(statement, soft);
    }
  }

  private void one(Stmt statement, boolean soft) {
    switch (statement) {
      case Stmt.Print print -> visit(print.value(), soft);
      case Stmt.If test -> {
        visit(test.test(), true);
        all(test.then(), true);
        all(test.otherwise(), true);
      }
      case Stmt.For loop -> {
        visit(loop.iterable(), soft);
        visit(loop.filter(), false);
        all(loop.body(), false);
        all(loop.otherwise(), false);
      }
      case Stmt.Set set -> visit(set.value(), soft);
      case Stmt.SetBlock set -> {
        visit(set.value(), soft);
        all(set.body(), false);
      }
      case Stmt.FilterBlock block -> {
        visit(block.value(), false);
        all(block.body(), false);
      }
      case Stmt.MacroOf macro -> {
        visit(macro.signature().defaults(), false);
        all(macro.body(), false);
      }
      case Stmt.CallBlock block -> {
        visit(block.call(), soft);
        visit(block.signature().defaults(), false);
        all(block.body(), false);
      }
      case Stmt.With with -> {
        visit(with.values(), soft);
        all(with.body(), false);
      }
      case Stmt.Generation generation -> all(generation.body(), false);
      case Stmt.Data _, Stmt.Break _, Stmt.Continue _ -> {}
    }
  }

  private void visit(List<Expr> all, boolean soft) {
    for (Expr expr : all) {
      visit(expr, soft);
    }
  }

  private void visit(@Nullable Expr expr, boolean soft) {
    if (expr == null) {
      return;
    }
    visitor.accept(expr, soft);
    switch (expr) {
      case Expr.Const _, Expr.Name _, Expr.Body _ -> {}
      case Expr.ListOf l -> visit(l.items(), soft);
      case Expr.TupleOf t -> visit(t.items(), soft);
      case Expr.DictOf d -> visit(d.items(), soft);
      case Expr.Attribute a -> visit(a.of(), soft);
      case Expr.Item i -> {
        visit(i.of(), soft);
        visit(i.index(), soft);
      }
      case Expr.Slice s -> {
        visit(s.of(), soft);
        visit(s.from(), soft);
        visit(s.to(), soft);
        visit(s.step(), soft);
      }
      case Expr.Call c -> passed(c.of(), c.arguments(), soft);
      case Expr.Filter f -> passed(f.of(), f.arguments(), soft);
      case Expr.Test t -> passed(t.of(), t.arguments(), soft);
      case Expr.Not n -> visit(n.of(), soft);
      case Expr.Sign s -> visit(s.of(), soft);
      case Expr.Binary b -> both(b.left(), b.right(), soft);
      case Expr.And a -> both(a.left(), a.right(), soft);
      case Expr.Or o -> both(o.left(), o.right(), soft);
      case Expr.Concat c -> visit(c.parts(), soft);
      case Expr.Compare c -> {
        visit(c.first(), soft);
        c.rest().forEach(o -> visit(o.value(), soft));
      }
      case Expr.Cond c -> {
        visit(c.test(), true);
        visit(c.then(), true);
        visit(c.otherwise(), true);
      }
    }
  }

  private void both(Expr left, Expr right, boolean soft) {
    visit(left, soft);
    visit(right, soft);
  }

  private void passed(Expr of, Arguments arguments, boolean soft) {
    visit(of, soft);
    visit(arguments.positional(), soft);
    arguments.named().forEach(k -> visit(k.value(), soft));
    visit(arguments.list(), soft);
    visit(arguments.dict(), soft);
  }
}
