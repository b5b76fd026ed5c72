package dev.flotilla;

import dev.flotilla.config.ConfigException;
import dev.flotilla.placement.Capacity;
import dev.flotilla.placement.Placement;
import dev.flotilla.placement.PlacementGroup;
import dev.flotilla.placement.PlacementGroup.Bundle;
import dev.flotilla.placement.PlacementJson;
import dev.flotilla.placement.PlacementRequest;
import dev.flotilla.placement.Planner;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Plans which devices each rank would get, and starts nothing. */
@Command(
    name = "place",
    description = "Plan which devices of which nodes each engine would get; starts nothing.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class PlaceCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private CommandSpec spec;

  @Option(
      names = "--nodes",
      paramLabel = "FILE",
      description =
          "JSON: {\"nodes\":[{\"id\",\"address\",\"devices\":count}]}; without it those of a running cluster, with what is free there.")
  private @Nullable Path nodes;

  @Option(
      names = "--head",
      paramLabel = "ADDRESS",
      description = "Address of the node that has rank 0, or its id (the running cluster's head).")
  private @Nullable String head;

  @Mixin private ServerCall server = new ServerCall();

  @Option(
      names = {"--data-parallel-size", "-dp"},
      description = "Engines in all (${DEFAULT-VALUE}).")
  private int dataParallelSize = 1;

  @Option(
      names = {"--data-parallel-size-local", "-dpl"},
      description = "Engines of the head (1).")
  private @Nullable Integer dataParallelSizeLocal;

  @Mixin private PlacementFlags flags = new PlacementFlags();

  @Option(names = "--json", description = "Print one JSON object instead of a table.")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    String text = nodes == null ? server.get("/nodes").toString() : read(nodes);
    List<Capacity> known = known(text);
    PlacementRequest request =
        flags.request(
            head(text),
            dataParallelSize,
            dataParallelSizeLocal == null ? 1 : dataParallelSizeLocal);
    return switch (Planner.plan(known, request)) {
      case Placement.Refused(_, String sentence) -> throw new FailedCommand(sentence);
      case Placement.Planned(List<PlacementGroup> groups, List<String> notes) -> {
        notes.forEach(note -> spec.commandLine().getErr().println("note: " + note));
        spec.commandLine().getErr().flush();
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? PlacementJson.write(groups, known) + "\n" : table(groups));
        out.flush();
        yield 0;
      }
    };
  }

  private String head(String text) {
    String known = head == null ? PlacementJson.head(text) : head;
    if (known.isEmpty()) {
      throw new ConfigException(
          "no node says that it is the head; name the one that has rank 0 with --head");
    }
    return known;
  }

  private static String read(Path nodes) {
    try {
      return Files.readString(nodes);
    } catch (IOException e) {
      throw new ConfigException("--nodes %s cannot be read: %s".formatted(nodes, e.getMessage()));
    }
  }

  private List<Capacity> known(String text) {
    try {
      return PlacementJson.nodes(text);
    } catch (ConfigException e) {
      throw nodes == null
          ? e
          : new ConfigException("--nodes %s: %s".formatted(nodes, e.getMessage()));
    }
  }

  private static String table(List<PlacementGroup> groups) {
    TextTable table = new TextTable("RANK", "NAME", "LOCAL", "DEVICES", "CONTROL");
    for (PlacementGroup group : groups) {
      String devices =
          group.bundles().stream().map(PlaceCommand::text).collect(Collectors.joining(" + "));
      table.add(group.rank(), group.name(), group.localRank(), devices, group.control());
    }
    return table.render();
  }

  private static String text(Bundle bundle) {
    return bundle.devices() + " on " + bundle.node();
  }
}
