package dev.flotilla;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The acceptance scenarios of the original's behaviour that a test shows, by number (for example
 * {@code A15}). {@code ConformanceTest} compares them with {@code conformance.md}.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Scenario {
  /** Their numbers. */
  String[] value();
}
