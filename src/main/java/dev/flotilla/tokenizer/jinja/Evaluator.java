package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Expr.Arguments;
import dev.flotilla.tokenizer.jinja.Expr.Operand;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Computes expressions, from left to right as Python does. Used by one rendering. */
final class Evaluator {
  /** The variable that holds what a block has rendered; no template can name it. */
  static final String BODY = "{body}";

  private final Run run;

  Evaluator(Run run) {
    this.run = run;
  }

  Object value(Expr expr, Scope scope) {
    try {
      run.step();
      return run.made(compute(expr, scope));
    } catch (TemplateException e) {
      throw e.at(expr.line());
    }
  }

  private Object compute(Expr expr, Scope scope) {
    return switch (expr) {
      case Expr.Const c -> c.value();
      case Expr.Name n -> scope.get(n.name());
      case Expr.Body _ -> scope.get(BODY);
      case Expr.ListOf l -> values(l.items(), scope);
      case Expr.TupleOf t -> new Tuple(values(t.items(), scope));
      case Expr.DictOf d -> dict(d, scope);
      case Expr.Attribute a -> Attributes.attribute(value(a.of(), scope), a.name());
      case Expr.Item i -> Attributes.item(value(i.of(), scope), value(i.index(), scope));
      case Expr.Slice s -> slice(s, scope);
      case Expr.Call c -> call(c, scope, Map.of());
      case Expr.Filter f -> {
        Object of = value(f.of(), scope);
        yield Filters.apply(run, f.name(), of, arguments(f.arguments(), scope));
      }
      case Expr.Test t -> {
        Object of = value(t.of(), scope);
        yield Tests.holds(t.name(), of, arguments(t.arguments(), scope));
      }
      case Expr.Not n -> !Types.truth(value(n.of(), scope));
      case Expr.Sign s -> Numbers.signed(s.minus(), value(s.of(), scope));
      case Expr.Binary b ->
          Numbers.binary(b.operator(), value(b.left(), scope), value(b.right(), scope));
      case Expr.Concat c -> concat(c, scope);
      case Expr.Compare c -> compare(c, scope);
      case Expr.And a -> {
        Object left = value(a.left(), scope);
        yield Types.truth(left) ? value(a.right(), scope) : left;
      }
      case Expr.Or o -> {
        Object left = value(o.left(), scope);
        yield Types.truth(left) ? left : value(o.right(), scope);
      }
      case Expr.Cond c -> conditional(c, scope);
    };
  }

  private List<Object> values(List<Expr> items, Scope scope) {
    List<Object> values = new ArrayList<>(items.size());
    for (Expr item : items) {
      values.add(value(item, scope));
    }
    return values;
  }

  private Object dict(Expr.DictOf of, Scope scope) {
    Dict dict = new Dict();
    for (int i = 0; i < of.items().size(); i += 2) {
      Object key = value(of.items().get(i), scope);
      dict.put(key, value(of.items().get(i + 1), scope));
    }
    return dict;
  }

  private Object slice(Expr.Slice slice, Scope scope) {
    Object of = value(slice.of(), scope);
    Object from = slice.from() == null ? None.NONE : value(slice.from(), scope);
    Object to = slice.to() == null ? None.NONE : value(slice.to(), scope);
    Object step = slice.step() == null ? None.NONE : value(slice.step(), scope);
    return Sequences.slice(of, from, to, step);
  }

  private Object concat(Expr.Concat concat, Scope scope) {
    StringBuilder text = new StringBuilder();
    for (Expr part : concat.parts()) {
      String next = Text.str(value(part, scope));
      Text.check((long) text.length() + next.length());
      text.append(next);
    }
    return text.toString();
  }

  private Object compare(Expr.Compare compare, Scope scope) {
    Object left = value(compare.first(), scope);
    for (Operand operand : compare.rest()) {
      Object right = value(operand.value(), scope);
      boolean holds =
          switch (operand.operator()) {
            case "==" -> Compare.equal(left, right);
            case "!=" -> !Compare.equal(left, right);
            case "in" -> Sequences.contains(right, left);
            case "not in" -> !Sequences.contains(right, left);
            default -> Compare.ordered(operand.operator(), left, right);
          };
      if (!holds) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Object conditional(Expr.Cond cond, Scope scope) {
    if (Types.truth(value(cond.test(), scope))) {
      return value(cond.then(), scope);
    }
    return cond.otherwise() != null
        ? value(cond.otherwise(), scope)
        : Undefined.hint(
            ("the inline if-expression on line %d evaluated to false and no else section was"
                    + " defined.")
                .formatted(cond.line()));
  }

  /**
   * The result of a call.
   *
   * @param extra keywords that are passed as well
   */
  Object call(Expr.Call call, Scope scope, Map<String, Object> extra) {
    Object of = value(call.of(), scope);
    Args args = arguments(call.arguments(), scope);
    if (!extra.isEmpty()) {
      Map<String, Object> named = new LinkedHashMap<>(args.named());
      named.putAll(extra);
      args = new Args(args.positional(), named);
    }
    return switch (of) {
      case Callable callable -> callable.call(run, args);
      case Undefined undefined -> throw undefined.failure();
      default -> throw TemplateException.type("'%s' object is not callable", Types.name(of));
    };
  }

  private Args arguments(Arguments arguments, Scope scope) {
    if (arguments.equals(Arguments.NONE)) {
      return Args.NONE;
    }
    List<Object> positional = values(arguments.positional(), scope);
    Map<String, Object> named = new LinkedHashMap<>();
    if (arguments.list() != null) {
      Sequences.iterator(value(arguments.list(), scope)).forEachRemaining(positional::add);
    }
    for (Expr.Keyword keyword : arguments.named()) {
      if (named.put(keyword.name(), value(keyword.value(), scope)) != null) {
        throw new TemplateException(
            TemplateException.Kind.SYNTAX, "keyword argument repeated: " + keyword.name());
      }
    }
    if (arguments.dict() != null) {
      if (!(value(arguments.dict(), scope) instanceof Dict dict)) {
        throw TemplateException.type("argument after ** must be a mapping");
      }
      dict.entries().forEach(e -> named.put(Text.str(e.key()), e.value()));
    }
    return new Args(positional, named);
  }
}
