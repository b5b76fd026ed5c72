package dev.flotilla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
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

  /** Where a city lies. */
  enum Continent {
    AFRICA,
    ASIA,
    EUROPE
  }

  /** What the model has to answer in the next test. */
  record City(Continent continent, boolean capital) {}

  @Test
  void openaiJavaGetsStructuredOutput() {
    for (int seed = 0; seed < 5; seed++) {
      var params =
          ChatCompletionCreateParams.builder()
              .model("tiny-llama")
              .addUserMessage("Describe Nairobi.")
              .temperature(1.5)
              .putAdditionalBodyProperty("seed", JsonValue.from(seed))
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
      assertTrue(List.of(Continent.values()).contains(city.continent()));
    }
  }

  private static ChatCompletionCreateParams.Builder weather() {
    return question()
        .temperature(1.5)
        .maxCompletionTokens(200)
        .addFunctionTool(WeatherTool.OPENAI)
        .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
        .parallelToolCalls(false);
  }

  @Test
  void openaiJavaGetsToolCallsWholeAndStreamed() {
    ChatCompletion whole = openai.chat().completions().create(weather().build());
    assertCallsWeather(whole);
    ChatCompletionAccumulator streamed = ChatCompletionAccumulator.create();
    try (StreamResponse<ChatCompletionChunk> stream =
        openai.chat().completions().createStreaming(weather().build())) {
      stream.stream().map(ChatCompletionChunk::validate).forEach(streamed::accumulate);
    }
    assertCallsWeather(streamed.chatCompletion());
  }

  private static void assertCallsWeather(ChatCompletion answer) {
    ChatCompletion.Choice choice = answer.choices().getFirst();
    assertEquals(ChatCompletion.Choice.FinishReason.TOOL_CALLS, choice.finishReason());
    var calls = choice.message().toolCalls().orElseThrow();
    assertEquals(1, calls.size());
    var call = calls.getFirst().asFunction();
    assertFalse(call.id().isEmpty());
    assertEquals("weather", call.function().name());
    String arguments = call.function().arguments();
    assertTrue(arguments.contains("Nairobi") || arguments.contains("Mombasa"), arguments);
  }

  @Test
  void openaiJavaGetsNoToolCallsWithoutTools() {
    ChatCompletion answer = openai.chat().completions().create(question().build());
    assertTrue(answer.choices().getFirst().message().toolCalls().isEmpty());
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

  private static ChatModel langChain() {
    return OpenAiChatModel.builder()
        .baseUrl(serve.base() + "/v1")
        .apiKey("none")
        .modelName("tiny-llama")
        .temperature(0.0)
        .maxTokens(100)
        .strictJsonSchema(true)
        .parallelToolCalls(false)
        .maxRetries(0)
        .build();
  }

  @Test
  void langChain4jGetsAToolCall() {
    ChatResponse answer =
        langChain()
            .chat(
                ChatRequest.builder()
                    .messages(UserMessage.from("How is the weather in Nairobi?"))
                    .toolSpecifications(WeatherTool.LANGCHAIN)
                    .toolChoice(ToolChoice.REQUIRED)
                    .build());
    assertEquals(FinishReason.TOOL_EXECUTION, answer.finishReason());
    assertEquals("weather", answer.aiMessage().toolExecutionRequests().getFirst().name());
  }

  @Test
  void langChain4jChatsWithASchema() {
    ChatModel model = langChain();
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

  @Test
  void aRepeatedPromptComesFromTheCacheUntilItIsReset() throws Exception {
    String prompt = "The Republic of Kenya lies on the coast of the Indian Ocean. ".repeat(8);
    assertEquals(0, cached(prompt));
    assertTrue(cached(prompt) >= 16, "a block at least");
    HttpRequest reset =
        HttpRequest.newBuilder(serve.base().resolve("/reset_prefix_cache"))
            .timeout(Duration.ofSeconds(30))
            .POST(HttpRequest.BodyPublishers.noBody())
            .build();
    assertEquals(
        200, FlotillaProcess.HTTP.send(reset, HttpResponse.BodyHandlers.ofString()).statusCode());
    assertEquals(0, cached(prompt));
  }

  /** Tokens of the prompt that rank 1 had in its cache. */
  private static int cached(String prompt) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(serve.base().resolve("/v1/completions"))
            .timeout(Duration.ofSeconds(60))
            .header("X-data-parallel-rank", "1")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"prompt\":\"%s\",\"max_tokens\":1}".formatted(prompt)))
            .build();
    HttpResponse<String> response =
        FlotillaProcess.HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    assertEquals(200, response.statusCode(), response.body());
    return FlotillaProcess.json(response.body())
        .at("/usage/prompt_tokens_details/cached_tokens")
        .asInt(-1);
  }
}
