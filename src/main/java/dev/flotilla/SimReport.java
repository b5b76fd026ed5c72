package dev.flotilla;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flotilla.simulation.load.SimResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Results of simulations as JSON, as a table and as a chart. */
final class SimReport {
  private static final int BAR_CHARS = 48;
  private static final double TWO_DIGITS = 100;
  private static final double FOUR_DIGITS = 10_000;

  private SimReport() {}

  static String json(List<SimResult> results) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    ArrayNode policies = root.putArray("policies");
    for (SimResult result : results) {
      policies
          .addObject()
          .put("policy", result.policy().flag())
          .put("ttft_p50_ms", round(result.ttftP50Ms(), TWO_DIGITS))
          .put("ttft_p99_ms", round(result.ttftP99Ms(), TWO_DIGITS))
          .put("tpot_p99_ms", round(result.tpotP99Ms(), TWO_DIGITS))
          .put("throughput_tokens_s", round(result.throughputTokensS(), TWO_DIGITS))
          .put("arrival_tokens_s", round(result.arrivalTokensS(), TWO_DIGITS))
          .put("imbalance", round(result.imbalance(), FOUR_DIGITS))
          .put("prefix_hit_share", round(result.prefixHitShare(), FOUR_DIGITS))
          .put("moved", result.moved())
          .put("completed", result.completed())
          .put("lost", result.lost());
    }
    return root.toString();
  }

  private static double round(double value, double digits) {
    return Math.rint(value * digits) / digits;
  }

  static String table(List<SimResult> results) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "POLICY",
            "TTFT P50",
            "TTFT P99",
            "TPOT P99",
            "TOKENS/S",
            "IMBALANCE",
            "PREFIX HITS",
            "MOVED",
            "COMPLETED",
            "LOST"));
    for (SimResult result : results) {
      rows.add(
          List.of(
              result.policy().flag(),
              text("%.1f ms", result.ttftP50Ms()),
              text("%.1f ms", result.ttftP99Ms()),
              text("%.1f ms", result.tpotP99Ms()),
              text("%,.0f", result.throughputTokensS()),
              text("%.2f", result.imbalance()),
              text("%.0f %%", 100 * result.prefixHitShare()),
              text("%,d", result.moved()),
              text("%,d", result.completed()),
              text("%,d", result.lost())));
    }
    StringBuilder out = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < row.size(); column++) {
        int at = column;
        int width = rows.stream().mapToInt(r -> r.get(at).length()).max().orElse(0);
        String padding = " ".repeat(width - row.get(column).length());
        line.append(column == 0 ? "" : "  ");
        line.append(column == 0 ? row.get(column) + padding : padding + row.get(column));
      }
      out.append(line.toString().stripTrailing()).append('\n');
    }
    return out.toString();
  }

  /** The 99th percentiles of the time to first token as bars; the first policy's is the measure. */
  static String chart(List<SimResult> results) {
    double longest = results.stream().mapToDouble(SimResult::ttftP99Ms).max().orElse(0);
    double first = results.getFirst().ttftP99Ms();
    int width = results.stream().mapToInt(r -> r.policy().flag().length()).max().orElse(0);
    StringBuilder out = new StringBuilder("\np99 time to first token\n");
    for (SimResult result : results) {
      double ms = result.ttftP99Ms();
      int bar = longest > 0 ? (int) Math.ceil(BAR_CHARS * ms / longest) : 0;
      out.append(
          text(
              "%-" + width + "s %-" + BAR_CHARS + "s %.0f ms (%.2f)%n",
              result.policy().flag(),
              "█".repeat(bar),
              ms,
              first > 0 ? ms / first : 1));
    }
    return out.toString();
  }

  @SuppressWarnings("AnnotateFormatMethod") // Widths are put together from constants.
  private static String text(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
