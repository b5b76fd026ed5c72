package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.hazelcast.config.AdvancedNetworkConfig;
import com.hazelcast.config.Config;
import com.hazelcast.config.FileSystemXmlConfig;
import com.hazelcast.config.InterfacesConfig;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.instance.EndpointQualifier;
import dev.flotilla.config.ConfigException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** The shipped settings for clusters of several hosts. */
class ClusterConfigTest {
  private static final List<String> BUS_MAPS = List.of("__vertx.nodeInfo", "__vertx.haInfo");

  private static Path file(String name) {
    return SourceFormat.root().resolve(name);
  }

  private static Config read(String name) throws Exception {
    Properties values = new Properties();
    values.setProperty("cluster.name", "test");
    values.setProperty("cluster.interface", "10.1.2.*");
    values.setProperty("cluster.members", "10.1.2.10,10.1.2.11");
    values.setProperty("cluster.service", "flotilla.default.svc.cluster.local");
    return new FileSystemXmlConfig(file(name).toFile(), values);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cluster-tcp.xml", "cluster-lite.xml", "cluster-kubernetes.xml"})
  void differsFromTheOneForLoopbackInTheNetworkOnly(String name) throws Exception {
    Config loopback = read("cluster.xml");
    Config config = read("config/" + name);
    assertEquals("test", config.getClusterName());
    // Here many nodes are on one host, there on one each.
    loopback.setProperty("hazelcast.tcp.join.port.try.count", "1");
    assertEquals(loopback.getProperties(), config.getProperties());
    BUS_MAPS.forEach(map -> assertEquals(loopback.getMapConfig(map), config.getMapConfig(map)));
    assertEquals(
        loopback.getMultiMapConfig("__vertx.subs"), config.getMultiMapConfig("__vertx.subs"));
    AdvancedNetworkConfig network = config.getAdvancedNetworkConfig();
    assertTrue(network.isEnabled());
    InterfacesConfig interfaces =
        Objects.requireNonNull(network.getEndpointConfigs().get(EndpointQualifier.MEMBER))
            .getInterfaces();
    assertEquals(List.of("10.1.2.*"), List.copyOf(interfaces.getInterfaces()));
    assertTrue(interfaces.isEnabled());
    JoinConfig join = network.getJoin();
    assertFalse(join.getMulticastConfig().isEnabled());
    assertFalse(join.getAutoDetectionConfig().isEnabled());
    boolean kubernetes = name.contains("kubernetes");
    assertEquals(kubernetes, join.getKubernetesConfig().isEnabled());
    assertEquals(!kubernetes, join.getTcpIpConfig().isEnabled());
    if (kubernetes) {
      assertEquals(
          "flotilla.default.svc.cluster.local",
          join.getKubernetesConfig().getProperty("service-dns"));
    } else {
      assertEquals(List.of("10.1.2.10", "10.1.2.11"), join.getTcpIpConfig().getMembers());
    }
    assertEquals(name.contains("lite"), config.isLiteMember());
  }

  @Test
  void aValueThatIsMissingIsNamed() {
    ConfigException e =
        assertThrows(
            ConfigException.class,
            () -> Cluster.of(file("config/cluster-tcp.xml"), "test", null, null));
    assertTrue(
        String.valueOf(e.getMessage())
            .endsWith(
                "needs a value for cluster.members; give it with -Dcluster.members=… in FLOTILLA_JAVA_OPTS"),
        e::getMessage);
  }

  @Test
  void aPlainNetworkIsTakenAndWarnedOf(@TempDir Path folder) throws Exception {
    Path plain = folder.resolve("plain.xml");
    Files.writeString(
        plain,
        """
        <hazelcast xmlns="http://www.hazelcast.com/schema/config">
          <cluster-name>${cluster.name}</cluster-name>
          <network><join><multicast enabled="false"/><tcp-ip enabled="true"/></join></network>
        </hazelcast>
        """);
    ListAppender<ILoggingEvent> said = new ListAppender<>();
    said.start();
    Logger log = (Logger) LoggerFactory.getLogger(Cluster.class);
    log.addAppender(said);
    try {
      Config config = Cluster.of(plain, "test", "127.0.0.1", null).manager().getConfig();
      Cluster.of(file("cluster.xml"), "test", null, null);
      assertEquals(
          List.of("127.0.0.1"), config.getNetworkConfig().getJoin().getTcpIpConfig().getMembers());
      assertEquals(1, said.list.size(), "of the shipped one nothing is said");
      assertTrue(said.list.getFirst().getFormattedMessage().contains("use \"advanced-network\""));
    } finally {
      log.detachAppender(said);
    }
  }
}
