package dev.flotilla.protocol;

import dev.flotilla.protocol.FrameException.Problem;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of a {@link Sampling}. What few requests have (penalties, rules for tokens, a grammar)
 * is there only if a flag says so.
 */
final class SamplingLayout {
  private static final int HAS_PENALTIES = 1;
  private static final int HAS_RULES = 2;
  private static final int HAS_GRAMMAR = 4;

  private SamplingLayout() {}

  static void write(Sampling sampling, FrameWriter out) {
    out.f32(sampling.temperature());
    out.f32(sampling.topP());
    out.i32(sampling.topK());
    out.f32(sampling.minP());
    out.i64(sampling.seed());
    out.i32(sampling.maxTokens());
    out.i32(sampling.minTokens());
    out.u8(sampling.ignoreEos() ? 1 : 0);
    out.i32(sampling.logprobs());
    out.i32(sampling.promptLogprobs());
    out.counted(sampling.stopIds());
    Penalties penalties = sampling.penalties();
    TokenRules rules = sampling.rules();
    Grammar grammar = sampling.grammar();
    boolean penalised = !penalties.equals(Penalties.NONE);
    boolean ruled = !rules.equals(TokenRules.NONE);
    out.u8(
        (penalised ? HAS_PENALTIES : 0)
            | (ruled ? HAS_RULES : 0)
            | (grammar == null ? 0 : HAS_GRAMMAR));
    if (penalised) {
      out.f32(penalties.repetition());
      out.f32(penalties.presence());
      out.f32(penalties.frequency());
    }
    if (ruled) {
      write(rules, out);
    }
    if (grammar != null) {
      out.u8(code(grammar.kind()));
      out.longText(grammar.text());
    }
  }

  static Sampling read(FrameReader in) {
    Sampling.Builder builder =
        Sampling.builder()
            .temperature(in.f32())
            .topP(in.f32())
            .topK(in.i32())
            .minP(in.f32())
            .seed(in.i64())
            .maxTokens(in.i32())
            .minTokens(in.i32())
            .ignoreEos(in.flag())
            .logprobs(in.i32())
            .promptLogprobs(in.i32())
            .stopIds(in.counted());
    int flags = in.u8();
    if ((flags & ~(HAS_PENALTIES | HAS_RULES | HAS_GRAMMAR)) != 0) {
      throw new FrameException(Problem.BODY, "flags 0 to 7", Integer.toString(flags));
    }
    if ((flags & HAS_PENALTIES) != 0) {
      builder.penalties(new Penalties(in.f32(), in.f32(), in.f32()));
    }
    if ((flags & HAS_RULES) != 0) {
      builder.rules(rules(in));
    }
    if ((flags & HAS_GRAMMAR) != 0) {
      builder.grammar(new Grammar(kind(in.u8()), in.longText()));
    }
    return builder.build();
  }

  private static void write(TokenRules rules, FrameWriter out) {
    out.counted(rules.biased());
    rules.biases().forEach(out::f32);
    out.counted(rules.allowed());
    out.i32(rules.badWords().size());
    rules.badWords().forEach(out::counted);
  }

  private static TokenRules rules(FrameReader in) {
    TokenIds biased = in.counted();
    List<Float> biases = new ArrayList<>(biased.size());
    for (float bias : in.floats(biased.size())) {
      biases.add(bias);
    }
    TokenIds allowed = in.counted();
    int words = in.count(4);
    List<TokenIds> badWords = new ArrayList<>(words);
    for (int i = 0; i < words; i++) {
      badWords.add(in.counted());
    }
    return new TokenRules(biased, biases, allowed, badWords);
  }

  private static int code(Grammar.Kind kind) {
    return switch (kind) {
      case JSON_OBJECT -> 0;
      case JSON_SCHEMA -> 1;
      case REGEX -> 2;
      case CHOICE -> 3;
      case TOOL_CALLS -> 4;
    };
  }

  private static Grammar.Kind kind(int code) {
    return switch (code) {
      case 0 -> Grammar.Kind.JSON_OBJECT;
      case 1 -> Grammar.Kind.JSON_SCHEMA;
      case 2 -> Grammar.Kind.REGEX;
      case 3 -> Grammar.Kind.CHOICE;
      case 4 -> Grammar.Kind.TOOL_CALLS;
      default ->
          throw new FrameException(
              Problem.BODY, "a kind of grammar of 0 to 4", Integer.toString(code));
    };
  }
}
