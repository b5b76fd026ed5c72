package dev.flotilla;

import com.hazelcast.cluster.Member;
import com.hazelcast.cluster.MembershipEvent;
import com.hazelcast.cluster.MembershipListener;
import com.hazelcast.config.AdvancedNetworkConfig;
import com.hazelcast.config.Config;
import com.hazelcast.config.FileSystemXmlConfig;
import com.hazelcast.config.InterfacesConfig;
import com.hazelcast.config.InvalidConfigurationException;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.NetworkConfig;
import com.hazelcast.config.TcpIpConfig;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.instance.EndpointQualifier;
import dev.flotilla.config.ConfigException;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.NodeId;
import dev.flotilla.protocol.ToCoordinator;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's membership of a Hazelcast cluster, from one named {@code cluster.xml}; the only place
 * that knows the cluster manager. Departures are told to the coordinator, and who is there to this
 * node's own.
 */
final class Cluster {
  private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);

  /** Member attribute of a head: where it serves. */
  private static final String HEAD = "flotilla.head";

  /** Member attribute of a node with a coordinator, whether it leads or stands by. */
  private static final String STANDS_BY = "flotilla.stands-by";

  /** Between two lists of members for this node's coordinator; changes are told at once. */
  private static final long LIST_MS = 1_000;

  /** Member attribute that vertx-hazelcast sets: the node's id on the event bus. */
  private static final String NODE_ID = "__vertx.nodeId";

  /** What Hazelcast fills in from properties, and leaves as it is where one is missing. */
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([\\w.]+)}");

  private final HazelcastClusterManager manager;
  private final String name;
  private boolean child;

  private Cluster(HazelcastClusterManager manager, String name) {
    this.manager = manager;
    this.name = name;
  }

  /**
   * Reads the configuration.
   *
   * @param file never the library's default, which would shout over multicast
   * @param name null: the system property {@code cluster.name}, else "flotilla"
   * @param head address of a member on another host to be joined, if any
   * @param serving null unless this node is a head: where it serves
   */
  static Cluster of(
      Path file, @Nullable String name, @Nullable String head, @Nullable String serving) {
    if (!Files.isRegularFile(file)) {
      throw new ConfigException(
          "cluster configuration %s does not exist; give one with --cluster-config"
              .formatted(file));
    }
    Properties properties = new Properties();
    properties.setProperty("cluster.name", "flotilla");
    properties.putAll(System.getProperties());
    if (name != null) {
      properties.setProperty("cluster.name", name);
    }
    Config config;
    try {
      complete(file, properties);
      config = new FileSystemXmlConfig(file.toFile(), properties);
    } catch (IOException | InvalidConfigurationException e) {
      throw new ConfigException(
          "cluster configuration %s cannot be read: %s".formatted(file, e.getMessage()));
    }
    if (!config.getAdvancedNetworkConfig().isEnabled()) {
      LOG.warn(
          "cluster configuration {} describes its network with \"network\", where a node that stands still can take healthy ones with it; use \"advanced-network\" as config/cluster-tcp.xml does",
          file);
    }
    if (head != null) {
      reach(config, head);
    }
    if (serving != null) {
      config.getMemberAttributeConfig().setAttribute(HEAD, serving);
    }
    return new Cluster(new HazelcastClusterManager(config), config.getClusterName());
  }

  private static void complete(Path file, Properties properties) throws IOException {
    Matcher variable = VARIABLE.matcher(Files.readString(file));
    while (variable.find()) {
      String wanted = variable.group(1);
      if (properties.getProperty(wanted) == null) {
        throw new ConfigException(
            "cluster configuration %s needs a value for %s; give it with -D%s=… in FLOTILLA_JAVA_OPTS"
                .formatted(file, wanted, wanted));
      }
    }
  }

  /**
   * As a small member that knows of one other: it holds no data, so that nothing moves when it
   * comes or goes, and starts few threads.
   *
   * @param member host and port of the other
   */
  Cluster asChildOf(String member) {
    child = true;
    Config config = manager.getConfig();
    config.setLiteMember(true);
    // Measured at every start, and read by nobody: the parent's member tells about the cluster.
    config.getMetricsConfig().setEnabled(false);
    Network.of(config).join().getTcpIpConfig().setMembers(List.of(member));
    Network.of(config).listenOnlyAt(member.substring(0, member.lastIndexOf(':')));
    for (String threads :
        List.of(
            "hazelcast.operation.thread.count",
            "hazelcast.operation.generic.thread.count",
            "hazelcast.event.thread.count",
            "hazelcast.io.thread.count")) {
      config.setProperty(threads, "2");
    }
    return this;
  }

  /** As a node with a coordinator. */
  Cluster standingBy() {
    manager.getConfig().getMemberAttributeConfig().setAttribute(STANDS_BY, "true");
    return this;
  }

  /** Host and port of this node's member. */
  String member() {
    var address = manager.getHazelcastInstance().getCluster().getLocalMember().getAddress();
    return address.getHost() + ":" + address.getPort();
  }

  /** The cluster's name. */
  String name() {
    return name;
  }

  /** The cluster manager, for the builder of a Vert.x that something else starts. */
  HazelcastClusterManager manager() {
    return manager;
  }

  /** Joins, or founds the cluster if there is none. */
  Future<Vertx> join(VertxOptions options) {
    return Vertx.builder()
        .with(tuned(options))
        .withClusterManager(manager)
        .buildClustered()
        .onSuccess(this::joined);
  }

  /** A child leaves the news of other nodes to its parent. */
  private void joined(Vertx vertx) {
    if (!child) {
      watch(vertx);
    }
  }

  /** Bus settings under which a lost peer is noticed in seconds, not minutes. */
  static VertxOptions tuned(VertxOptions options) {
    EventBusOptions bus = options.getEventBusOptions();
    bus.setClusterPingInterval(1000).setClusterPingReplyInterval(1000).setConnectTimeout(1000);
    return options;
  }

  /** Tells the coordinators of every node that comes or leaves. */
  void watch(Vertx vertx) {
    Bus bus = Bus.of(vertx);
    vertx.setPeriodic(LIST_MS, ignored -> tellNodes(bus));
    manager
        .getHazelcastInstance()
        .getCluster()
        .addMembershipListener(
            new MembershipListener() {
              @Override
              public void memberAdded(MembershipEvent event) {
                LOG.info("node {} joined", event.getMember().getAddress());
                tellNodes(bus);
              }

              @Override
              public void memberRemoved(MembershipEvent event) {
                LOG.info("node {} left", event.getMember().getAddress());
                tellNodes(bus);
                String id = event.getMember().getAttribute(NODE_ID);
                if (id != null) {
                  bus.send(Addresses.COORDINATOR, new ToCoordinator.NodeLeft(new NodeId(id)))
                      .onFailure(e -> LOG.debug("nobody coordinates: {}", e.toString()));
                }
              }
            });
  }

  /** Tells this node's coordinator, if it has one, who is there. */
  void tellNodes(Bus bus) {
    List<NodeId> all = new ArrayList<>();
    List<NodeId> standingBy = new ArrayList<>();
    // Hazelcast lists members in the order of joining, on every node the same.
    for (Member member : manager.getHazelcastInstance().getCluster().getMembers()) {
      String id = member.getAttribute(NODE_ID);
      if (id != null) {
        all.add(new NodeId(id));
        if (member.getAttribute(STANDS_BY) != null) {
          standingBy.add(new NodeId(id));
        }
      }
    }
    bus.send(Addresses.coordinator(bus.node()), new ToCoordinator.Nodes(all, standingBy))
        .onFailure(e -> LOG.trace("this node has no coordinator: {}", e.toString()));
  }

  /**
   * Another head of this cluster that came before this node: where it serves. Members are listed in
   * the order of joining, on every node the same, so of two heads exactly one gives way.
   */
  Optional<String> earlierHead() {
    HazelcastInstance hazelcast = manager.getHazelcastInstance();
    Member self = hazelcast.getCluster().getLocalMember();
    for (Member member : hazelcast.getCluster().getMembers()) {
      if (member.getUuid().equals(self.getUuid())) {
        return Optional.empty();
      }
      String serving = member.getAttribute(HEAD);
      if (serving != null) {
        return Optional.of(serving + " (member " + member.getAddress() + ")");
      }
    }
    return Optional.empty();
  }

  /** How members find and reach each other, in whichever of its two ways a file may say it. */
  private record Network(JoinConfig join, InterfacesConfig interfaces) {
    static Network of(Config config) {
      AdvancedNetworkConfig advanced = config.getAdvancedNetworkConfig();
      NetworkConfig plain = config.getNetworkConfig();
      return advanced.isEnabled()
          ? new Network(
              advanced.getJoin(),
              Objects.requireNonNull(
                      advanced.getEndpointConfigs().get(EndpointQualifier.MEMBER),
                      "members have an end point by default")
                  .getInterfaces())
          : new Network(plain.getJoin(), plain.getInterfaces());
    }

    void listenOnlyAt(String host) {
      interfaces.clear();
      interfaces.addInterface(host).setEnabled(true);
    }
  }

  private static void reach(Config config, String head) {
    TcpIpConfig search = Network.of(config).join().getTcpIpConfig();
    if (!search.getMembers().contains(head)) {
      search.addMember(head);
    }
    InetAddress target;
    try {
      target = InetAddress.getByName(head);
    } catch (IOException e) {
      throw new ConfigException("--data-parallel-address: host '%s' is not known".formatted(head));
    }
    if (!target.isLoopbackAddress()) {
      Network.of(config).listenOnlyAt(towards(target));
    }
  }

  /** This host's own address on the way to the target; no packet is sent. */
  private static String towards(InetAddress target) {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(target, 9));
      return socket.getLocalAddress().getHostAddress();
    } catch (IOException e) {
      throw new UncheckedIOException("no route to " + target, e);
    }
  }
}
