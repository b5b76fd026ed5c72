package dev.flotilla.bench;

import java.util.List;

/**
 * What a run brought.
 *
 * @param exchanges in the order of their ends
 * @param startNanos of the first intended start
 * @param endNanos when the last answer was whole
 * @param concurrencyPeak most requests in flight at once
 */
record LoadRun(List<Exchange> exchanges, long startNanos, long endNanos, int concurrencyPeak) {}
