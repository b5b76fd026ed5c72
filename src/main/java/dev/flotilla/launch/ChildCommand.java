package dev.flotilla.launch;

import dev.flotilla.config.EngineConfig;
import dev.flotilla.config.ExecutorKind;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The command line of an engine's JVM: this JVM's program, flags and class path.
 *
 * @param prefix of the command: binds it to a part of the machine
 * @param java program
 * @param flags of this JVM
 * @param classPath of this JVM
 */
record ChildCommand(List<String> prefix, String java, List<String> flags, String classPath) {
  /** Started by name, since it joins the cluster, which only the root knows how to. */
  private static final String MAIN = "dev.flotilla.EngineMain";

  /** Keeps private copies. */
  ChildCommand {
    prefix = List.copyOf(prefix);
    flags = List.copyOf(flags);
  }

  /** As this JVM runs. */
  static ChildCommand ofThisJvm() {
    String java =
        ProcessHandle.current()
            .info()
            .command()
            .orElse(System.getProperty("java.home") + "/bin/java");
    List<String> flags =
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            // Two processes cannot listen on one debugger's port or write one recording.
            .filter(f -> !f.startsWith("-agentlib:") && !f.startsWith("-javaagent:"))
            .filter(f -> !f.startsWith("-XX:StartFlightRecording"))
            .filter(f -> !f.startsWith("-XX:ArchiveClassesAtExit"))
            .toList();
    return new ChildCommand(List.of(), java, flags, System.getProperty("java.class.path"));
  }

  /** What the child's environment needs; the path there leaves the command line readable. */
  Map<String, String> environment() {
    return Map.of("CLASSPATH", classPath);
  }

  /** The same behind a prefix. */
  ChildCommand behind(List<String> other) {
    return new ChildCommand(other, java, flags, classPath);
  }

  /** The words of the command; the engine's name is among them, for those who look for it. */
  List<String> words(String name, EngineConfig config) {
    List<String> words = new ArrayList<>(prefix);
    words.add(java);
    words.addAll(flags);
    if (flags.stream().noneMatch(f -> f.matches("-XX:\\+Use\\w*GC"))) {
      // A step leaves little garbage, and many small JVMs share one machine's cores.
      words.add("-XX:+UseSerialGC");
    }
    if (config.executor() == ExecutorKind.SCRIPTED) {
      // It computes nothing: what counts is how soon it is there.
      words.add("-XX:TieredStopAtLevel=1");
    }
    if (flags.stream().noneMatch(f -> f.startsWith("-XX:CompileThresholdScaling"))) {
      // Most of what is compiled during a start is not used after it: a quarter of the start's
      // cost.
      words.add("-XX:CompileThresholdScaling=4");
    }
    // This JVM has read the same file, and checking it costs a tenth of the child's start.
    words.add("-Dhazelcast.config.schema.validation.enabled=false");
    // Without the time, which this JVM's log puts before each line.
    words.add("-Dlogback.configurationFile=logback-child.xml");
    words.add(MAIN);
    words.add(name);
    return words;
  }
}
