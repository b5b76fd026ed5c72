package dev.flotilla;

import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Completions one after the other from several clients, until it is closed. */
final class Load implements AutoCloseable {
  private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
  private final List<String> failures = new CopyOnWriteArrayList<>();
  private final AtomicInteger answers = new AtomicInteger();
  private volatile boolean over;

  static Load start(URI base, int clients, int tokens) {
    Load load = new Load();
    for (int i = 0; i < clients; i++) {
      int client = i;
      load.clients.execute(() -> load.ask(base, client, tokens));
    }
    return load;
  }

  private void ask(URI base, int client, int tokens) {
    for (int i = 0; !over; i++) {
      try {
        HttpResponse<String> answer =
            FlotillaProcess.post(
                base,
                "/v1/completions",
                "{\"prompt\":\"client %d asks for the %d. time\",\"max_tokens\":%d,\"ignore_eos\":true}"
                    .formatted(client, i, tokens));
        if (answer.statusCode() == 200) {
          answers.incrementAndGet();
        } else {
          failures.add(answer.statusCode() + " " + answer.body());
        }
      } catch (Exception e) {
        failures.add(e.toString());
        return;
      }
    }
  }

  /** Waits for so many more. */
  void awaitAnswers(int more) {
    int wanted = answers.get() + more;
    await("answers").atMost(Duration.ofSeconds(60)).until(() -> answers.get() >= wanted);
  }

  List<String> failures() {
    return List.copyOf(failures);
  }

  @Override
  public void close() {
    over = true;
    clients.close();
  }
}
