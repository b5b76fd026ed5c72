package dev.flotilla.tokenizer.jinja;

import dev.flotilla.tokenizer.jinja.Stmt.Signature;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A macro where it was defined.
 *
 * @param used which of {@code caller}, {@code kwargs} and {@code varargs} the body speaks of
 */
record Macro(
    String name,
    Signature signature,
    List<Stmt> body,
    Scope defined,
    Set<String> used,
    Renderer renderer)
    implements Callable {

  @Override
  public String type() {
    return "Macro";
  }

  @Override
  public Object call(Run run, Args args) {
    run.enter();
    Scope scope = new Scope(defined);
    Map<String, Object> named = new LinkedHashMap<>(args.named());
    bind(scope, args, named);
    StringBuilder out = new StringBuilder();
    renderer.all(body, scope, out);
    run.leave();
    return out.toString();
  }

  private void bind(Scope scope, Args args, Map<String, Object> named) {
    List<String> names = signature.names();
    for (int i = 0; i < names.size(); i++) {
      String parameter = names.get(i);
      Expr otherwise = signature.defaultOf(i);
      Object value = i < args.count() ? args.positional().get(i) : named.remove(parameter);
      if (value == null) {
        value =
            otherwise == null
                ? Undefined.hint("parameter %s was not provided".formatted(Text.repr(parameter)))
                : renderer.value(otherwise, scope);
      }
      scope.set(parameter, value);
    }
    if (used.contains("caller") && !names.contains("caller")) {
      Object caller = named.remove("caller");
      scope.set("caller", caller == null ? Undefined.hint("No caller defined") : caller);
    }
    if (used.contains("kwargs")) {
      Dict rest = new Dict();
      named.forEach(rest::put);
      scope.set("kwargs", rest);
    } else {
      for (String left : named.keySet()) {
        if (left.equals("caller")) {
          throw TemplateException.type(
              "macro %s was invoked with two values for the special caller argument. This is most likely a bug.",
              Text.repr(name));
        }
        throw TemplateException.type(
            "macro %s takes no keyword argument %s", Text.repr(name), Text.repr(left));
      }
    }
    int extra = Math.max(0, args.count() - names.size());
    if (used.contains("varargs")) {
      scope.set(
          "varargs", new Tuple(args.positional().subList(args.count() - extra, args.count())));
    } else if (extra > 0) {
      throw TemplateException.type(
          "macro %s takes not more than %d argument(s)", Text.repr(name), names.size());
    }
  }
}
