package dev.flotilla.engine;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.flotilla.executor.cpu.ReferenceExecutor;
import dev.flotilla.grammar.GrammarMasks;
import dev.flotilla.model.ModelFolder;
import dev.flotilla.protocol.Addresses;
import dev.flotilla.protocol.Bus;
import dev.flotilla.protocol.Epoch;
import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.Grammar;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.ToCoordinator;
import dev.flotilla.protocol.ToFrontend;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.tokenizer.TokenBytes;
import dev.flotilla.tokenizer.Tokenizers;
import io.vertx.core.Vertx;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A whole engine holds its outputs to grammars. */
class EngineGrammarTest {
  private static final Epoch EPOCH = new Epoch(1, 1);
  private static final TokenIds PROMPT = TokenIds.of(10, 11, 12, 13);

  private final Vertx vertx = Vertx.vertx();
  private final Bus bus = Bus.of(vertx);
  private final FakeFrontend frontend = new FakeFrontend(bus, "front");
  private final FakeCoordinator coordinator = new FakeCoordinator(bus, frontend.id);

  @AfterEach
  void close() throws Exception {
    EngineVerticleTest.get(vertx.close());
  }

  private void submit(long counter, Grammar grammar) {
    ToCoordinator.Ready ready = coordinator.ready();
    Sampling sampling =
        Sampling.builder().temperature(1.5f).seed(counter).maxTokens(60).grammar(grammar).build();
    frontend.submit(
        Addresses.engine(ready.rank(), ready.incarnation()), EPOCH, counter, 0, PROMPT, sampling);
  }

  @Test
  void outputsKeepToTheirGrammarsAndBadOnesAreRefused() throws Exception {
    EngineVerticleTest.get(frontend.start());
    EngineVerticleTest.get(coordinator.start());
    EngineVerticleTest.get(
        vertx.deployVerticle(
            new EngineVerticle(_ -> opened()),
            EngineVerticle.options(EngineVerticleTest.config(0), "test-engine")));
    await().until(() -> coordinator.isReady(EPOCH));
    submit(1, new Grammar(Grammar.Kind.REGEX, "[a-f]{3,9}[0-9]"));
    submit(2, new Grammar(Grammar.Kind.CHOICE, "[\"left\", \"right\"]"));
    submit(3, new Grammar(Grammar.Kind.JSON_SCHEMA, "{\"not\": {}}"));
    await().until(() -> frontend.finish(1) != null && frontend.finish(2) != null);
    assertEquals(FinishReason.STOP, frontend.finish(1));
    assertTrue(text(1).matches("[a-f]{3,9}[0-9]"), () -> text(1));
    assertTrue(text(2).matches("left|right"), () -> text(2));
    await().until(() -> frontend.got(ToFrontend.Refusal.class).count() == 1);
    ToFrontend.Refusal refusal = frontend.got(ToFrontend.Refusal.class).findFirst().orElseThrow();
    assertEquals(400, refusal.status());
    assertTrue(refusal.reason().contains("'not'"), refusal.reason());
  }

  /** The plain executor, since nothing here depends on kernels. */
  private static Executors.Opened opened() {
    ModelFolder folder = ModelFolder.open(EngineVerticleTest.model());
    GrammarMasks masks =
        new GrammarMasks(() -> TokenBytes.read(folder.path()), folder.config().eos());
    return new Executors.Opened(
        ReferenceExecutor.open(folder, 32, 16), folder.name(), 128, masks, false);
  }

  private String text(long counter) {
    return Tokenizers.open(EngineVerticleTest.model()).decode(frontend.tokens(counter), true);
  }
}
