package dev.flotilla;

import dev.flotilla.config.ConfigException;
import dev.flotilla.config.LoadBalancing;
import dev.flotilla.simulation.load.SimFleet;
import dev.flotilla.simulation.load.SimResult;
import dev.flotilla.simulation.load.SimSettings.EngineModel;
import dev.flotilla.simulation.load.Trace;
import dev.flotilla.simulation.load.Utilisation;
import java.io.Console;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.zip.ZipException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Answers what a fleet would do with a trace, under each of several policies. */
@Command(
    name = "sim",
    description = {
      "Simulates a fleet on a trace of requests, around the balancer and the scheduler that serve.",
      "What would 12 engines do on my trace: sim --trace FILE --engines 12"
    },
    mixinStandardHelpOptions = true)
final class SimCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private CommandSpec spec;

  @Mixin
  @SuppressWarnings("NullAway.Init") // Set by picocli.
  private SimFlags flags;

  @Override
  public Integer call() throws IOException {
    flags.check();
    Trace trace = trace();
    EngineModel engine = flags.engine(trace.prefixes());
    Double wanted = flags.utilisation;
    if (wanted != null) {
      trace = Utilisation.scale(trace, engine, flags.engines, wanted);
    }
    List<SimResult> results = new ArrayList<>();
    for (LoadBalancing policy : flags.policies()) {
      List<SimResult> runs = new ArrayList<>();
      for (int i = 0; i < flags.seeds; i++) {
        runs.add(SimFleet.run(trace, flags.settings(policy, flags.seed + i, engine)));
      }
      results.add(SimResult.median(runs));
    }
    PrintWriter out = spec.commandLine().getOut();
    if (flags.json) {
      out.println(SimReport.json(results));
    } else {
      out.printf(
          "%,d requests, %d engines, %d front-ends, utilisation %.2f in the busiest twentieth%n%n",
          trace.requests().size(),
          flags.engines,
          flags.frontends,
          Utilisation.of(trace, engine, flags.engines));
      out.print(SimReport.table(results));
      if (Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()) {
        out.print(SimReport.chart(results));
      }
    }
    out.flush();
    return 0;
  }

  private Trace trace() {
    if (!Files.isRegularFile(flags.trace)) {
      throw new ConfigException("--trace: there is no file " + flags.trace);
    }
    try {
      return Trace.read(flags.trace);
    } catch (ZipException | EOFException e) {
      throw new ConfigException(
          "--trace: %s is damaged: %s".formatted(flags.trace, e.getMessage()));
    } catch (IOException e) {
      throw new FailedCommand("cannot read %s: %s".formatted(flags.trace, e.getMessage()));
    }
  }
}
