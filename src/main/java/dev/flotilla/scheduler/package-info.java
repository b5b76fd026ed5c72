/** Decides what each step computes; owns the queues and the KV blocks. Pure. */
@NullMarked
package dev.flotilla.scheduler;

import org.jspecify.annotations.NullMarked;
