package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Token.Kind;
import java.util.List;

/** Reads tokens one after the other, looking one ahead. Used once, by one thread. */
final class Tokens {
  /** Expressions and blocks within each other; real templates stay below 20. */
  private static final int DEPTH_MAX = 100;

  private final List<Token> tokens;
  private int at;
  private int depth;

  Tokens(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(at);
  }

  Token look() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  /** The current token, and goes on. */
  Token next() {
    Token token = tokens.get(at);
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  boolean skip(String operator) {
    boolean there = current().is(operator);
    if (there) {
      next();
    }
    return there;
  }

  boolean skipName(String name) {
    boolean there = current().isName(name);
    if (there) {
      next();
    }
    return there;
  }

  Token expect(String operator) {
    return expect(current().is(operator), operator);
  }

  Token expect(Kind kind) {
    return expect(current().kind() == kind, Token.of(0, kind, "name").describe());
  }

  Token expectName(String name) {
    return expect(current().isName(name), name);
  }

  private Token expect(boolean there, String wanted) {
    if (!there) {
      throw current().kind() == Kind.END
          ? fail("unexpected end of template, expected '%s'.".formatted(wanted))
          : fail("expected token '%s', got '%s'".formatted(wanted, current().describe()));
    }
    return next();
  }

  /** Goes one level in; every call is paired with {@link #leave}. */
  void enter() {
    if (++depth > DEPTH_MAX) {
      throw TemplateException.limit("the template nests deeper than %d levels", DEPTH_MAX)
          .at(current().line());
    }
  }

  void leave() {
    depth--;
  }

  TemplateException fail(String sentence) {
    return fail(current().line(), sentence);
  }

  static TemplateException fail(int line, String sentence) {
    return new TemplateException(TemplateException.Kind.SYNTAX, line, sentence);
  }
}
