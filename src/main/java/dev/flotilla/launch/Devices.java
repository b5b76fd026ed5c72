package dev.flotilla.launch;

import dev.flotilla.config.NodeConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What a node can run ranks on, and what else a person may want to know of it. */
final class Devices {
  /** NVIDIA's driver has a folder for each device here. */
  private static final Path GPUS = Path.of("/proc/driver/nvidia/gpus");

  private Devices() {}

  /** As many as were said; else the GPUs found; else one for each core, or local rank if more. */
  static int of(NodeConfig settings) {
    if (settings.devices() > 0) {
      return settings.devices();
    }
    int gpus = gpus(GPUS);
    return gpus > 0
        ? gpus
        : Math.max(Runtime.getRuntime().availableProcessors(), settings.engines().size());
  }

  static int gpus(Path folder) {
    if (!Files.isDirectory(folder)) {
      return 0;
    }
    try (Stream<Path> devices = Files.list(folder)) {
      return (int) devices.count();
    } catch (IOException e) {
      return 0; // They are not ours to see.
    }
  }

  /** The host of the node's member of the cluster; without one, that of the machine. */
  static String address(NodeConfig settings) {
    String member = settings.children().member();
    if (!member.isEmpty()) {
      return member.substring(0, member.lastIndexOf(':'));
    }
    try {
      return InetAddress.getLocalHost().getHostAddress();
    } catch (UnknownHostException e) {
      return InetAddress.getLoopbackAddress().getHostAddress();
    }
  }

  static Map<String, String> attributes(String host, NodeConfig settings) {
    Map<String, String> all = new TreeMap<>();
    all.put("host", host);
    all.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
    all.put("memory_mb", Long.toString(Runtime.getRuntime().maxMemory() >> 20));
    all.put("arch", System.getProperty("os.arch", "unknown"));
    all.put("java", Runtime.version().toString());
    all.put("engines", settings.processes() ? "process" : "verticle");
    all.put("pid", Long.toString(ProcessHandle.current().pid()));
    all.put("headless", Boolean.toString(settings.headless()));
    return all;
  }
}
