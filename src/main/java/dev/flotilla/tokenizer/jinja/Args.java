package dev.flotilla.tokenizer.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a call passes. */
record Args(List<Object> positional, Map<String, Object> named) {
  static final Args NONE = new Args(List.of(), Map.of());

  int count() {
    return positional.size();
  }

  /** Without the first positional one. */
  Args rest() {
    return new Args(positional.subList(1, positional.size()), named);
  }

  /**
   * Puts what was passed in the order of the parameters.
   *
   * @param required parameters that must be given
   */
  Bound bind(String function, int required, String... parameters) {
    if (positional.size() > parameters.length) {
      throw TemplateException.type(
          "%s() takes at most %d arguments (%d given)",
          function, parameters.length, positional.size());
    }
    List<@Nullable Object> values = new ArrayList<>(positional);
    Map<String, Object> left = new LinkedHashMap<>(named);
    for (int i = 0; i < parameters.length; i++) {
      Object value = left.remove(parameters[i]);
      if (i >= values.size()) {
        if (value == null && i < required) {
          throw TemplateException.type(
              "%s() missing required argument '%s'", function, parameters[i]);
        }
        values.add(value);
      } else if (value != null) {
        throw TemplateException.type(
            "%s() got multiple values for argument '%s'", function, parameters[i]);
      }
    }
    for (String name : left.keySet()) {
      throw TemplateException.type("%s() got an unexpected keyword argument '%s'", function, name);
    }
    return new Bound(values);
  }

  /** Arguments in the order of the parameters; null where nothing was passed. */
  record Bound(List<@Nullable Object> values) {
    @Nullable Object get(int index) {
      return values.get(index);
    }

    Object required(int index) {
      Object value = values.get(index);
      if (value == null) {
        throw TemplateException.type("argument %d is missing", index + 1);
      }
      return value;
    }

    Object or(int index, Object otherwise) {
      Object value = values.get(index);
      return value == null ? otherwise : value;
    }

    /** The value unless it is missing or None. */
    @Nullable Object given(int index) {
      Object value = values.get(index);
      return value == None.NONE ? null : value;
    }

    boolean flag(int index) {
      return Types.truth(or(index, false));
    }

    int integer(int index, int otherwise) {
      Object value = values.get(index);
      return value == null ? otherwise : Numbers.index(value);
    }
  }
}
