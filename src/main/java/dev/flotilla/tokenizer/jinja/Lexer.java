package dev.flotilla.tokenizer.jinja;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.tokenizer.jinja.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens as jinja2 does with {@code trim_blocks} and {@code lstrip_blocks}: a
 * newline behind a block and blanks in front of one are no output, {@code -} takes all white space
 * and {@code +} none. Used once, by one thread.
 */
final class Lexer {
  private static final String WHITE =
      "[\\t\\n\\x0B\\f\\r\\x1C-\\x20\\x85\\xA0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000]";
  private static final Pattern RAW = pattern("\\{%([-+]?)#*raw#*(?:-%\\}#*|%\\})");
  private static final Pattern END_RAW =
      pattern("\\{%([-+]?)#*endraw#*(?:\\+%\\}|-%\\}#*|%\\}\\n?)");
  private static final Pattern END_COMMENT = pattern("\\+#\\}|-#\\}#*|#\\}\\n?");
  private static final Pattern END_BLOCK = pattern("\\+%\\}|-%\\}#*|%\\}\\n?");
  private static final Pattern END_PRINT = pattern("-\\}\\}#*|\\}\\}");
  private static final Pattern SPACE = pattern("#+");
  private static final Pattern FLOAT =
      pattern(
          "(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+\\-]?(?:\\d+_)*\\d+"
              + "|\\.(?:\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      pattern(
          "0[bB](?:_?[0-1])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\\da-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*");
  private static final Pattern NAME = pattern("[\\p{L}\\p{N}\\p{M}_]+");
  private static final Pattern STRING =
      pattern("'[^'\\\\]*(?:\\\\.[^'\\\\]*)*'|\"[^\"\\\\]*(?:\\\\.[^\"\\\\]*)*\"");
  private static final Pattern OPERATOR =
      pattern("//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}><=.:|,;]");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private boolean lineStarts = true;

  private Lexer(String source) {
    this.source = source;
  }

  /** A hash sign outside a comment's end stands for Python's white space. */
  private static Pattern pattern(String regex) {
    String white = regex.replace("#*", WHITE + "*").replace("#+", WHITE + "+");
    return Pattern.compile(white, Pattern.DOTALL);
  }

  /** The tokens of a template, the end last. */
  static List<Token> tokens(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    // Jinja drops one newline at the end.
    Lexer lexer =
        new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
    lexer.read();
    return lexer.tokens;
  }

  private void read() {
    while (at < source.length()) {
      int open = next();
      if (open < 0) {
        data(source.substring(at));
        at = source.length();
      } else {
        Matcher raw = RAW.matcher(source).region(open, source.length());
        if (raw.lookingAt()) {
          text(open, sign(raw.group(1)), true);
          line += lines(raw.group());
          at = raw.end();
          lineStarts = raw.group().endsWith("\n");
          raw();
        } else {
          tag(open);
        }
      }
    }
    tokens.add(Token.of(line, Kind.END, ""));
  }

  /** Where the next tag opens. */
  private int next() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "%#{".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void tag(int open) {
    char what = source.charAt(open + 1);
    char sign = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
    boolean signed = sign == '-' || sign == '+';
    text(open, signed ? sign : ' ', what != '{');
    at = open + (signed ? 3 : 2);
    lineStarts = false;
    switch (what) {
      case '#' -> comment();
      case '%' -> {
        tokens.add(Token.of(line, Kind.BLOCK_BEGIN, ""));
        code(END_BLOCK, Kind.BLOCK_END);
      }
      default -> {
        tokens.add(Token.of(line, Kind.PRINT_BEGIN, ""));
        code(END_PRINT, Kind.PRINT_END);
      }
    }
  }

  private static char sign(String group) {
    return group.isEmpty() ? ' ' : group.charAt(0);
  }

  /** The text in front of a tag, less what the tag takes away. */
  private void text(int end, char sign, boolean block) {
    String text = source.substring(at, end);
    int lines = lines(text);
    if (sign == '-') {
      text = Text.strip(text, null, false, true);
    } else if (sign != '+' && block) {
      int start = text.lastIndexOf('\n') + 1;
      if ((start > 0 || lineStarts) && start < text.length() && Text.isSpace(text, start)) {
        text = text.substring(0, start);
      }
    }
    data(text);
    line += lines - lines(text);
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      tokens.add(Token.of(line, Kind.DATA, text));
      line += lines(text);
    }
  }

  private void raw() {
    Matcher end = END_RAW.matcher(source).region(at, source.length());
    if (!end.find()) {
      throw syntax("Missing end of raw directive");
    }
    text(end.start(), sign(end.group(1)), true);
    line += lines(end.group());
    at = end.end();
    lineStarts = end.group().endsWith("\n");
  }

  private void comment() {
    int hash = source.indexOf("#}", at);
    if (hash < 0) {
      throw syntax("Missing end of comment tag");
    }
    boolean signed = hash > at && "+-".indexOf(source.charAt(hash - 1)) >= 0;
    Matcher end = END_COMMENT.matcher(source).region(signed ? hash - 1 : hash, source.length());
    if (!end.lookingAt()) {
      throw syntax("Missing end of comment tag");
    }
    line += lines(source.substring(at, end.end()));
    at = end.end();
    lineStarts = end.group().endsWith("\n");
  }

  private void code(Pattern closing, Kind kind) {
    Deque<Character> open = new ArrayDeque<>();
    while (at < source.length()) {
      Matcher m = closing.matcher(source).region(at, source.length());
      if (open.isEmpty() && m.lookingAt()) {
        tokens.add(Token.of(line, kind, ""));
        advance(m);
        lineStarts = m.group().endsWith("\n");
        return;
      }
      if (m.usePattern(SPACE).lookingAt()) {
        advance(m);
      } else if (m.usePattern(FLOAT).useTransparentBounds(true).lookingAt()) {
        literal(m, Kind.FLOAT, Double.valueOf(m.group().replace("_", "")));
      } else if (m.usePattern(INTEGER).lookingAt()) {
        literal(m, Kind.INTEGER, integer(m.group().replace("_", "")));
      } else if (m.usePattern(NAME).lookingAt()) {
        literal(m, Kind.NAME, m.group());
      } else if (m.usePattern(STRING).lookingAt()) {
        literal(m, Kind.STRING, unescaped(m.group()));
      } else if (m.usePattern(OPERATOR).lookingAt()) {
        balance(open, m.group().charAt(0));
        literal(m, Kind.OPERATOR, m.group());
      } else {
        throw syntax("unexpected char %s at %d", Text.repr(source.substring(at, at + 1)), at);
      }
    }
  }

  private void balance(Deque<Character> open, char c) {
    int pair = "([{".indexOf(c);
    if (pair >= 0) {
      open.push(")]}".charAt(pair));
    } else if (")]}".indexOf(c) >= 0) {
      if (open.isEmpty()) {
        throw syntax("unexpected '%s'", c);
      }
      char expected = open.pop();
      if (expected != c) {
        throw syntax("unexpected '%s', expected '%s'", c, expected);
      }
    }
  }

  private void literal(Matcher m, Kind kind, Object value) {
    tokens.add(new Token(line, kind, m.group(), value));
    advance(m);
  }

  private void advance(Matcher m) {
    line += lines(m.group());
    at = m.end();
  }

  private static Object integer(String digits) {
    char second = digits.length() > 1 ? Character.toLowerCase(digits.charAt(1)) : '0';
    int radix =
        switch (second) {
          case 'x' -> 16;
          case 'o' -> 8;
          case 'b' -> 2;
          default -> 10;
        };
    return Numbers.narrow(new BigInteger(radix == 10 ? digits : digits.substring(2), radix));
  }

  private String unescaped(String quoted) {
    try {
      return Text.unescape(quoted.substring(1, quoted.length() - 1));
    } catch (TemplateException e) {
      throw e.at(line);
    }
  }

  private static int lines(String text) {
    return (int) text.chars().filter(c -> c == '\n').count();
  }

  @FormatMethod
  private TemplateException syntax(@FormatString String format, Object... values) {
    return new TemplateException(TemplateException.Kind.SYNTAX, line, format.formatted(values));
  }
}
