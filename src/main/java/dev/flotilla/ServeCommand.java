package dev.flotilla;

import dev.flotilla.config.ExecutorKind;
import dev.flotilla.executor.cpu.CpuExecutor;
import dev.flotilla.launch.Backend;
import dev.flotilla.model.ModelException;
import dev.flotilla.model.ModelFolder;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Serves a model: as the head of a cluster, or as a headless node with more engines. */
@Command(
    name = "serve",
    description = "Serve a model over HTTP from data-parallel engines.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ServeCommand implements Callable<Integer> {
  @Mixin private ServeFlags flags = new ServeFlags();

  @Override
  public Integer call() throws Exception {
    StartTimes times = StartTimes.begin();
    ServePlan plan = ServePlan.of(flags, ServeCommand::mixture);
    if (flags.executor == ExecutorKind.CUDA) {
      throw new ModelException("--executor cuda is not built yet; use --executor cpu");
    }
    ModelFolder model = ModelFolder.open(plan.model());
    if (plan.usageReport() != null) {
      UsageReport.of(plan, model).write(plan.usageReport());
    }
    boolean computesHere =
        flags.executor == ExecutorKind.CPU && plan.launch().backend() == Backend.VERTICLE;
    if (computesHere && plan.launch().starts().count() > 0) {
      Thread.ofPlatform().daemon().name("kernel-test").start(CpuExecutor::prepare);
    }
    times.ended("model checked");
    Node node = Node.start(plan, times);
    Shutdown.closes(node::close);
    Shutdown.onSignals(node::hurry, node::kill);
    String ready = node.awaitReady();
    System.err.println(times.line());
    System.err.println(ready);
    new CountDownLatch(1).await();
    return 0;
  }

  private static boolean mixture(Path folder) {
    return ModelFolder.open(folder).config().experts() != null;
  }
}
