package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that people have, against two real engines of tiny-llama in this JVM. */
@Timeout(120)
class RealClientsTest {
  private static final String QUESTION = "What is the capital of Kenya?";
  private static final String ANSWER = "The capital of Kenya is Nairobi.";

  private static LocalServe serve;
  private static OpenAIClient openai;

  @BeforeAll
  static void start() throws Exception {
    serve = LocalServe.start("-dp", "2", "--num-gpu-blocks-override", "256");
    openai =
        OpenAIOkHttpClient.builder()
            .baseUrl(serve.base() + "/v1")
            .apiKey("none")
            .timeout(Duration.ofSeconds(60))
            .responseValidation(true)
            .build();
  }

  @AfterAll
  static void stop() {
    openai.close();
    serve.close();
  }

  private static ChatCompletionCreateParams.Builder question() {
    return ChatCompletionCreateParams.builder()
        .model("tiny-llama")
        .addUserMessage(QUESTION)
        .temperature(0)
        .maxCompletionTokens(60);
  }

  @Test
  void openaiJavaChats() {
    ChatCompletion answer = openai.chat().completions().create(question().logprobs(true).build());
    answer.validate();
    ChatCompletion.Choice choice = answer.choices().getFirst();
    assertEquals(ANSWER, choice.message().content().orElse(""));
    assertEquals(ChatCompletion.Choice.FinishReason.STOP, choice.finishReason());
    var usage = answer.usage().orElseThrow();
    assertEquals(usage.totalTokens(), usage.promptTokens() + usage.completionTokens());
    assertTrue(usage.promptTokensDetails().orElseThrow().cachedTokens().isPresent());
    var logprobs = choice.logprobs().orElseThrow().content().orElseThrow();
    assertEquals(usage.completionTokens(), logprobs.size());
    assertTrue(logprobs.stream().allMatch(at -> at.logprob() <= 0));
  }

  @Test
  void openaiJavaStreamsAChat() {
    ChatCompletionAccumulator whole = ChatCompletionAccumulator.create();
    ChatCompletionCreateParams params =
        question()
            .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build())
            .build();
    List<ChatCompletionChunk> chunks = new ArrayList<>();
    try (StreamResponse<ChatCompletionChunk> stream =
        openai.chat().completions().createStreaming(params)) {
      stream.stream()
          .map(ChatCompletionChunk::validate)
          .peek(whole::accumulate)
          .forEach(chunks::add);
    }
    assertTrue(chunks.size() > 4, "the answer came in pieces");
    ChatCompletion answer = whole.chatCompletion();
    assertEquals(ANSWER, answer.choices().getFirst().message().content().orElse(""));
    assertTrue(chunks.getLast().usage().orElseThrow().completionTokens() > 4);
  }

  @Test
  void openaiJavaCompletesAndStreamsACompletion() {
    CompletionCreateParams params =
        CompletionCreateParams.builder()
            .model("tiny-llama")
            .prompt("The capital of Kenya is")
            .temperature(0)
            .maxTokens(8)
            .logprobs(2)
            .echo(true)
            .build();
    Completion answer = openai.completions().create(params);
    answer.validate();
    String text = answer.choices().getFirst().text();
    assertTrue(text.startsWith("The capital of Kenya is"), text);
    var logprobs = answer.choices().getFirst().logprobs().orElseThrow();
    assertEquals(
        answer.usage().orElseThrow().totalTokens(), logprobs.tokens().orElseThrow().size());
    StringBuilder streamed = new StringBuilder();
    try (StreamResponse<Completion> stream = openai.completions().createStreaming(params)) {
      stream.stream().forEach(c -> streamed.append(c.choices().getFirst().text()));
    }
    assertEquals(text, streamed.toString());
  }

  /** What the model has to answer in the next test. */
  static final class City {
    /** Where it lies. */
    enum Continent {
      AFRICA,
      ASIA,
      EUROPE
    }

    public Continent continent;
    public boolean capital;
    public List<Continent> neighbours;
  }

  @Test
  void openaiJavaGetsStructuredOutput() {
    for (int seed = 0; seed < 5; seed++) {
      var params =
          ChatCompletionCreateParams.builder()
              .model("tiny-llama")
              .addUserMessage("Describe Nairobi.")
              .temperature(1.5)
              .seed(seed)
              .maxCompletionTokens(400)
              .responseFormat(City.class)
              .build();
      City city =
          openai
              .chat()
              .completions()
              .create(params)
              .choices()
              .getFirst()
              .message()
              .content()
              .orElseThrow();
      assertTrue(List.of(City.Continent.values()).contains(city.continent));
      assertTrue(city.neighbours.size() >= 0);
    }
  }

  @Test
  void openaiJavaHearsWhatIsWrong() {
    BadRequestException refused =
        assertThrows(
            BadRequestException.class,
            () -> openai.chat().completions().create(question().presencePenalty(3).build()));
    assertEquals("presence_penalty", refused.param().orElse(""));
    assertTrue(String.valueOf(refused.getMessage()).contains("must be -2 to 2"));
  }

  @Test
  void langChain4jChatsWithASchema() {
    ChatModel model =
        OpenAiChatModel.builder()
            .baseUrl(serve.base() + "/v1")
            .apiKey("none")
            .modelName("tiny-llama")
            .temperature(0.0)
            .maxTokens(60)
            .strictJsonSchema(true)
            .maxRetries(0)
            .build();
    ChatResponse answer = model.chat(UserMessage.from(QUESTION));
    assertEquals(ANSWER, answer.aiMessage().text());
    assertEquals(FinishReason.STOP, answer.finishReason());
    assertTrue(answer.tokenUsage().outputTokenCount() > 4);
    JsonSchema schema =
        JsonSchema.builder()
            .name("size")
            .rootElement(
                JsonObjectSchema.builder()
                    .addEnumProperty("size", List.of("small", "large"))
                    .required("size")
                    .build())
            .build();
    String json =
        model
            .chat(
                ChatRequest.builder()
                    .messages(UserMessage.from("How large is Kenya?"))
                    .responseFormat(
                        ResponseFormat.builder()
                            .type(ResponseFormatType.JSON)
                            .jsonSchema(schema)
                            .build())
                    .build())
            .aiMessage()
            .text();
    assertTrue(json.contains("\"small\"") || json.contains("\"large\""), json);
  }

  @Test
  void langChain4jStreams() throws Exception {
    StreamingChatModel model =
        OpenAiStreamingChatModel.builder()
            .baseUrl(serve.base() + "/v1")
            .apiKey("none")
            .modelName("tiny-llama")
            .temperature(0.0)
            .maxTokens(60)
            .build();
    List<String> pieces = new ArrayList<>();
    CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
    model.chat(
        QUESTION,
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String piece) {
            pieces.add(piece);
          }

          @Override
          public void onCompleteResponse(ChatResponse response) {
            whole.complete(response);
          }

          @Override
          public void onError(Throwable error) {
            whole.completeExceptionally(error);
          }
        });
    ChatResponse answer = whole.get(60, TimeUnit.SECONDS);
    assertEquals(ANSWER, String.join("", pieces));
    assertEquals(ANSWER, answer.aiMessage().text());
    assertEquals(FinishReason.STOP, answer.finishReason());
  }

  @Test
  void theJdkClientUpgradesToHttp2WithItsBody() throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      for (boolean stream : new boolean[] {false, true}) {
        HttpRequest request =
            FlotillaProcess.postRequest(
                serve.base(), "/v1/chat/completions", FlotillaProcess.chat(QUESTION, stream));
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode(), response.body());
        assertEquals(HttpClient.Version.HTTP_2, response.version());
        assertEquals(
            ANSWER,
            stream
                ? FlotillaProcess.streamedText(response.body())
                : FlotillaProcess.json(response.body()).at("/choices/0/message/content").asText());
        assertFalse(response.body().isEmpty());
      }
    }
  }
}
