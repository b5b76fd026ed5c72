package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hazelcast.config.Config;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * A member that connects to one that stands still: the system accepts its connection, and nobody
 * ever answers. The thread that writes to it must not be kept busy with that, since heartbeats to
 * other members leave by the same thread, and those would take this member for dead.
 */
class SilentPeerTest {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final Duration SPAN = Duration.ofSeconds(1);

  @Test
  void aPeerThatNeverAnswersKeepsNoThreadBusy() throws Exception {
    CompletableFuture<HazelcastInstance> member;
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Cluster cluster =
          Cluster.of(
              SourceFormat.root().resolve("cluster.xml"),
              FlotillaProcess.uniqueCluster(),
              null,
              null);
      Config config = cluster.asChildOf("127.0.0.1:" + silent.getLocalPort()).manager().getConfig();
      member = CompletableFuture.supplyAsync(() -> Hazelcast.newHazelcastInstance(config));
      try (Socket accepted = silent.accept()) {
        assertTrue(accepted.getInputStream().read() > 0, "it says what it speaks, and waits");
        long before = writingNanos();
        Awaitility.await().pollDelay(SPAN).until(() -> true);
        double share = (writingNanos() - before) / (double) SPAN.toNanos();
        assertTrue(share < 0.3, "its writing threads were busy for " + share + " of the time");
      }
    }
    member.get(30, TimeUnit.SECONDS).shutdown();
  }

  private static long writingNanos() {
    return Arrays.stream(THREADS.getAllThreadIds())
        .filter(id -> writes(THREADS.getThreadInfo(id)))
        .map(THREADS::getThreadCpuTime)
        .sum();
  }

  /** Null for one that has ended meanwhile. */
  private static boolean writes(ThreadInfo thread) {
    return thread != null && thread.getThreadName().contains("IO.thread-out");
  }
}
