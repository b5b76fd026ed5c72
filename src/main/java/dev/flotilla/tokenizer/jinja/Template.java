package dev.flotilla.tokenizer.jinja;

import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;

/**
 * A chat template, read once and rendered often. Gives exactly what Python's jinja2 gives in the
 * environment of transformers' {@code apply_chat_template}: an immutable sandbox, {@code
 * trim_blocks} and {@code lstrip_blocks}, loop controls, the {@code generation} block, {@code
 * tojson} without escapes, {@code raise_exception} and {@code strftime_now}. Where Python raises
 * there is a {@link TemplateException}; what this interpreter leaves out is one too, never a silent
 * difference. Immutable, for use by several threads. Source: jinja2 3.1 and transformers'
 * chat_template_utils, by their behaviour.
 */
public final class Template {
  private final List<Stmt> body;

  private Template(List<Stmt> body) {
    this.body = List.copyOf(body);
  }

  /**
   * Reads a template.
   *
   * @throws TemplateException if it cannot be read
   */
  public static Template of(String source) {
    List<Stmt> body = Parser.parse(source);
    Names.check(body);
    return new Template(body);
  }

  /**
   * Renders the template. Time and memory are bounded: a template that never ends fails.
   *
   * @param variables values of the kinds that JSON has, null included; maps keep their order
   * @param now what {@code strftime_now} shows
   * @throws TemplateException where Python raises
   */
  public String render(Map<String, ?> variables, ZonedDateTime now) {
    Scope scope = new Scope(Globals.scope());
    Types.of(variables).forEach(scope::set);
    StringBuilder out = new StringBuilder();
    new Renderer(new Run(now)).all(body, new Scope(scope), out);
    return out.toString();
  }
}
