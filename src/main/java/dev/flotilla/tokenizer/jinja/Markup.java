package dev.flotilla.tokenizer.jinja;

/** A string marked as safe HTML: what is added to it is escaped. */
record Markup(String text) {
  static Markup escape(Object value) {
    if (value instanceof Markup markup) {
      return markup;
    }
    return new Markup(
        Text.str(value)
            .replace("&", "&amp;")
            .replace(">", "&gt;")
            .replace("<", "&lt;")
            .replace("'", "&#39;")
            .replace("\"", "&#34;"));
  }
}
