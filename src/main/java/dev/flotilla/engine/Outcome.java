package dev.flotilla.engine;

import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.RequestId;
import dev.flotilla.protocol.ToFrontend;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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

  /** The same with deltas as they were made. */
  static Outcome of(
      Snapshot snapshot,
      List<ToFrontend.Delta> deltas,
      List<Refused> refusals,
      @Nullable String broken,
      boolean last) {
    Map<FrontendId, List<ToFrontend.Delta>> perFrontend = new LinkedHashMap<>();
    for (ToFrontend.Delta delta : deltas) {
      FrontendId owner = delta.request().frontend();
      perFrontend.computeIfAbsent(owner, ignored -> new ArrayList<>()).add(delta);
    }
    return new Outcome(snapshot, perFrontend, refusals, broken, last);
  }
}
