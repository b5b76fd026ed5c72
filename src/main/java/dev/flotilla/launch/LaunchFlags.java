package dev.flotilla.launch;

import org.jspecify.annotations.Nullable;

/**
 * What a command line says about who starts what; null where it says nothing.
 *
 * @param offline one engine in the caller's process, as {@code complete} runs it
 * @param backend name of the backend
 */
public record LaunchFlags(
    int size,
    @Nullable Integer sizeLocal,
    @Nullable Integer startRank,
    @Nullable Integer rank,
    boolean externalLb,
    boolean hybridLb,
    boolean headless,
    boolean offline,
    boolean elastic,
    boolean expertParallel,
    String backend,
    @Nullable Integer apiServerCount,
    @Nullable Integer minReadyEngines,
    boolean noJoin) {

  /** Nothing but a size. */
  public static LaunchFlags ofSize(int size) {
    return new LaunchFlags(
        size,
        null,
        null,
        null,
        false,
        false,
        false,
        false,
        false,
        false,
        "verticle",
        null,
        null,
        false);
  }

  /** One engine, no HTTP, no cluster. */
  public static LaunchFlags ofOffline() {
    return new LaunchFlags(
        1, null, null, null, false, false, false, true, false, false, "verticle", null, null, true);
  }
}
