package dev.flotilla.frontend;

import dev.flotilla.protocol.Rank;
import dev.flotilla.protocol.Sampling;
import dev.flotilla.protocol.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Makes a validated request of what a client sent, over HTTP or the bus. Safe for use by several
 * threads, since long prompts are read off the event loop.
 */
final class RequestParser {
  /** Independent choices of one prompt; the OpenAI API's own bound. */
  static final int N_MAX = 128;

  /** Streams that one request may open. */
  static final int CHOICES_MAX = 2048;

  /** A salt goes to the engine with the request; a longer one is no salt but a payload. */
  private static final int SALT_CHARS_MAX = 1024;

  private final ServedModel model;
  private final PromptReader prompts;

  RequestParser(ServedModel model) {
    this.model = model;
    this.prompts = new PromptReader(model);
  }

  /**
   * Reads a request.
   *
   * @param maxModelLen most tokens of prompt and output together; empty if no engine is known yet
   * @throws ApiException with status, sentence and the field at fault
   */
  GenerationRequest parse(
      Fields fields, boolean chat, OptionalInt maxModelLen, @Nullable Rank rank) {
    checkModel(fields);
    Refusals.check(fields);
    boolean echo = fields.flag("echo", false);
    Lengths lengths = Lengths.read(fields, chat, echo, maxModelLen);
    ToolChoice tools = ToolReader.choice(fields, chat);
    Sampling sampling =
        forced(new SamplingReader(model).read(fields, chat, lengths.minTokens()), tools);
    int n = or(fields.integer("n", 1, N_MAX), 1);
    int bestOf = bestOf(fields, chat, n);
    GenerationRequest.Form form = form(fields, echo, lengths.promptOnly(), tools);
    GenerationRequest.Stops stops = SamplingReader.stops(fields);
    GenerationRequest.Routing routing =
        new GenerationRequest.Routing(
            rank,
            or(fields.integer("priority", Integer.MIN_VALUE, Integer.MAX_VALUE), 0),
            salt(fields));
    List<PromptReader.Text> texts =
        chat ? List.of(prompts.conversation(fields)) : prompts.prompts(fields);
    if ((long) bestOf * texts.size() > CHOICES_MAX) {
      throw ApiException.badValue(
          "n",
          "n (or best_of) times the prompts must be at most %d, not %d"
              .formatted(CHOICES_MAX, bestOf * texts.size()));
    }
    List<GenerationRequest.Prompt> sized = new ArrayList<>();
    for (PromptReader.Text text : texts) {
      TokenIds ids = lengths.cut(text.ids());
      String echoed = !echo ? "" : echoed(text, ids, chat);
      sized.add(new GenerationRequest.Prompt(ids, lengths.room(ids.size()), echoed));
    }
    return new GenerationRequest(
        chat, model.name(), sized, n, bestOf, sampling, stops, form, routing, tools);
  }

  private static Sampling forced(Sampling sampling, ToolChoice tools) {
    if (tools.grammar() == null) {
      return sampling;
    }
    if (sampling.grammar() != null) {
      throw ApiException.badValue(
          "tool_choice", "tool_choice and another constraint cannot both shape the answer");
    }
    return sampling.toBuilder().grammar(tools.grammar()).build();
  }

  private static GenerationRequest.Form form(
      Fields fields, boolean echo, boolean promptOnly, ToolChoice tools) {
    boolean stream = fields.flag("stream", false);
    Fields options = fields.object("stream_options");
    if (options != null && !stream) {
      throw ApiException.badValue("stream_options", "stream_options needs stream to be true");
    }
    return new GenerationRequest.Form(
        stream,
        options != null && options.flag("include_usage", false),
        options != null && options.flag("continuous_usage_stats", false),
        // Some tokenizers count the tags of calls as special tokens.
        fields.flag("skip_special_tokens", true) && !tools.parse(),
        fields.flag("return_token_ids", false),
        SamplingReader.shownPromptLogprobs(fields),
        fields.flag("return_tokens_as_token_ids", false),
        echo,
        promptOnly,
        PromptReader.role(fields));
  }

  private String echoed(PromptReader.Text text, TokenIds used, boolean chat) {
    String written = text.written();
    boolean whole = chat || used.size() == text.ids().size();
    return written != null && whole ? written : model.tokenizer().decode(used, true);
  }

  /** Candidates of each prompt, the best of which are shown; a field of completions alone. */
  private static int bestOf(Fields fields, boolean chat, int n) {
    Integer bestOf = chat ? null : fields.integer("best_of", 1, N_MAX);
    if (bestOf == null) {
      return n;
    }
    if (bestOf < n) {
      throw ApiException.badValue(
          "best_of", "best_of must be at least n, %d, not %d".formatted(n, bestOf));
    }
    if (bestOf > n && fields.flag("stream", false)) {
      throw ApiException.badValue(
          "best_of", "best_of above n cannot be streamed: the best are known at the end");
    }
    return bestOf;
  }

  private static String salt(Fields fields) {
    String salt = fields.string("cache_salt");
    if (salt == null) {
      return "";
    }
    if (salt.isEmpty() || salt.length() > SALT_CHARS_MAX) {
      throw ApiException.badValue(
          "cache_salt",
          "cache_salt must have 1 to %d characters, not %d"
              .formatted(SALT_CHARS_MAX, salt.length()));
    }
    return salt;
  }

  /** Refuses another model than the served one; it may be left out. */
  void checkModel(Fields fields) {
    String name = fields.string("model");
    if (name != null && !name.isEmpty() && !model.names().contains(name)) {
      throw ApiException.unknownModel(name, model.name());
    }
  }

  /** The ids that a prompt or a conversation makes. */
  TokenIds tokenize(Fields fields) {
    checkModel(fields);
    if (fields.has("messages")) {
      return prompts.conversation(fields).ids();
    }
    String prompt = fields.string("prompt");
    if (prompt == null) {
      throw ApiException.badValue("prompt", "prompt or messages must be given");
    }
    return model.tokenizer().encode(prompt, fields.flag("add_special_tokens", true));
  }

  private static int or(@Nullable Integer value, int otherwise) {
    return value == null ? otherwise : value;
  }
}
