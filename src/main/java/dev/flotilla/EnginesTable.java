package dev.flotilla;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The answer of {@code /engines} as text in columns; fields that the server left out show as -. */
final class EnginesTable {
  private static final int ID_CHARS = 8;

  private enum Column {
    RANK("rank"),
    STATE("state"),
    EPOCH("epoch"),
    INCARNATION("incarnation"),
    NODE("node"),
    WAITING("waiting"),
    RUNNING("running"),
    KV("kv_usage"),
    WAVE("wave"),
    STEP("step"),
    AGE("last_step_age_ms");

    private final String field;

    Column(String field) {
      this.field = field;
    }

    String title() {
      return switch (this) {
        case KV -> "KV";
        case AGE -> "LAST STEP";
        default -> name();
      };
    }

    boolean numeric() {
      return switch (this) {
        case STATE, EPOCH, INCARNATION, NODE -> false;
        case RANK, WAITING, RUNNING, KV, WAVE, STEP, AGE -> true;
      };
    }

    String cell(JsonNode engine) {
      JsonNode value = engine.path(field);
      if (value.isMissingNode() || value.isNull()) {
        return "-";
      }
      return switch (this) {
        case KV -> String.format(Locale.ROOT, "%.1f %%", value.asDouble() * 100);
        case AGE -> value.asLong() < 0 ? "never" : value.asLong() + " ms ago";
        case INCARNATION -> shortened(value.asText());
        case NODE ->
            shortened(value.asText()) + (engine.path("local").asBoolean() ? " (here)" : "");
        case RANK, STATE, EPOCH, WAITING, RUNNING, WAVE, STEP -> value.asText();
      };
    }

    private static String shortened(String id) {
      return id.length() > ID_CHARS ? id.substring(0, ID_CHARS) : id;
    }
  }

  private EnginesTable() {}

  /** Lines ended; a cluster without engines is said in words. */
  static String render(JsonNode answer) {
    JsonNode engines = answer.path("engines");
    if (engines.isEmpty()) {
      return "No engine has joined yet.\n";
    }
    Map<Column, List<String>> columns = new EnumMap<>(Column.class);
    for (Column column : Column.values()) {
      List<String> cells = new ArrayList<>();
      cells.add(column.title());
      engines.forEach(engine -> cells.add(column.cell(engine)));
      columns.put(column, cells);
    }
    StringBuilder out = new StringBuilder();
    for (int row = 0; row <= engines.size(); row++) {
      StringBuilder line = new StringBuilder();
      for (Map.Entry<Column, List<String>> shown : columns.entrySet()) {
        List<String> cells = shown.getValue();
        int width = cells.stream().mapToInt(String::length).max().orElse(0);
        String padding = " ".repeat(width - cells.get(row).length());
        line.append(line.isEmpty() ? "" : "  ");
        line.append(shown.getKey().numeric() ? padding + cells.get(row) : cells.get(row) + padding);
      }
      out.append(line.toString().stripTrailing()).append('\n');
    }
    return out.toString();
  }
}
