package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Stmt.Signature;
import dev.flotilla.tokenizer.jinja.Stmt.Target;
import dev.flotilla.tokenizer.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a template's statements. Used once, by one thread. */
final class Parser {
  private static final Set<String> UNSUPPORTED =
      Set.of("block", "extends", "include", "import", "from", "autoescape", "print");

  private static final Set<Kind> LITERALS = Set.of(Kind.STRING, Kind.INTEGER, Kind.FLOAT);

  private final Tokens tokens;
  private final ExprParser expressions;

  /** Loops around the current statement that {@code break} may end. */
  private int loops;

  /** Blocks around the current statement, the innermost first. */
  private final Deque<Open> open = new ArrayDeque<>();

  private record Open(String tag, List<String> ends) {}

  private Parser(Tokens tokens) {
    this.tokens = tokens;
    this.expressions = new ExprParser(tokens);
  }

  static List<Stmt> parse(String source) {
    Parser parser = new Parser(new Tokens(Lexer.tokens(source)));
    return parser.until("");
  }

  /** Statements up to one of the given tags, whose name is then the current token. */
  private List<Stmt> until(String tag, String... ends) {
    tokens.enter();
    if (ends.length > 0) {
      open.push(new Open(tag, List.of(ends)));
    }
    List<Stmt> body = new ArrayList<>();
    while (tokens.current().kind() != Kind.END) {
      Token token = tokens.next();
      switch (token.kind()) {
        case DATA -> body.add(new Stmt.Data(token.line(), token.text()));
        case PRINT_BEGIN -> {
          body.add(new Stmt.Print(token.line(), expressions.tuple(true, null)));
          tokens.expect(Kind.PRINT_END);
        }
        default -> {
          if (List.of(ends).contains(tokens.current().text())
              && tokens.current().kind() == Kind.NAME) {
            tokens.leave();
            open.pop();
            return body;
          }
          body.add(statement());
          tokens.expect(Kind.BLOCK_END);
        }
      }
    }
    if (ends.length > 0) {
      throw unbalanced(tokens.current().line(), "Unexpected end of template.", "");
    }
    tokens.leave();
    return body;
  }

  /** The body of the current tag; goes past the end tag's name. */
  private List<Stmt> body(String end) {
    begin();
    List<Stmt> body = until(end.substring("end".length()), end);
    tokens.next();
    return body;
  }

  private void begin() {
    tokens.skip(":");
    tokens.expect(Kind.BLOCK_END);
  }

  /** A body that is a function of its own, so that no loop reaches into it. */
  private List<Stmt> apart(String end) {
    int outer = loops;
    loops = 0;
    List<Stmt> body = body(end);
    loops = outer;
    return body;
  }

  private Stmt statement() {
    Token tag = tokens.current();
    if (tag.kind() != Kind.NAME) {
      throw tokens.fail("tag name expected");
    }
    tokens.next();
    int line = tag.line();
    return switch (tag.text()) {
      case "if" -> conditional(line);
      case "for" -> loop(line);
      case "set" -> assignment(line);
      case "macro" -> {
        String name = variable().name();
        Signature signature = signature();
        yield new Stmt.MacroOf(line, name, signature, apart("endmacro"));
      }
      case "call" -> callBlock(line);
      case "filter" -> {
        Expr value = filters(expressions.filter(new Expr.Body(line)));
        yield new Stmt.FilterBlock(line, value, body("endfilter"));
      }
      case "with" -> with(line);
      case "generation" -> new Stmt.Generation(line, apart("endgeneration"));
      case "break" -> jump(new Stmt.Break(line));
      case "continue" -> jump(new Stmt.Continue(line));
      default -> throw unknown(tag);
    };
  }

  private TemplateException unknown(Token tag) {
    return UNSUPPORTED.contains(tag.text())
        ? TemplateException.unsupported("the tag '%s' is not supported", tag.text()).at(tag.line())
        : unbalanced(tag.line(), "Encountered unknown tag '%s'.".formatted(tag.text()), tag.text());
  }

  /** Blocks that are not closed as they were opened. */
  private TemplateException unbalanced(int line, String what, String tag) {
    Open block = open.peek();
    if (block == null) {
      return Tokens.fail(line, what);
    }
    String wanted = "'%s'".formatted(String.join("' or '", block.ends()));
    boolean outer = open.stream().anyMatch(o -> o.ends().contains(tag));
    String expected =
        outer
            ? "You probably made a nesting mistake. Jinja is expecting this tag, but currently"
                + " looking for %s."
            : "Jinja was looking for the following tags: %s.";
    return Tokens.fail(
        line,
        "%s %s The innermost block that needs to be closed is '%s'."
            .formatted(what, expected.formatted(wanted), block.tag()));
  }

  private Stmt jump(Stmt jump) {
    if (loops == 0) {
      throw Tokens.fail(
          jump.line(),
          "'%s' outside loop".formatted(jump instanceof Stmt.Break ? "break" : "continue"));
    }
    return jump;
  }

  private Stmt conditional(int line) {
    Expr test = expressions.tuple(false, null);
    begin();
    List<Stmt> then = until("if", "elif", "else", "endif");
    Token end = tokens.next();
    return switch (end.text()) {
      case "elif" -> new Stmt.If(line, test, then, List.of(conditional(end.line())));
      case "else" -> new Stmt.If(line, test, then, body("endif"));
      default -> new Stmt.If(line, test, then, List.of());
    };
  }

  private Stmt loop(int line) {
    Target target = target("in", false);
    tokens.expectName("in");
    Expr iterable = expressions.tuple(false, "recursive");
    Expr filter = tokens.skipName("if") ? expressions.expression() : null;
    if (tokens.current().isName("recursive")) {
      throw TemplateException.unsupported("recursive loops are not supported").at(line);
    }
    begin();
    loops++;
    List<Stmt> body = until("for", "endfor", "else");
    loops--;
    List<Stmt> otherwise = tokens.next().text().equals("else") ? body("endfor") : List.of();
    return new Stmt.For(line, target, iterable, filter, body, otherwise);
  }

  private Stmt assignment(int line) {
    Target target = target(null, true);
    if (tokens.skip("=")) {
      return new Stmt.Set(line, target, expressions.tuple(true, null));
    }
    Expr value = filters(new Expr.Body(line));
    return new Stmt.SetBlock(line, target, value, body("endset"));
  }

  private Expr filters(Expr of) {
    Expr value = of;
    while (tokens.skip("|")) {
      value = expressions.filter(value);
    }
    return value;
  }

  private Stmt callBlock(int line) {
    Signature signature = tokens.current().is("(") ? signature() : Signature.NONE;
    if (!(expressions.expression() instanceof Expr.Call call)) {
      throw Tokens.fail(line, "expected call");
    }
    return new Stmt.CallBlock(line, signature, call, apart("endcall"));
  }

  private Stmt with(int line) {
    List<Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (tokens.current().kind() != Kind.BLOCK_END) {
      if (!targets.isEmpty()) {
        tokens.expect(",");
      }
      targets.add(target(null, false));
      tokens.expect("=");
      values.add(expressions.expression());
    }
    return new Stmt.With(line, targets, values, body("endwith"));
  }

  private Signature signature() {
    List<String> names = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    tokens.expect("(");
    while (!tokens.current().is(")")) {
      if (!names.isEmpty()) {
        tokens.expect(",");
      }
      names.add(variable().name());
      if (tokens.skip("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw tokens.fail("non-default argument follows default argument");
      }
    }
    tokens.expect(")");
    return new Signature(names, defaults);
  }

  private Target.Variable variable() {
    Token token = tokens.expect(Kind.NAME);
    if (new ExprParser(new Tokens(List.of(token, token))).primary() instanceof Expr.Name name) {
      return new Target.Variable(name.name());
    }
    throw Tokens.fail(token.line(), "can't assign to 'const'");
  }

  /** A variable, several with commas, or an attribute of a namespace. */
  private Target target(@Nullable String end, boolean member) {
    List<Target> items = new ArrayList<>();
    boolean isTuple = false;
    while (!targetEnds(end)) {
      items.add(single(end, member));
      if (!tokens.skip(",")) {
        break;
      }
      isTuple = true;
    }
    if (items.isEmpty()) {
      throw tokens.fail("Expected an expression, got '%s'".formatted(tokens.current().describe()));
    }
    return isTuple ? new Target.Tuple(items) : items.getFirst();
  }

  private boolean targetEnds(@Nullable String end) {
    Token token = tokens.current();
    return token.kind() == Kind.BLOCK_END || token.is(")") || (end != null && token.isName(end));
  }

  private Target single(@Nullable String end, boolean member) {
    if (tokens.skip("(")) {
      Target inner = target(end, false);
      tokens.expect(")");
      return inner;
    }
    if (tokens.current().kind() != Kind.NAME) {
      throw LITERALS.contains(tokens.current().kind())
          ? tokens.fail("can't assign to 'const'")
          : tokens.fail("unexpected '%s'".formatted(tokens.current().describe()));
    }
    if (member && tokens.look().is(".")) {
      String namespace = tokens.next().text();
      tokens.next();
      return new Target.Member(namespace, tokens.expect(Kind.NAME).text());
    }
    return variable();
  }
}
