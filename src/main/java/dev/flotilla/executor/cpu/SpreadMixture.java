package dev.flotilla.executor.cpu;

import dev.flotilla.model.Collective;
import dev.flotilla.model.ModelConfig;
import dev.flotilla.model.ModelConfig.Experts;
import dev.flotilla.model.Parcel;
import java.util.Arrays;

/**
 * A mixture layer whose experts are spread over the ranks of a group: each token goes to the ranks
 * that own its experts, once to each, and every expert's output comes back by itself. The token's
 * own rank adds them up, in the order in which one rank alone would: sums made elsewhere would be
 * fewer bytes, but other bits.
 *
 * <p>Two exchanges a layer, which all ranks take part in, also those without a token. While a rank
 * waits in one it leaves the compute pool to others. Parcels of the two exchanges are kept apart,
 * since the others read them in place until the next exchange is over.
 */
final class SpreadMixture implements Mixture {
  private final Experts experts;
  private final ExpertShares shares;
  private final ExpertWeights own;
  private final Collective collective;
  private final int hidden;
  private final Linear linear;
  private final ComputePool pool;
  private final Routing routing;
  private final ExpertBatch batch;
  private final Parcel[] tokens; // by member: pairs (row, expert), and activations [rows, hidden]
  private final Parcel[] results; // by member: [its pairs, hidden]
  private final int[] rows; // by member: tokens sent
  private final int[] pairs; // by member: pairs sent
  private float[] scores = new float[0]; // [tokens, router rows]
  private int[] rowAtOwner = new int[0]; // by pair
  private int[] pairAtOwner = new int[0]; // by pair
  private Visitors visitors = new Visitors(0);
  private long waitedNanos;

  /** The pairs of all members that have come here, one after the other. */
  private static final class Visitors {
    private final int[] members;
    private final int[] pairs; // number among the member's
    private final int[] rows; // of the token in the member's parcel
    private final int[] experts; // from 0, the first that is here
    private final int[] slots; // among the expert's tokens
    private int count;

    Visitors(int room) {
      members = new int[room];
      pairs = new int[room];
      rows = new int[room];
      experts = new int[room];
      slots = new int[room];
    }
  }

  SpreadMixture(
      ModelConfig config,
      Experts experts,
      ExpertWeights own,
      Collective collective,
      Linear linear,
      ComputePool pool) {
    this.experts = experts;
    this.shares = new ExpertShares(experts.count(), collective.size());
    this.own = own;
    this.collective = collective;
    this.hidden = config.hidden();
    this.linear = linear;
    this.pool = pool;
    this.routing = new Routing(experts);
    int mine = shares.to(collective.own()) - shares.from(collective.own());
    this.batch = new ExpertBatch(config, experts, mine, linear, pool);
    this.tokens = new Parcel[collective.size()];
    this.results = new Parcel[collective.size()];
    this.rows = new int[collective.size()];
    this.pairs = new int[collective.size()];
    Arrays.setAll(tokens, i -> new Parcel());
    Arrays.setAll(results, i -> new Parcel());
  }

  @Override
  public void run(int index, CpuWeights.Layer layer, Tiles router, Packed x, float[] out, int ldy) {
    if (x.tokens() > 0) {
      scores = Elementwise.room(scores, Linear.resultLength(x.tokens(), router.rows()));
      linear.multiply(router, x, scores);
      routing.route(scores, x.tokens(), router.rows());
    }
    dispatch(x);
    Parcel[] incoming = exchange(2 * index, tokens);
    admit(incoming);
    batch.compute(own.layer(index));
    answer();
    combine(x.tokens(), exchange(2 * index + 1, results), out, ldy);
  }

  /** Time in which this rank did nothing but exchange, or wait to go on after it. */
  long waitedNanos() {
    return waitedNanos;
  }

  private Parcel[] exchange(int tag, Parcel[] outgoing) {
    long start = System.nanoTime();
    Parcel[][] incoming = new Parcel[1][];
    pool.unheld(() -> incoming[0] = collective.exchange(tag, outgoing));
    waitedNanos += System.nanoTime() - start;
    return incoming[0];
  }

  private void dispatch(Packed x) {
    int k = experts.perToken();
    int count = x.tokens() * k;
    if (pairAtOwner.length < count) {
      pairAtOwner = new int[count];
      rowAtOwner = new int[count];
    }
    Arrays.fill(rows, 0);
    Arrays.fill(pairs, 0);
    for (int i = 0; i < count; i++) {
      int owner = shares.owner(routing.expert(i));
      rowAtOwner[i] = firstAtOwner(i) ? rows[owner]++ : rows[owner] - 1;
      pairAtOwner[i] = pairs[owner]++;
    }
    for (int j = 0; j < tokens.length; j++) {
      tokens[j].reset(2 * pairs[j], Math.multiplyExact(rows[j], hidden));
    }
    for (int i = 0; i < count; i++) {
      int[] numbers = tokens[shares.owner(routing.expert(i))].numbers();
      numbers[2 * pairAtOwner[i]] = rowAtOwner[i];
      numbers[2 * pairAtOwner[i] + 1] = routing.expert(i);
    }
    pool.run(
        x.tokens(),
        8,
        (from, to, worker) -> {
          for (int i = from * k; i < to * k; i++) {
            if (firstAtOwner(i)) {
              float[] values = tokens[shares.owner(routing.expert(i))].values();
              x.copyTo(i / k, values, rowAtOwner[i] * hidden);
            }
          }
        });
  }

  /** Owners' ranges are contiguous, so the pairs of a token at one owner are neighbours. */
  private boolean firstAtOwner(int pair) {
    return pair % experts.perToken() == 0
        || shares.owner(routing.expert(pair)) != shares.owner(routing.expert(pair - 1));
  }

  private void admit(Parcel[] incoming) {
    int count = 0;
    for (Parcel parcel : incoming) {
      count += parcel.numberCount() / 2;
    }
    if (visitors.members.length < count) {
      visitors = new Visitors(count + count / 4);
    }
    Visitors all = visitors;
    all.count = count;
    batch.clear();
    int at = 0;
    for (int j = 0; j < incoming.length; j++) {
      int[] numbers = incoming[j].numbers();
      for (int q = 0; q < incoming[j].numberCount() / 2; q++, at++) {
        all.members[at] = j;
        all.pairs[at] = q;
        all.rows[at] = numbers[2 * q];
        all.experts[at] = numbers[2 * q + 1] - own.from();
        all.slots[at] = batch.add(all.experts[at]);
      }
    }
    batch.room();
    pool.run(
        count,
        8,
        (from, to, worker) -> {
          for (int v = from; v < to; v++) {
            float[] values = incoming[all.members[v]].values();
            batch.input(all.experts[v]).copy(all.slots[v], values, all.rows[v] * hidden);
          }
        });
  }

  private void answer() {
    Visitors all = visitors;
    int[] counts = new int[results.length];
    for (int v = 0; v < all.count; v++) {
      counts[all.members[v]]++;
    }
    for (int j = 0; j < results.length; j++) {
      results[j].reset(0, Math.multiplyExact(counts[j], hidden));
    }
    pool.run(
        all.count,
        16,
        (from, to, worker) -> {
          for (int v = from; v < to; v++) {
            float[] values = results[all.members[v]].values();
            float[] output = batch.output(all.experts[v]);
            int row = all.slots[v] * batch.width();
            System.arraycopy(output, row, values, all.pairs[v] * hidden, hidden);
          }
        });
  }

  private void combine(int count, Parcel[] parts, float[] out, int ldy) {
    int k = experts.perToken();
    pool.run(
        count,
        16,
        (from, to, worker) -> {
          for (int t = from; t < to; t++) {
            Arrays.fill(out, t * ldy, t * ldy + hidden, 0);
            for (int i = t * k; i < t * k + k; i++) {
              float[] part = parts[shares.owner(routing.expert(i))].values();
              int row = pairAtOwner[i] * hidden;
              Elementwise.addScaled(out, t * ldy, routing.weight(i), part, row, hidden);
            }
          }
        });
  }
}
