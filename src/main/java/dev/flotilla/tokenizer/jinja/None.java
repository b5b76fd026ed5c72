package dev.flotilla.tokenizer.jinja;

/**
 * Python's {@code None}. The other values of a template are Boolean, Long or BigInteger, Double,
 * String, List, and the types of this package; never null.
 */
enum None {
  NONE
}
