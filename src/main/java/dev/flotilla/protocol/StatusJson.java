package dev.flotilla.protocol;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A view as JSON: what {@code /engines}, {@code flotilla.v1.status} and {@code flotilla.v1.stats}
 * show. Keys in snake_case; an epoch is its 64-bit number, so that a reader can compare it.
 */
public final class StatusJson {
  private StatusJson() {}

  /** {@code {"term", "version", "data_parallel_size", "engines": […]}}, engines in rank order. */
  public static ObjectNode of(ClusterView view) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("term", view.term().number());
    json.put("coordinator", view.term().node().value());
    json.put("version", view.version());
    json.put("data_parallel_size", view.dataParallelSize());
    json.put("paused", view.paused());
    FleetFacts all = FleetFacts.of(view.engines());
    json.put("ready", all.engines());
    json.put("kv_blocks", all.kvBlocks());
    json.put("kv_tokens_per_engine", all.kvTokens());
    json.put("max_model_len", all.maxModelLen());
    json.put("world_size", all.worldSize());
    var engines = json.putArray("engines");
    view.engines().forEach(engine -> engines.add(of(engine)));
    return json;
  }

  /** The same as text. */
  public static String format(ClusterView view) {
    return of(view).toString();
  }

  private static ObjectNode of(ClusterView.Engine engine) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("rank", engine.rank().value());
    json.put("state", engine.state().name());
    json.put("epoch", engine.epoch().packed());
    json.put("incarnation", engine.incarnation().value());
    json.put("node", engine.node().value());
    json.put("local", engine.local());
    json.put("suspect", engine.suspect());
    LoadReport load = engine.load();
    json.put("waiting", load == null ? 0 : load.waiting());
    json.put("running", load == null ? 0 : load.running());
    json.put("kv_usage", load == null ? 0.0 : load.kvUsage());
    json.put("wave", load == null ? 0 : load.wave());
    json.put("step", load == null ? 0 : load.step());
    LockstepLoad lockstep = load == null ? null : load.lockstep();
    if (lockstep != null) {
      json.put("generation", lockstep.generation());
      json.put("wave_running", lockstep.running());
      json.put("dummy_steps", lockstep.dummySteps());
      json.put("collective_wait_ms", lockstep.waitedMs());
    }
    json.put("last_step_age_ms", load == null ? -1 : load.lastStepAgeMs());
    json.put("queued_tokens", load == null ? 0 : load.queuedTokens());
    json.put("resident_tokens", load == null ? 0 : load.residentTokens());
    json.put("kv_blocks_used", load == null ? 0 : load.kvBlocksUsed());
    json.put("kv_blocks", load == null ? 0 : load.kvBlocks());
    EngineFacts facts = engine.facts();
    if (facts != null) {
      json.put("model", facts.model());
      json.put("executor", facts.executor());
      json.put("max_model_len", facts.maxModelLen());
      json.put("max_num_seqs", facts.maxNumSeqs());
      json.put("max_num_batched_tokens", facts.maxNumBatchedTokens());
      json.put("version", facts.version());
    }
    return json;
  }
}
