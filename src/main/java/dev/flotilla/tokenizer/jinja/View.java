package dev.flotilla.tokenizer.jinja;

import java.util.List;

/** What a dict's {@code keys()}, {@code values()} and {@code items()} give. */
record View(String type, List<Object> items) {}
