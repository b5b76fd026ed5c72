package dev.flotilla.engine;

import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToFrontend;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the step loop hands to its port to be sent.
 *
 * @param snapshot the loop's state when it was made
 * @param deltas per front-end
 * @param refusals of requests that will not be computed
 * @param broken why the loop cannot go on; null while it can
 * @param last whether nothing follows
 */
record Outcome(
    Snapshot snapshot,
    Map<FrontendId, List<ToFrontend.Delta>> deltas,
    List<Refused> refusals,
    @Nullable String broken,
    boolean last) {

  /** A request that will not be computed; status as in HTTP. */
  record Refused(RequestId request, int attempt, int status, String reason) {}
}
