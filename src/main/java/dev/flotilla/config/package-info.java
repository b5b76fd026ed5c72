/** Immutable, validated records for everything that can be set; parsing and error texts. */
@NullMarked
package dev.flotilla.config;

import org.jspecify.annotations.NullMarked;
