package dev.flotilla.launch;

import dev.flotilla.config.ConfigException;
import dev.flotilla.config.Surroundings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What engines that a head places elsewhere inherit of it, and how a node adds that to its own:
 * environment variables that are listed, and JVM flags, both less those that are about one node.
 *
 * <p>Source: the original's actors get the head's environment without what is a worker's own, and a
 * person lists what else is to be carried.
 */
public final class Inheritance {
  /** Ours are carried without being listed. */
  private static final String OURS = "FLOTILLA_";

  /** Of one node, or of its start. */
  private static final Set<String> NODE_VARIABLES =
      Set.of(
          "FLOTILLA_JAVA_OPTS",
          "FLOTILLA_CLUSTER_CONFIG",
          "FLOTILLA_DEVICES",
          "FLOTILLA_PLACEMENT",
          "FLOTILLA_MAIN",
          "CUDA_VISIBLE_DEVICES",
          "CLASSPATH",
          "JAVA_HOME",
          "HOME",
          "HOSTNAME",
          "PATH",
          "PWD",
          "TMPDIR");

  /** Names of JVM flags by how they are written; those that differ in the name alone are one. */
  private static final List<Pattern> NAMES =
      List.of(
          Pattern.compile("-XX:[+-](Use\\w*GC)"),
          Pattern.compile("-XX:[+-]?(\\w+)(=.*)?"),
          Pattern.compile("-D([\\w.-]+)(=.*)?"),
          Pattern.compile("-(Xm[nsx]|Xss)\\d\\w*"));

  /** Paths of one machine, the way into the cluster, and what the launch script sets everywhere. */
  private static final Pattern NODE_FLAGS =
      Pattern.compile(
          "-D(cluster|vertx\\.hazelcast|flotilla\\.(home|numa)|java\\.io|user|file|jdk\\.net|logback|hazelcast)\\..*"
              + "|-Dflotilla\\.(home|basedir)(=.*)?"
              + "|-XX:(SharedArchiveFile|ArchiveClassesAtExit|StartFlightRecording|CompileCommand|HeapDumpPath"
              + "|ErrorFile|LogFile|OnOutOfMemoryError|OnError|FlightRecorderOptions)[=:].*"
              + "|-XX:(\\+UnlockDiagnosticVMOptions|ArchiveRelocationMode=.*|\\+UseCompactObjectHeaders)");

  private Inheritance() {}

  /**
   * What a head gives.
   *
   * @param listed names of variables, besides those of Flotilla
   * @param flags of its JVM
   * @throws ConfigException for a name that belongs to one node
   */
  public static Surroundings of(
      List<String> listed, Map<String, String> environment, List<String> flags) {
    for (String name : listed) {
      if (NODE_VARIABLES.contains(name)) {
        throw new ConfigException(
            "--engine-environment names %s, which each node has for itself; leave it out"
                .formatted(name));
      }
    }
    List<String> variables = new ArrayList<>();
    new TreeMap<>(environment)
        .forEach(
            (name, value) -> {
              boolean wanted = name.startsWith(OURS) || listed.contains(name);
              if (wanted && !NODE_VARIABLES.contains(name)) {
                variables.add(name + "=" + value);
              }
            });
    return new Surroundings(variables, flags.stream().filter(Inheritance::everywhere).toList());
  }

  private static boolean everywhere(String flag) {
    return !NODE_FLAGS.matcher(flag).matches()
        && NAMES.stream().anyMatch(name -> name.matcher(flag).matches());
  }

  /** A node's own flags, with the head's in place of those of the same name. */
  static List<String> flags(List<String> own, Surroundings inherited) {
    Set<String> names = new HashSet<>();
    inherited.jvmFlags().forEach(flag -> names.add(name(flag)));
    List<String> all = new ArrayList<>(own);
    all.removeIf(flag -> names.contains(name(flag)));
    all.addAll(inherited.jvmFlags());
    return all;
  }

  /** Variables by name; none of a node's own, whatever was sent. */
  static Map<String, String> environment(Surroundings inherited) {
    Map<String, String> variables = new HashMap<>();
    for (String variable : inherited.environment()) {
      int equals = variable.indexOf('=');
      String name = variable.substring(0, equals);
      if (!NODE_VARIABLES.contains(name)) {
        variables.put(name, variable.substring(equals + 1));
      }
    }
    return variables;
  }

  /** All collectors have one name, since a JVM can have one only. */
  private static String name(String flag) {
    for (Pattern pattern : NAMES) {
      Matcher matcher = pattern.matcher(flag);
      if (matcher.matches()) {
        return pattern == NAMES.getFirst() ? "GC" : flag.charAt(1) + matcher.group(1);
      }
    }
    return flag;
  }
}
