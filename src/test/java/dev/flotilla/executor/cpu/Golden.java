package dev.flotilla.executor.cpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.flotilla.protocol.TokenIds;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What transformers computed in float32 from the same weights. */
record Golden(List<Case> cases, TokenIds prose, double proseMeanNll) {
  record Case(
      String prompt,
      TokenIds promptIds,
      TokenIds greedyIds,
      String greedyText,
      List<Double> promptLogprobs,
      List<Step> steps) {}

  /** Log-probability of the token taken, and those of the best, best first. */
  record Step(double logprob, List<Double> top) {}

  static Golden read(String model) throws IOException {
    JsonNode all =
        JsonMapper.builder()
            .build()
            .readTree(
                Subject.base().resolve("src/test/resources/golden/" + model + ".json").toFile());
    List<Case> cases = new ArrayList<>();
    for (JsonNode c : all.get("cases")) {
      List<Step> steps = new ArrayList<>();
      for (JsonNode s : c.get("steps")) {
        List<Double> top = new ArrayList<>();
        s.get("top").forEach(t -> top.add(t.get(1).asDouble()));
        steps.add(new Step(s.get("logprob").asDouble(), top));
      }
      List<Double> prompt = new ArrayList<>();
      c.get("prompt_logprobs").forEach(p -> prompt.add(p.asDouble()));
      cases.add(
          new Case(
              c.get("prompt").asText(),
              ids(c.get("prompt_ids")),
              ids(c.get("greedy_ids")),
              c.get("greedy_text").asText(),
              prompt,
              steps));
    }
    return new Golden(cases, ids(all.get("prose_ids")), all.get("prose_mean_nll").asDouble());
  }

  private static TokenIds ids(JsonNode list) {
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = list.get(i).asInt();
    }
    return TokenIds.of(ids);
  }
}
