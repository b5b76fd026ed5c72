package dev.flotilla;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows the nodes of a running cluster, their devices and the ranks that have them. */
@Command(
    name = "nodes",
    description = "Shows the nodes of a running cluster, with devices and ranks.",
    mixinStandardHelpOptions = true)
final class NodesCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private CommandSpec spec;

  @Mixin private ServerCall server = new ServerCall();

  @Option(names = "--json", description = "Print the object as the server sent it.")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    JsonNode answer = server.get("/nodes");
    PrintWriter out = spec.commandLine().getOut();
    out.print(json ? answer + "\n" : render(answer));
    out.flush();
    return 0;
  }

  static String render(JsonNode answer) {
    if (answer.path("nodes").isEmpty()) {
      return "No node has told of its devices yet.\n";
    }
    TextTable table = new TextTable("NODE", "ADDRESS", "HOST", "DEVICES", "FREE", "USED", "RANKS");
    for (JsonNode node : answer.path("nodes")) {
      List<String> ranks = new ArrayList<>();
      node.path("ranks").forEach(rank -> ranks.add(rank.asText()));
      table.add(
          node.path("id").asText() + (node.path("head").asBoolean() ? " (head)" : ""),
          node.path("address").asText(),
          node.path("attributes").path("host").asText(),
          node.path("devices").asText(),
          node.path("free").asText(),
          node.path("used").asText(),
          ranks.isEmpty() ? "none" : String.join(",", ranks));
    }
    return table.render();
  }
}
