package dev.flotilla.balancer;

import dev.flotilla.protocol.ClusterView;
import dev.flotilla.protocol.EngineFacts;

/** One engine of the view, with what is known of it. */
final class Seat {
  /** Of an engine that has not told its facts yet. */
  private static final int SLOTS = 256;

  private static final int BUDGET = 8192;
  private static final int BLOCK = 16;

  final ClusterView.Engine engine;
  final Account account;
  final int slots;
  final int budget;
  final int blockTokens;

  /** Prompt tokens of the request at hand that its prefix cache holds. */
  int cached;

  Seat(ClusterView.Engine engine, Account account) {
    this.engine = engine;
    this.account = account;
    EngineFacts facts = engine.facts();
    slots = facts == null ? SLOTS : Math.max(1, facts.maxNumSeqs());
    budget = facts == null ? BUDGET : Math.max(1, facts.maxNumBatchedTokens());
    blockTokens = facts == null ? BLOCK : Math.max(1, facts.blockSize());
  }
}
