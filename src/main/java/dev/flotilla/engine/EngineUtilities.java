package dev.flotilla.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flotilla.protocol.EngineTotals;
import dev.flotilla.protocol.FrontendId;
import dev.flotilla.protocol.LoadReport;
import dev.flotilla.protocol.ToEngine;
import dev.flotilla.scheduler.Scheduler;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an engine does besides computing, on request: each call is answered once, with a result or a
 * failure, and whatever goes wrong in one, the engine lives. Used by the port's thread; what
 * concerns the scheduler runs in the step loop, between two steps.
 *
 * <p>Source: the original's utility requests, which call any method of the engine core by its name;
 * here the names are fixed.
 */
final class EngineUtilities {
  private static final Logger LOG = LoggerFactory.getLogger(EngineUtilities.class);
  private static final JsonMapper MAPPER = new JsonMapper();

  /** Calls that are remembered, so that one that comes twice is answered once. */
  private static final int REMEMBERED = 1024;

  /** More threads than a rank of ours has; a bound on the size of an answer. */
  private static final int THREADS_MAX = 512;

  private static final int FRAMES_MAX = 4;

  private final Inbox inbox;
  private final Supplier<LoadReport> load;
  private final Executor port;
  private final Map<Call, Boolean> answered =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Call, Boolean> eldest) {
          return size() > REMEMBERED;
        }
      };

  private record Call(FrontendId from, long id) {}

  /** Takes an answer, on the port's thread. */
  interface Answer {
    /** Exactly one of the two is empty. */
    void take(String result, String failure);
  }

  /**
   * For one engine.
   *
   * @param load its report, with totals
   * @param port runs on the port's thread
   */
  EngineUtilities(Inbox inbox, Supplier<LoadReport> load, Executor port) {
    this.inbox = inbox;
    this.load = load;
    this.port = port;
  }

  /**
   * Answers a call, unless it has been answered.
   *
   * @param leaving whether the engine takes nothing new
   */
  void call(ToEngine.Utility utility, boolean leaving, Answer answer) {
    if (answered.put(new Call(utility.from(), utility.callId()), true) != null) {
      return;
    }
    if (leaving) {
      answer.take("", "shutting down");
      return;
    }
    try {
      JsonNode args = MAPPER.readTree(utility.args());
      switch (utility.name()) {
        case "collect_stats" -> answer.take(stats(load.get()).toString(), "");
        case "list_threads" -> answer.take(threads().toString(), "");
        case "reset_prefix_cache" -> resetPrefixCache(args, answer);
        default ->
            answer.take(
                "",
                "there is no utility '%s'; there are collect_stats, list_threads and reset_prefix_cache"
                    .formatted(utility.name()));
      }
    } catch (JsonProcessingException e) {
      answer.take("", "the arguments are not JSON: " + e.getOriginalMessage());
    } catch (RuntimeException e) {
      LOG.warn("utility {} failed", utility.name(), e);
      answer.take("", utility.name() + " failed: " + e);
    }
  }

  private void resetPrefixCache(JsonNode args, Answer answer) {
    boolean preempt = args.path("reset_running_requests").asBoolean(false);
    inLoop(
        scheduler -> {
          boolean done = scheduler.resetPrefixCache(preempt);
          LOG.info("the prefix cache {}", done ? "is reset" : "is in use and was not reset");
          port.execute(() -> answer.take(done ? "true" : "false", ""));
        },
        answer);
  }

  private void inLoop(Consumer<Scheduler> work, Answer answer) {
    Consumer<Scheduler> guarded =
        scheduler -> {
          try {
            work.accept(scheduler);
          } catch (RuntimeException e) {
            LOG.warn("a utility failed in the step loop", e);
            port.execute(() -> answer.take("", "failed in the step loop: " + e));
          }
        };
    if (!inbox.offer(Inbox.Command.Call.of(guarded))) {
      answer.take("", "the engine has a full inbox; try again later");
    }
  }

  private static ObjectNode stats(LoadReport load) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("waiting", load.waiting());
    json.put("running", load.running());
    json.put("queued_tokens", load.queuedTokens());
    json.put("resident_tokens", load.residentTokens());
    json.put("kv_blocks_used", load.kvBlocksUsed());
    json.put("kv_blocks", load.kvBlocks());
    json.put("step", load.step());
    json.put("last_step_age_ms", load.lastStepAgeMs());
    EngineTotals totals = load.totals();
    if (totals != null) {
      json.put("prefix_cache_queries", totals.prefixQueries());
      json.put("prefix_cache_hits", totals.prefixHits());
      json.put("preemptions", totals.preemptions());
      json.put("prompt_tokens", totals.promptTokens());
      json.put("generation_tokens", totals.generationTokens());
    }
    return json;
  }

  private static ObjectNode threads() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("pid", ProcessHandle.current().pid());
    var all = json.putArray("threads");
    Thread.getAllStackTraces().entrySet().stream()
        .limit(THREADS_MAX)
        .forEach(
            entry -> {
              Thread thread = entry.getKey();
              ObjectNode one = all.addObject();
              one.put("name", thread.getName());
              one.put("state", thread.getState().name());
              var frames = one.putArray("frames");
              Arrays.stream(entry.getValue())
                  .limit(FRAMES_MAX)
                  .forEach(frame -> frames.add(frame.toString()));
            });
    return json;
  }
}
