package dev.flotilla;

import com.hazelcast.config.Config;
import com.hazelcast.config.FileSystemXmlConfig;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import java.io.IOException;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * The addresses that are registered on a cluster's bus, read by a member without data from outside
 * its hosts.
 */
final class BusAddresses implements AutoCloseable {
  private static final String ENGINES = "flotilla.v1.engine.";

  private final HazelcastInstance member;

  private BusAddresses(HazelcastInstance member) {
    this.member = member;
  }

  static BusAddresses of(Hosts hosts) throws IOException {
    Properties properties = new Properties();
    properties.setProperty("cluster.name", hosts.cluster());
    properties.setProperty("cluster.interface", hosts.network().pattern());
    properties.setProperty("cluster.members", hosts.network().addresses());
    Config config =
        new FileSystemXmlConfig(
            FlotillaProcess.home().resolve("config/cluster-lite.xml").toFile(), properties);
    // Every member of such a cluster has an id on the bus.
    config.getMemberAttributeConfig().setAttribute("__vertx.nodeId", UUID.randomUUID().toString());
    return new BusAddresses(Hazelcast.newHazelcastInstance(config));
  }

  /** Without those of single replies, and with one name for all incarnations. */
  Set<String> all() {
    Set<String> all = new TreeSet<>();
    for (Object address : member.getMultiMap("__vertx.subs").keySet()) {
      if (!address.toString().startsWith("__vertx.reply")) {
        all.add(address.toString());
      }
    }
    return all;
  }

  /** How many engines are registered. */
  int engines() {
    return (int) all().stream().filter(address -> address.startsWith(ENGINES)).count();
  }

  @Override
  public void close() {
    member.shutdown();
  }
}
