package dev.flotilla;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The group of measuring commands. */
@Command(
    name = "bench",
    description = "Measures a running server.",
    mixinStandardHelpOptions = true,
    subcommands = {BenchServeCommand.class})
final class BenchCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private CommandSpec spec;

  @Override
  public Integer call() {
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "name what to measure: " + String.join(", ", spec.subcommands().keySet()));
  }
}
