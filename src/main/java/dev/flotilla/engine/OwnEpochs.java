package dev.flotilla.engine;

import dev.flotilla.protocol.Epoch;
import java.util.ArrayList;
import java.util.List;

/** The last epochs that one engine was given: what names one of them is meant for it. */
public final class OwnEpochs {
  /** A front-end's view lags behind by one at most. */
  private static final int COUNT_MAX = 8;

  private final List<Epoch> epochs = new ArrayList<>();

  public void add(Epoch epoch) {
    if (!epochs.contains(epoch) && !epoch.equals(Epoch.NONE)) {
      epochs.add(epoch);
      if (epochs.size() > COUNT_MAX) {
        epochs.removeFirst();
      }
    }
  }

  public boolean contains(Epoch epoch) {
    return epochs.contains(epoch);
  }
}
