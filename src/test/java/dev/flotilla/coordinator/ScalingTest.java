package dev.flotilla.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.flotilla.config.EngineConfig;
import dev.flotilla.coordinator.Scaling.Event;
import dev.flotilla.placement.AllToAll;
import dev.flotilla.placement.PackStrategy;
import dev.flotilla.placement.PlacementRequest;
import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineState;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.Incarnation;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Term;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What others are shown while the group changes. */
class ScalingTest {
  private static final NodeId NODE = new NodeId("n0");
  private static final Term TERM = new Term(1, NODE);

  private static ClusterView.Engine engine(int rank) {
    return new ClusterView.Engine(
        new Rank(rank),
        new Incarnation("e" + rank),
        new Epoch(1, rank + 1),
        EngineState.READY,
        NODE,
        true,
        false,
        null,
        null);
  }

  private static Scaling ofThree() {
    PlacementRequest request =
        new PlacementRequest("n0", 0, 3, 3, 1, PackStrategy.STRICT, AllToAll.NAIVE, List.of());
    return Scaling.start(
        new Scaling.Settings(3, false, request, null, EngineConfig.DEFAULT, 1_000_000_000),
        TERM,
        0);
  }

  @Test
  void ranksThatAreToGoAreShownDrainingAndAllElseStays() {
    List<ClusterView.Engine> engines = List.of(engine(0), engine(1), engine(2));
    List<ClusterView.Frontend> frontends =
        List.of(
            new ClusterView.Frontend(new FrontendId("f0"), NODE),
            new ClusterView.Frontend(new FrontendId("f1"), NODE));
    ClusterView view = new ClusterView(TERM, 7, 3, engines, frontends);
    long asked = ScalingStep.GRACE_NANOS + 1;
    Scaling scaling = ofThree().on(new Event.Seen(1, engines)).next();
    assertEquals(view, scaling.shown(view), "nothing changes");

    ClusterView shown = scaling.on(new Event.Asked(asked, 1, 1, 1_000)).next().shown(view);

    List<EngineState> states = new ArrayList<>();
    shown.engines().forEach(engine -> states.add(engine.state()));
    assertEquals(List.of(EngineState.READY, EngineState.DRAINING, EngineState.DRAINING), states);
    assertEquals(frontends, shown.frontends(), "front-ends find their places by the view");
    assertEquals(view.version(), shown.version());
  }
}
