/**
 * A strict interpreter of the Jinja subset that chat templates are written in, with Python's values
 * and errors. Knows nothing of models, messages or tokens.
 */
@NullMarked
package dev.flotilla.tokenizer.jinja;

import org.jspecify.annotations.NullMarked;
