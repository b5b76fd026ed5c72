package dev.flotilla.placement;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import dev.flotilla.config.ConfigException;
import dev.flotilla.placement.PlacementGroup.Bundle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Nodes and plans as JSON: what {@code place --nodes} reads, what {@code place --json} prints, and
 * what {@code serve --placement} takes. Keys that are not known are skipped, so that the output of
 * {@code nodes --json} can be given to {@code place --nodes}.
 */
public final class PlacementJson {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private PlacementJson() {}

  /**
   * Nodes of {@code {"nodes":[{"id","address","devices"}]}}, in the order of the file; {@code free}
   * may be there too, and is otherwise as many as there are devices.
   *
   * @throws ConfigException for any other text
   */
  public static List<Capacity> nodes(String text) {
    List<Capacity> nodes = new ArrayList<>();
    Set<String> ids = new HashSet<>();
    for (JsonNode node : array(text, "nodes")) {
      String id = node.path("id").asText();
      check(!id.isEmpty(), "a node must have an \"id\", unlike %s", node);
      check(ids.add(id), "two nodes have the id '%s'", id);
      int devices = count(node, "devices");
      int free = node.has("free") ? count(node, "free") : devices;
      check(free <= devices, "node '%s' has more devices free than it has: %s", id, node);
      nodes.add(new Capacity(id, node.path("address").asText(), devices, free));
    }
    return nodes;
  }

  /**
   * Groups in rank order, the bundles of each by their nodes' ids.
   *
   * @param nodes whose addresses are written too, so that they are known when their ids have
   *     changed
   */
  public static ObjectNode write(List<PlacementGroup> groups, List<Capacity> nodes) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    var all = json.putArray("groups");
    groups.stream()
        .sorted(Comparator.comparingInt(PlacementGroup::rank))
        .forEach(
            group -> {
              ObjectNode one = all.addObject();
              one.put("rank", group.rank());
              one.put("name", group.name());
              one.put("local_rank", group.localRank());
              var bundles = one.putArray("bundles");
              group.bundles().stream()
                  .sorted(Comparator.comparing(Bundle::node))
                  .forEach(bundle -> write(bundle, nodes, bundles.addObject()));
              one.put("control", group.control());
            });
    return json;
  }

  private static void write(Bundle bundle, List<Capacity> nodes, ObjectNode json) {
    json.put("node", bundle.node());
    nodes.stream()
        .filter(node -> node.node().equals(bundle.node()) && !node.address().isEmpty())
        .forEach(node -> json.put("address", node.address()));
    json.put("devices", bundle.devices());
  }

  /**
   * Addresses of the nodes of a placement by their ids, as far as it tells them.
   *
   * @throws ConfigException for any other text
   */
  static Map<String, String> addresses(String text) {
    Map<String, String> addresses = new TreeMap<>();
    for (JsonNode group : array(text, "groups")) {
      for (JsonNode bundle : group.path("bundles")) {
        if (bundle.has("address")) {
          addresses.put(bundle.path("node").asText(), bundle.path("address").asText());
        }
      }
    }
    return addresses;
  }

  /** The id of the node that says that it is the head; empty: none does. */
  public static String head(String text) {
    for (JsonNode node : array(text, "nodes")) {
      if (node.path("head").asBoolean()) {
        return node.path("id").asText();
      }
    }
    return "";
  }

  /**
   * What {@link #write} has written, in rank order.
   *
   * @throws ConfigException for any other text
   */
  public static List<PlacementGroup> groups(String text) {
    List<PlacementGroup> groups = new ArrayList<>();
    for (JsonNode group : array(text, "groups")) {
      List<Bundle> bundles = new ArrayList<>();
      for (JsonNode bundle : group.path("bundles")) {
        int devices = count(bundle, "devices");
        check(devices > 0, "a bundle must have devices, unlike %s", bundle);
        bundles.add(new Bundle(bundle.path("node").asText(), devices));
      }
      String control = group.path("control").asText();
      check(
          bundles.stream().anyMatch(b -> b.node().equals(control)),
          "the \"control\" of a group must be on a node of its bundles, unlike %s",
          group);
      groups.add(
          new PlacementGroup(count(group, "rank"), count(group, "local_rank"), bundles, control));
    }
    groups.sort(Comparator.comparingInt(PlacementGroup::rank));
    return groups;
  }

  /**
   * Checks that given groups are what these flags ask for: each rank once, local ranks that no two
   * of a node share, and the devices of the world size.
   *
   * @throws ConfigException with the numbers
   */
  public static void verify(List<PlacementGroup> groups, int size, int worldSize) {
    check(
        groups.size() == size,
        "the placement has %d groups, but --data-parallel-size is %d",
        groups.size(),
        size);
    Set<String> places = new HashSet<>();
    for (int rank = 0; rank < size; rank++) {
      PlacementGroup group = groups.get(rank);
      check(
          group.rank() == rank,
          "the placement must have each rank from 0 to %d once, but it has %d where %d belongs",
          size - 1,
          group.rank(),
          rank);
      check(
          places.add(group.localRank() + " of " + group.control()),
          "two groups of the placement have the local rank %d on node %s",
          group.localRank(),
          group.control());
      check(
          group.devices() == worldSize,
          "rank %d has %d devices in the placement, but --tensor-parallel-size is %d",
          rank,
          group.devices(),
          worldSize);
    }
  }

  private static JsonNode array(String text, String key) {
    try {
      JsonNode list = MAPPER.readTree(text).path(key);
      check(list.isArray(), "expected a JSON object with a list \"%s\"", key);
      return list;
    } catch (JsonProcessingException e) {
      throw new ConfigException(
          "expected JSON with a list \"%s\", but %s".formatted(key, e.getOriginalMessage()));
    }
  }

  private static int count(JsonNode from, String key) {
    JsonNode value = from.path(key);
    check(
        value.isInt() && value.asInt() >= 0,
        "\"%s\" must be a whole number of at least 0 in %s",
        key,
        from);
    return value.asInt();
  }

  @FormatMethod
  private static void check(boolean holds, @FormatString String sentence, Object... args) {
    if (!holds) {
      throw new ConfigException(sentence.formatted(args));
    }
  }
}
