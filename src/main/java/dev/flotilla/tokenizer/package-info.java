/** Text to token ids and back, incrementally; chat templates. */
@NullMarked
package dev.flotilla.tokenizer;

import org.jspecify.annotations.NullMarked;
