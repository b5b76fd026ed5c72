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

  private static final int COMPLETION_TOKENS = 16;

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
    SamplingReader.refuseUnsupported(fields);
    Sampling sampling =
        SamplingReader.read(fields, model.defaults(), model.tokenizer().vocab(), chat);
    int n = or(fields.integer("n", 1, N_MAX), 1);
    boolean stream = fields.flag("stream", false);
    Fields streamOptions = fields.object("stream_options");
    if (streamOptions != null && !stream) {
      throw ApiException.badValue("stream_options", "stream_options needs stream to be true");
    }
    boolean echo = fields.flag("echo", false);
    if (echo && (chat || sampling.logprobs() >= 0)) {
      throw ApiException.badValue(
          "echo", "echo is not supported yet " + (chat ? "in chat" : "together with logprobs"));
    }
    List<String> stops = SamplingReader.stops(fields);
    Integer limit = limit(fields, chat);
    List<TokenIds> ids = chat ? List.of(prompts.conversation(fields)) : prompts.prompts(fields);
    if ((long) n * ids.size() > CHOICES_MAX) {
      throw ApiException.badValue(
          "n",
          "n times the prompts must be at most %d, not %d".formatted(CHOICES_MAX, n * ids.size()));
    }
    List<GenerationRequest.Prompt> sized = new ArrayList<>();
    for (TokenIds prompt : ids) {
      int most = room(prompt.size(), limit, chat, maxModelLen);
      if (sampling.minTokens() > most) {
        throw ApiException.badValue(
            "min_tokens",
            "min_tokens must be at most the %d tokens that the output may have, not %d"
                .formatted(most, sampling.minTokens()));
      }
      sized.add(new GenerationRequest.Prompt(prompt, most));
    }
    return new GenerationRequest(
        chat,
        model.name(),
        sized,
        n,
        sampling,
        stops,
        fields.flag("include_stop_str_in_output", false),
        fields.flag("skip_special_tokens", true),
        stream,
        streamOptions != null && streamOptions.flag("include_usage", false),
        streamOptions != null && streamOptions.flag("continuous_usage_stats", false),
        fields.flag("return_token_ids", false),
        echo,
        rank);
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
      return prompts.conversation(fields);
    }
    String prompt = fields.string("prompt");
    if (prompt == null) {
      throw ApiException.badValue("prompt", "prompt or messages must be given");
    }
    return model.tokenizer().encode(prompt, fields.flag("add_special_tokens", true));
  }

  private static @Nullable Integer limit(Fields fields, boolean chat) {
    Integer newer = chat ? fields.integer("max_completion_tokens", 1, Integer.MAX_VALUE) : null;
    Integer older = fields.integer("max_tokens", 1, Integer.MAX_VALUE);
    return newer != null ? newer : older;
  }

  private static int room(int prompt, @Nullable Integer limit, boolean chat, OptionalInt context) {
    int otherwise = chat ? Integer.MAX_VALUE : COMPLETION_TOKENS;
    if (context.isEmpty()) {
      return limit == null ? otherwise : limit;
    }
    int most = context.getAsInt();
    String param = chat ? "messages" : "prompt";
    if (prompt >= most) {
      throw ApiException.badValue(
          param,
          ("This model's maximum context length is %d tokens. However, your request has %d input"
                  + " tokens. Please reduce the length of the %s.")
              .formatted(most, prompt, chat ? "messages" : "prompt"));
    }
    if (limit != null && limit > most - prompt) {
      throw ApiException.badValue(
          "max_tokens",
          ("'max_tokens' or 'max_completion_tokens' is too large: %d. This model's maximum context"
                  + " length is %d tokens and your request has %d input tokens (%d > %d - %d).")
              .formatted(limit, most, prompt, limit, most, prompt));
    }
    return Math.min(limit == null ? otherwise : limit, most - prompt);
  }

  private static int or(@Nullable Integer value, int otherwise) {
    return value == null ? otherwise : value;
  }
}
