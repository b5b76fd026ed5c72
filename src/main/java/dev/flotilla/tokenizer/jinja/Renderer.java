package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Stmt.Target;
import dev.flotilla.tokenizer.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Carries statements out. Used by one rendering. */
final class Renderer {
  private final Run run;
  private final Evaluator evaluator;

  Renderer(Run run) {
    this.run = run;
    this.evaluator = new Evaluator(run);
  }

  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  Object value(Expr expr, Scope scope) {
    return evaluator.value(expr, scope);
  }

  /** Renders statements; a jump out of them ends the innermost loop's turn. */
  private Flow flow(List<Stmt> body, Scope scope, StringBuilder out) {
    for (Stmt statement : body) {
      try {
        run.step();
        Flow flow = one(statement, scope, out);
        if (flow != Flow.NEXT) {
          return flow;
        }
      } catch (TemplateException e) {
        throw e.at(statement.line());
      }
    }
    return Flow.NEXT;
  }

  void all(List<Stmt> body, Scope scope, StringBuilder out) {
    flow(body, scope, out);
  }

  private Flow one(Stmt statement, Scope scope, StringBuilder out) {
    switch (statement) {
      case Stmt.Data data -> append(out, data.text());
      case Stmt.Print print -> append(out, Text.str(value(print.value(), scope)));
      case Stmt.If test -> {
        return flow(
            Types.truth(value(test.test(), scope)) ? test.then() : test.otherwise(), scope, out);
      }
      case Stmt.For loop -> {
        return loop(loop, scope, out);
      }
      case Stmt.Set set -> assign(set.target(), value(set.value(), scope), scope);
      case Stmt.SetBlock set ->
          assign(set.target(), filtered(set.body(), set.value(), scope), scope);
      case Stmt.FilterBlock block ->
          append(out, Text.str(filtered(block.body(), block.value(), scope)));
      case Stmt.MacroOf macro ->
          scope.set(macro.name(), macro(macro.name(), macro.signature(), macro.body(), scope));
      case Stmt.CallBlock block -> {
        Macro caller = macro("caller", block.signature(), block.body(), scope);
        append(out, Text.str(evaluator.call(block.call(), scope, Map.of("caller", caller))));
      }
      case Stmt.With with -> {
        return with(with, scope, out);
      }
      case Stmt.Generation generation -> flow(generation.body(), new Scope(scope), out);
      case Stmt.Break _ -> {
        return Flow.BREAK;
      }
      case Stmt.Continue _ -> {
        return Flow.CONTINUE;
      }
    }
    return Flow.NEXT;
  }

  private static void append(StringBuilder out, String text) {
    Text.check((long) out.length() + text.length());
    out.append(text);
  }

  private Macro macro(String name, Stmt.Signature signature, List<Stmt> body, Scope scope) {
    Set<String> used = Names.used(body, Set.of("caller", "kwargs", "varargs"));
    return new Macro(name, signature, body, scope, used, this);
  }

  private Object filtered(List<Stmt> body, Expr value, Scope scope) {
    StringBuilder text = new StringBuilder();
    Scope inner = new Scope(scope);
    flow(body, inner, text);
    return value(value, new Scope(scope).set(Evaluator.BODY, text.toString()));
  }

  private Flow with(Stmt.With with, Scope scope, StringBuilder out) {
    Scope inner = new Scope(scope);
    for (int i = 0; i < with.targets().size(); i++) {
      assign(with.targets().get(i), value(with.values().get(i), scope), inner);
    }
    return flow(with.body(), inner, out);
  }

  private Flow loop(Stmt.For loop, Scope scope, StringBuilder out) {
    Object of = value(loop.iterable(), scope);
    Iterator<Object> items = Sequences.iterator(of);
    int length = Sequences.sized(of) ? Sequences.length(of) : -1;
    Loop state =
        loop.filter() == null
            ? new Loop(items, length)
            : new Loop(filtered(loop.target(), loop.filter(), items, scope), -1);
    boolean none = true;
    for (Object item = state.next(); item != null; item = state.next()) {
      run.step();
      Scope inner = new Scope(scope).set("loop", state);
      assign(loop.target(), item, inner);
      Flow end = flow(loop.body(), inner, out);
      if (end == Flow.BREAK) {
        break;
      }
      // As in jinja2, a turn that was cut short does not count.
      none &= end != Flow.NEXT;
    }
    return none ? flow(loop.otherwise(), new Scope(scope), out) : Flow.NEXT;
  }

  /** The items of a loop with a condition, each tried when it is wanted. */
  private Iterator<Object> filtered(
      Target target, Expr filter, Iterator<Object> items, Scope scope) {
    return new Generated(
        () -> {
          while (items.hasNext()) {
            Object item = items.next();
            Scope inner = new Scope(scope);
            assign(target, item, inner);
            if (Types.truth(value(filter, inner))) {
              return item;
            }
          }
          return null;
        });
  }

  private void assign(Target target, Object value, Scope scope) {
    switch (target) {
      case Target.Variable variable -> scope.set(variable.name(), value);
      case Target.Member member -> {
        Object namespace = scope.get(member.namespace());
        if (!(namespace instanceof Namespace known)) {
          throw new TemplateException(
              Kind.RUNTIME, "cannot assign attribute on non-namespace object");
        }
        known.attributes().put(member.attribute(), value);
      }
      case Target.Tuple tuple -> unpack(tuple.items(), value, scope);
    }
  }

  private void unpack(List<Target> targets, Object value, Scope scope) {
    if (!Sequences.iterable(value)) {
      throw TemplateException.type("cannot unpack non-iterable %s object", Types.name(value));
    }
    List<Object> items = new ArrayList<>();
    Iterator<Object> iterator = Sequences.iterator(value);
    while (iterator.hasNext() && items.size() <= targets.size()) {
      items.add(iterator.next());
    }
    if (items.size() > targets.size()) {
      throw TemplateException.value("too many values to unpack (expected %d)", targets.size());
    }
    if (items.size() < targets.size()) {
      throw TemplateException.value(
          "not enough values to unpack (expected %d, got %d)", targets.size(), items.size());
    }
    for (int i = 0; i < items.size(); i++) {
      assign(targets.get(i), items.get(i), scope);
    }
  }
}
