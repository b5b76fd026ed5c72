package dev.flotilla;

import dev.flotilla.config.Config;
import dev.flotilla.config.ConfigException;
import dev.flotilla.model.ModelException;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command line. Exit codes: 0 done, 1 failed, 2 wrong usage; a failure is one sentence on
 * standard error, with a stack trace only under {@code --verbose}.
 */
@Command(
    name = "flotilla",
    description = "Serves large language models from a fleet of data-parallel engines.",
    mixinStandardHelpOptions = true,
    versionProvider = Flotilla.Version.class,
    subcommands = {
      ServeCommand.class,
      CompleteCommand.class,
      EnginesCommand.class,
      JoinCommand.class,
      NodesCommand.class,
      PlaceCommand.class,
      ScaleCommand.class,
      BenchCommand.class,
      SimCommand.class
    })
public final class Flotilla implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private CommandSpec spec;

  @Option(
      names = "--verbose",
      description = "Log more, and show stack traces.",
      scope = ScopeType.INHERIT)
  private boolean verbose;

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] args) {
    int code = run(args);
    Shutdown.exit(code);
  }

  static int run(String... args) {
    return commandLine().execute(args);
  }

  static CommandLine commandLine() {
    return commandLine(System.getenv());
  }

  static CommandLine commandLine(Map<String, String> environment) {
    CommandLine line = new CommandLine(new Flotilla());
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setOverwrittenOptionsAllowed(false);
    line.setDefaultValueProvider(PlacementFlags.from(environment));
    line.setParameterExceptionHandler((e, given) -> badUsage(e));
    line.setExecutionExceptionHandler((e, where, result) -> failed(e, line));
    line.setExecutionStrategy(
        parsed -> {
          if (((Flotilla) line.getCommand()).verbose) {
            verboseLogs();
          }
          return new CommandLine.RunLast().execute(parsed);
        });
    return line;
  }

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return CommandLine.ExitCode.USAGE;
  }

  private static int badUsage(ParameterException e) {
    PrintWriter err = e.getCommandLine().getErr();
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    String sentence = String.valueOf(e.getMessage()).lines().findFirst().orElse("wrong usage");
    String meant =
        e instanceof UnmatchedArgumentException unmatched
                && unmatched.getUnmatched().getFirst().startsWith("-")
            ? "; did you mean " + nearest(unmatched.getUnmatched().getFirst(), e) + "?"
            : "";
    err.println(command + ": " + sentence + meant + " (see " + command + " --help)");
    err.flush();
    return CommandLine.ExitCode.USAGE;
  }

  private static String nearest(String option, ParameterException e) {
    return e.getCommandLine().getCommandSpec().optionsMap().keySet().stream()
        .min(Comparator.comparingInt(known -> Config.distance(option, known)))
        .orElse("--help");
  }

  private static int failed(Exception e, CommandLine line) {
    Throwable cause = e;
    while (cause.getCause() != null && !sentence(cause)) {
      cause = cause.getCause();
    }
    PrintWriter err = line.getErr();
    err.println("flotilla: " + (cause.getMessage() == null ? cause : cause.getMessage()));
    if (((Flotilla) line.getCommand()).verbose) {
      e.printStackTrace(err);
    }
    err.flush();
    return cause instanceof ConfigException ? CommandLine.ExitCode.USAGE : 1;
  }

  /** Whether the message was written for a person. */
  private static boolean sentence(Throwable e) {
    return e instanceof ConfigException
        || e instanceof ModelException
        || e instanceof FailedCommand;
  }

  private static void verboseLogs() {
    ((ch.qos.logback.classic.Logger) LoggerFactory.getLogger("dev.flotilla"))
        .setLevel(ch.qos.logback.classic.Level.DEBUG);
    ((ch.qos.logback.classic.Logger) LoggerFactory.getLogger("com.hazelcast"))
        .setLevel(ch.qos.logback.classic.Level.INFO);
  }

  /** The version in the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Flotilla.class.getPackage().getImplementationVersion();
      return new String[] {"flotilla " + (version == null ? "development" : version)};
    }
  }
}
