/**
 * What the text of an output must be: regular expressions and JSON Schemas as automata over bytes,
 * and the tokens that they allow next. Knows neither requests nor the bus. Pure, apart from caches.
 */
@NullMarked
package dev.flotilla.grammar;

import org.jspecify.annotations.NullMarked;
