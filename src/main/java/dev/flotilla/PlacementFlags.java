package dev.flotilla;

import dev.flotilla.placement.AllToAll;
import dev.flotilla.placement.PackStrategy;
import dev.flotilla.placement.PlacementRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/**
 * Flags about which devices of which nodes each rank gets. Each may come as an environment variable
 * too, named after it: {@code FLOTILLA_PACK_STRATEGY}; the flag wins.
 */
final class PlacementFlags {
  private static final List<String> FROM_ENVIRONMENT =
      List.of(
          "--pack-strategy",
          "--placement-node-ips",
          "--placement",
          "--all2all-backend",
          "--tensor-parallel-size",
          "--engine-environment",
          "--devices");

  @Option(
      names = "--pack-strategy",
      description =
          "strict (every node as many ranks as the head), fill (as many as fit) or span (a rank takes whole nodes) (${DEFAULT-VALUE}).")
  private String packStrategy = "strict";

  @Option(
      names = "--placement-node-ips",
      paramLabel = "ADDRESS,ADDRESS…",
      description = "Nodes that may be used, besides the head (all).")
  private String placementNodeIps = "";

  @Option(
      names = "--all2all-backend",
      description =
          "How ranks exchange tokens of experts; some need equally many ranks on every node (${DEFAULT-VALUE}).")
  private String allToAll = AllToAll.ALLGATHER_REDUCESCATTER.toString();

  @Option(
      names = {"--tensor-parallel-size", "-tp"},
      description = "Devices of a rank (${DEFAULT-VALUE}).")
  int tensorParallelSize = 1;

  /** What these flags ask for at the first placement. */
  PlacementRequest request(String head, int size, int sizeLocal) {
    return new PlacementRequest(
        head,
        0,
        size,
        sizeLocal,
        tensorParallelSize,
        PackStrategy.of(packStrategy),
        AllToAll.of(allToAll),
        allowed());
  }

  private List<String> allowed() {
    return list(placementNodeIps);
  }

  /** What a flag lists with commas. */
  static List<String> list(String flag) {
    return Arrays.stream(flag.split(",", -1))
        .map(String::strip)
        .filter(part -> !part.isEmpty())
        .toList();
  }

  /** Values of the flags that the command line does not give. */
  static IDefaultValueProvider from(Map<String, String> environment) {
    return argument -> fromEnvironment(argument, environment);
  }

  private static @Nullable String fromEnvironment(
      ArgSpec argument, Map<String, String> environment) {
    if (argument instanceof OptionSpec option && FROM_ENVIRONMENT.contains(option.longestName())) {
      String value = environment.get(variable(option.longestName()));
      return value == null || value.isBlank() ? null : value;
    }
    return null;
  }

  private static String variable(String flag) {
    return "FLOTILLA_" + flag.substring(2).replace('-', '_').toUpperCase(Locale.ROOT);
  }
}
