package dev.flotilla.tokenizer.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's dict: in the order of insertion, with keys that are equal as Python has it. */
final class Dict {
  private final Map<Object, Entry> entries = new LinkedHashMap<>();

  /** A key as it was first given, and its value. */
  record Entry(Object key, Object value) {}

  Dict put(Object key, Object value) {
    Object hash = Compare.hashKey(key);
    Entry old = entries.get(hash);
    entries.put(hash, new Entry(old == null ? key : old.key(), value));
    return this;
  }

  @Nullable Object get(Object key) {
    Entry entry = entries.get(Compare.hashKey(key));
    return entry == null ? null : entry.value();
  }

  boolean has(Object key) {
    return entries.containsKey(Compare.hashKey(key));
  }

  int size() {
    return entries.size();
  }

  Iterable<Entry> entries() {
    return entries.values();
  }

  List<Object> keys() {
    List<Object> keys = new ArrayList<>();
    entries.values().forEach(e -> keys.add(e.key()));
    return keys;
  }

  List<Object> values() {
    List<Object> values = new ArrayList<>();
    entries.values().forEach(e -> values.add(e.value()));
    return values;
  }

  List<Object> items() {
    List<Object> items = new ArrayList<>();
    entries.values().forEach(e -> items.add(Tuple.of(e.key(), e.value())));
    return items;
  }

  Dict copy() {
    Dict copy = new Dict();
    copy.entries.putAll(entries);
    return copy;
  }
}
