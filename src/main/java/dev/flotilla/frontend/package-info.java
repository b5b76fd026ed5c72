/** HTTP and SSE; one owner per request stream; cancellation; metrics. */
@NullMarked
package dev.flotilla.frontend;

import org.jspecify.annotations.NullMarked;
