package dev.flotilla.tokenizer.jinja;

/** What {@code namespace()} gives: attributes that a template may set from inner scopes. */
record Namespace(Dict attributes) {}
