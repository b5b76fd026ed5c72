package dev.flotilla.frontend;

import dev.flotilla.protocol.FinishReason;
import dev.flotilla.protocol.TokenIds;
import dev.flotilla.tokenizer.TextTokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One answer's JSON, whole or in chunks, in the shapes of the OpenAI API. What is the same in every
 * chunk is made once. Used by one thread.
 */
final class AnswerFormat {
  private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);

  private final GenerationRequest request;
  private final String id;
  private final long created;
  private final LogprobFormat logprobs;
  private final byte[] chunkHead;

  AnswerFormat(GenerationRequest request, String id, long createdSeconds, TextTokenizer tokenizer) {
    this.request = request;
    this.id = id;
    this.created = createdSeconds;
    this.logprobs = new LogprobFormat(tokenizer, request.form().tokensAsIds());
    JsonBytes head = new JsonBytes(192);
    head.raw("data: ");
    head(head, request.chat() ? "chat.completion.chunk" : "text_completion");
    this.chunkHead = head.raw(",\"choices\":[").toArray();
  }

  private void head(JsonBytes out, String object) {
    out.raw("{\"id\":").string(id).raw(",\"object\":").string(object);
    out.raw(",\"created\":").number(created).raw(",\"model\":").string(request.model());
  }

  /** The first chunk of a chat choice, which says who speaks. */
  void role(JsonBytes out, ChoiceOutput choice) {
    out.raw(chunkHead).raw("{\"index\":").number(choice.index);
    out.raw(",\"delta\":{\"role\":").string(request.form().role()).raw(",\"content\":\"\"}");
    out.raw(",\"logprobs\":null,\"finish_reason\":null}]");
    if (request.form().returnTokenIds()) {
      promptIds(out, choice);
    }
    usage(out, choice, 0);
    out.raw("}\n\n");
  }

  /** What a choice has pending, as one chunk. */
  void chunk(JsonBytes out, ChoiceOutput choice) {
    if (request.chat() && !choice.begun) {
      role(out, choice);
    }
    out.raw(chunkHead).raw("{\"index\":").number(choice.index);
    if (request.chat()) {
      out.raw(",\"delta\":{");
      boolean words = !choice.text.isEmpty() || (choice.finish == null && choice.calls.isEmpty());
      if (words) {
        out.raw("\"content\":").string(choice.text);
      }
      calls(out, choice, words, true);
      out.raw("}");
    } else {
      out.raw(",\"text\":").string(choice.text);
    }
    rest(out, choice);
    if (request.form().returnTokenIds() && !request.chat() && !choice.begun) {
      promptIds(out, choice);
    }
    out.raw("}]");
    usage(out, choice, choice.tokens);
    out.raw("}\n\n");
  }

  /** The chunk with the counts. */
  void usageChunk(JsonBytes out, Usage usage) {
    out.raw(chunkHead).raw("],\"usage\":");
    usage.write(out);
    out.raw("}\n\n");
  }

  /** The end of a complete stream. */
  void done(JsonBytes out) {
    out.raw(DONE);
  }

  /** The end of a stream that failed. */
  void failed(JsonBytes out, ApiException failure) {
    out.raw("data: ");
    failure.write(out);
    out.raw("\n\n");
  }

  /** The answer to a request without stream. */
  byte[] whole(List<ChoiceOutput> choices, Usage usage) {
    JsonBytes out = new JsonBytes(512);
    head(out, request.chat() ? "chat.completion" : "text_completion");
    out.raw(",\"choices\":[");
    String comma = "";
    for (ChoiceOutput choice : choices) {
      out.raw(comma).raw("{\"index\":").number(choice.index);
      if (request.chat()) {
        out.raw(",\"message\":{\"role\":").string(request.form().role());
        boolean words = !choice.text.isEmpty() || choice.calls.isEmpty();
        out.raw(",\"content\":").stringOrNull(words ? choice.text.toString() : null);
        calls(out, choice, true, false);
        out.raw("}");
      } else {
        out.raw(",\"text\":").string(choice.text);
      }
      rest(out, choice);
      if (!request.chat()) {
        ofPrompt(out, choice);
      }
      out.raw("}");
      comma = ",";
    }
    out.raw("]");
    if (request.chat()) {
      ofPrompt(out, choices.getFirst());
    }
    out.raw(",\"usage\":");
    usage.write(out);
    return out.raw("}").toArray();
  }

  private void rest(JsonBytes out, ChoiceOutput choice) {
    if (request.echoesLogprobs() && !choice.begun) {
      choice.echoLogprobs(request.prompt(choice.index).ids());
    }
    out.raw(",\"logprobs\":");
    if (!request.logprobs() || choice.logprobs.isEmpty()) {
      out.raw("null");
    } else if (request.chat()) {
      logprobs.chat(out, choice.logprobs, request.sampling().logprobs());
    } else {
      choice.textOffset =
          logprobs.completion(
              out, choice.logprobs, request.sampling().logprobs(), choice.textOffset);
    }
    FinishReason finish = choice.finish;
    out.raw(",\"finish_reason\":")
        .stringOrNull(finish == null ? null : ToolDelta.finishName(finish, choice.called));
    if (finish != null || !request.chat()) {
      out.raw(",\"stop_reason\":");
      stop(out, choice.stop);
    }
    if (request.form().returnTokenIds()) {
      out.raw(",\"token_ids\":[");
      for (int i = 0; i < choice.idCount; i++) {
        out.raw(i == 0 ? "" : ",").number(choice.ids[i]);
      }
      out.raw("]");
    }
  }

  /** The calls, unless there are none: strict clients take an empty list for a fault. */
  private static void calls(JsonBytes out, ChoiceOutput choice, boolean comma, boolean indexed) {
    if (!choice.calls.isEmpty()) {
      out.raw(comma ? "," : "").raw("\"tool_calls\":[");
      for (int i = 0; i < choice.calls.size(); i++) {
        out.raw(i == 0 ? "" : ",");
        choice.calls.get(i).write(out, indexed);
      }
      out.raw("]");
    }
  }

  private static void stop(JsonBytes out, @Nullable Object stop) {
    if (stop instanceof Integer id) {
      out.number(id);
    } else {
      out.stringOrNull((String) stop);
    }
  }

  /** What a whole answer says of a prompt, if it was asked for. */
  private void ofPrompt(JsonBytes out, ChoiceOutput choice) {
    if (request.form().returnTokenIds()) {
      promptIds(out, choice);
    }
    int tops = request.form().promptLogprobs();
    if (tops >= 0) {
      out.raw(",\"prompt_logprobs\":");
      logprobs.prompt(out, choice.promptLogprobs, tops);
    }
  }

  private void promptIds(JsonBytes out, ChoiceOutput choice) {
    TokenIds ids = request.prompt(choice.index).ids();
    out.raw(",\"prompt_token_ids\":[");
    for (int i = 0; i < ids.size(); i++) {
      out.raw(i == 0 ? "" : ",").number(ids.get(i));
    }
    out.raw("]");
  }

  private void usage(JsonBytes out, ChoiceOutput choice, int tokens) {
    if (request.form().continuousUsage()) {
      out.raw(",\"usage\":");
      new Usage(request.prompt(choice.index).ids().size(), tokens, -1).write(out);
    } else if (request.form().includeUsage()) {
      out.raw(",\"usage\":null");
    }
  }
}
