package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Expr.Arguments;
import dev.flotilla.tokenizer.jinja.Expr.Keyword;
import dev.flotilla.tokenizer.jinja.Expr.Operand;
import dev.flotilla.tokenizer.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads expressions by recursive descent, with jinja2's precedence, which is not quite Python's:
 * tests and filters bind closer than any operator, powers group to the left, and {@code ~} lies
 * between sums and products.
 */
final class ExprParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<Kind> ARGUMENT_STARTS =
      Set.of(Kind.NAME, Kind.STRING, Kind.INTEGER, Kind.FLOAT);

  private final Tokens tokens;

  ExprParser(Tokens tokens) {
    this.tokens = tokens;
  }

  /** One expression. */
  Expr expression() {
    tokens.enter();
    Expr expr = conditional();
    tokens.leave();
    return expr;
  }

  /** An expression, or several with commas, which make a tuple. */
  Expr tuple(boolean conditional, @Nullable String end) {
    return tuple(conditional ? this::expression : this::or, end, false);
  }

  private Expr tuple(Supplier<Expr> item, @Nullable String end, boolean parentheses) {
    int line = tokens.current().line();
    List<Expr> items = new ArrayList<>();
    boolean isTuple = false;
    while (!endsTuple(end)) {
      items.add(item.get());
      if (!tokens.skip(",")) {
        break;
      }
      isTuple = true;
      line = tokens.current().line();
    }
    if (!isTuple) {
      if (!items.isEmpty()) {
        return items.getFirst();
      }
      if (!parentheses) {
        throw tokens.fail(
            "Expected an expression, got '%s'".formatted(tokens.current().describe()));
      }
    }
    return new Expr.TupleOf(line, items);
  }

  private boolean endsTuple(@Nullable String end) {
    Token token = tokens.current();
    return token.kind() == Kind.PRINT_END
        || token.kind() == Kind.BLOCK_END
        || token.is(")")
        || (end != null && token.isName(end));
  }

  private Expr conditional() {
    int line = tokens.current().line();
    Expr expr = or();
    while (tokens.skipName("if")) {
      Expr test = or();
      Expr otherwise = tokens.skipName("else") ? expression() : null;
      expr = new Expr.Cond(line, test, expr, otherwise);
      line = tokens.current().line();
    }
    return expr;
  }

  /** An expression without a condition behind it. */
  Expr or() {
    int line = tokens.current().line();
    Expr left = and();
    while (tokens.skipName("or")) {
      left = new Expr.Or(line, left, and());
    }
    return left;
  }

  private Expr and() {
    int line = tokens.current().line();
    Expr left = not();
    while (tokens.skipName("and")) {
      left = new Expr.And(line, left, not());
    }
    return left;
  }

  private Expr not() {
    Token token = tokens.current();
    if (!tokens.skipName("not")) {
      return compare();
    }
    tokens.enter();
    Expr of = not();
    tokens.leave();
    return new Expr.Not(token.line(), of);
  }

  private Expr compare() {
    int line = tokens.current().line();
    Expr first = sum();
    List<Operand> rest = new ArrayList<>();
    while (true) {
      Token token = tokens.current();
      if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        tokens.next();
        rest.add(new Operand(token.text(), sum()));
      } else if (tokens.skipName("in")) {
        rest.add(new Operand("in", sum()));
      } else if (token.isName("not") && tokens.look().isName("in")) {
        tokens.next();
        tokens.next();
        rest.add(new Operand("not in", sum()));
      } else {
        return rest.isEmpty() ? first : new Expr.Compare(line, first, rest);
      }
    }
  }

  private Expr sum() {
    return binary(Set.of("+", "-"), this::concat);
  }

  private Expr concat() {
    int line = tokens.current().line();
    List<Expr> parts = new ArrayList<>();
    parts.add(product());
    while (tokens.skip("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.getFirst() : new Expr.Concat(line, parts);
  }

  private Expr product() {
    return binary(Set.of("*", "/", "//", "%"), () -> binary(Set.of("**"), () -> unary(true)));
  }

  private Expr binary(Set<String> operators, Supplier<Expr> operand) {
    Expr left = operand.get();
    Token token = tokens.current();
    while (token.kind() == Kind.OPERATOR && operators.contains(token.text())) {
      tokens.next();
      left = new Expr.Binary(token.line(), token.text(), left, operand.get());
      token = tokens.current();
    }
    return left;
  }

  private Expr unary(boolean filters) {
    Token token = tokens.current();
    Expr expr;
    if (token.is("-") || token.is("+")) {
      tokens.next();
      tokens.enter();
      expr = new Expr.Sign(token.line(), token.is("-"), unary(false));
      tokens.leave();
    } else {
      expr = primary();
    }
    expr = postfix(expr);
    return filters ? filtered(expr) : expr;
  }

  /** A name or a literal. */
  Expr primary() {
    Token token = tokens.current();
    return switch (token.kind()) {
      case NAME -> named(tokens.next());
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (tokens.current().kind() == Kind.STRING) {
          text.append(tokens.next().value());
        }
        yield new Expr.Const(token.line(), text.toString());
      }
      case INTEGER, FLOAT -> new Expr.Const(token.line(), tokens.next().value());
      default -> bracketed(token);
    };
  }

  private static Expr named(Token token) {
    int line = token.line();
    return switch (token.text()) {
      case "true", "True" -> new Expr.Const(line, true);
      case "false", "False" -> new Expr.Const(line, false);
      case "none", "None" -> new Expr.Const(line, None.NONE);
      default -> new Expr.Name(line, token.text());
    };
  }

  private Expr bracketed(Token token) {
    tokens.enter();
    Expr expr;
    if (tokens.skip("(")) {
      expr = tuple(this::expression, null, true);
      tokens.expect(")");
    } else if (tokens.skip("[")) {
      expr = new Expr.ListOf(token.line(), items("]", false));
    } else if (tokens.skip("{")) {
      expr = new Expr.DictOf(token.line(), items("}", true));
    } else {
      throw tokens.fail("unexpected '%s'".formatted(token.describe()));
    }
    tokens.leave();
    return expr;
  }

  private List<Expr> items(String end, boolean pairs) {
    List<Expr> items = new ArrayList<>();
    while (!tokens.current().is(end)) {
      if (!items.isEmpty()) {
        tokens.expect(",");
        if (tokens.current().is(end)) {
          break;
        }
      }
      items.add(expression());
      if (pairs) {
        tokens.expect(":");
        items.add(expression());
      }
    }
    tokens.expect(end);
    return items;
  }

  private Expr postfix(Expr of) {
    Expr expr = of;
    while (true) {
      Token token = tokens.current();
      if (token.is(".")) {
        tokens.next();
        expr = member(expr, token.line());
      } else if (token.is("[")) {
        tokens.next();
        expr = subscript(expr, token.line());
      } else if (token.is("(")) {
        expr = new Expr.Call(token.line(), expr, arguments());
      } else {
        return expr;
      }
    }
  }

  private Expr member(Expr of, int line) {
    Token name = tokens.next();
    return switch (name.kind()) {
      case NAME -> new Expr.Attribute(line, of, name.text());
      case INTEGER -> new Expr.Item(line, of, new Expr.Const(name.line(), name.value()));
      default -> throw Tokens.fail(name.line(), "expected name or number");
    };
  }

  private Expr subscript(Expr of, int line) {
    List<Expr> indices = new ArrayList<>();
    while (!tokens.current().is("]")) {
      if (!indices.isEmpty()) {
        tokens.expect(",");
      }
      Expr from = tokens.current().is(":") ? null : expression();
      if (!tokens.skip(":")) {
        indices.add(Objects.requireNonNull(from));
        continue;
      }
      Expr to = sliceEnd() ? null : expression();
      Expr step = tokens.skip(":") && !sliceEnd() ? expression() : null;
      if (!indices.isEmpty() || !tokens.current().is("]")) {
        throw tokens.fail("several slices in one subscript are not supported");
      }
      tokens.next();
      return new Expr.Slice(line, of, from, to, step);
    }
    tokens.expect("]");
    return new Expr.Item(
        line, of, indices.size() == 1 ? indices.getFirst() : new Expr.TupleOf(line, indices));
  }

  private boolean sliceEnd() {
    return tokens.current().is("]") || tokens.current().is(",") || tokens.current().is(":");
  }

  private Expr filtered(Expr of) {
    Expr expr = of;
    while (true) {
      Token token = tokens.current();
      if (token.is("|")) {
        tokens.next();
        expr = filter(expr);
      } else if (token.isName("is")) {
        tokens.next();
        expr = test(expr, token.line());
      } else if (token.is("(")) {
        expr = new Expr.Call(token.line(), expr, arguments());
      } else {
        return expr;
      }
    }
  }

  /** A filter from its name on. */
  Expr filter(Expr of) {
    Token token = tokens.current();
    String name = dotted();
    return new Expr.Filter(
        token.line(), of, name, tokens.current().is("(") ? arguments() : Arguments.NONE);
  }

  private String dotted() {
    StringBuilder name = new StringBuilder(tokens.expect(Kind.NAME).text());
    while (tokens.skip(".")) {
      name.append('.').append(tokens.expect(Kind.NAME).text());
    }
    return name.toString();
  }

  private Expr test(Expr of, int line) {
    boolean negated = tokens.skipName("not");
    String name = dotted();
    Arguments arguments = Arguments.NONE;
    Token token = tokens.current();
    boolean ends = token.isName("else") || token.isName("or") || token.isName("and");
    if (token.is("(")) {
      arguments = arguments();
    } else if (!ends
        && (ARGUMENT_STARTS.contains(token.kind()) || token.is("[") || token.is("{"))) {
      if (token.isName("is")) {
        throw tokens.fail("You cannot chain multiple tests with is");
      }
      arguments = new Arguments(List.of(postfix(primary())), List.of(), null, null);
    }
    Expr test = new Expr.Test(line, of, name, arguments);
    return negated ? new Expr.Not(line, test) : test;
  }

  private Arguments arguments() {
    int line = tokens.expect("(").line();
    List<Expr> positional = new ArrayList<>();
    List<Keyword> named = new ArrayList<>();
    Expr list = null;
    Expr dict = null;
    boolean first = true;
    while (!tokens.current().is(")")) {
      if (!first) {
        tokens.expect(",");
        if (tokens.current().is(")")) {
          break;
        }
      }
      first = false;
      boolean ordered;
      if (tokens.skip("*")) {
        ordered = list == null && dict == null;
        list = expression();
      } else if (tokens.skip("**")) {
        ordered = dict == null;
        dict = expression();
      } else if (tokens.current().kind() == Kind.NAME && tokens.look().is("=")) {
        ordered = dict == null;
        String name = tokens.next().text();
        tokens.next();
        named.add(new Keyword(name, expression()));
      } else {
        ordered = list == null && dict == null && named.isEmpty();
        positional.add(expression());
      }
      if (!ordered) {
        throw Tokens.fail(line, "invalid syntax for function call expression");
      }
    }
    tokens.expect(")");
    return new Arguments(positional, named, list, dict);
  }
}
