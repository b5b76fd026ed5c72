package dev.flotilla.scheduler;

import dev.flotilla.protocol.RequestId;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Remembers the highest attempt of the requests that ended last, so that a repeated or late Submit
 * does not run them again. Bounded; what is forgotten ended long ago.
 */
final class EndedRequests {
  /** At 1,000 requests a second it reaches 16 s back, and a repetition comes within 3 s. */
  static final int COUNT_MAX = 16_384;

  private final Map<RequestId, Integer> attempts =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<RequestId, Integer> eldest) {
          return size() > COUNT_MAX;
        }
      };

  void add(RequestId request, int attempt) {
    Integer known = attempts.remove(request);
    attempts.put(request, known == null ? attempt : Math.max(known, attempt));
  }

  /** The highest attempt that ended; -1 if none is remembered. */
  int attempt(RequestId request) {
    return attempts.getOrDefault(request, -1);
  }
}
