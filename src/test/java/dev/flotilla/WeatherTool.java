package dev.flotilla;

import com.openai.core.JsonValue;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import java.util.List;
import java.util.Map;

/** A tool that tells the weather of one of two cities, as each client library describes it. */
final class WeatherTool {
  static final FunctionDefinition OPENAI =
      FunctionDefinition.builder()
          .name("weather")
          .description("The weather of a city.")
          .parameters(
              FunctionParameters.builder()
                  .putAdditionalProperty("type", JsonValue.from("object"))
                  .putAdditionalProperty(
                      "properties",
                      JsonValue.from(Map.of("city", Map.of("enum", List.of("Nairobi", "Mombasa")))))
                  .putAdditionalProperty("required", JsonValue.from(List.of("city")))
                  .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                  .build())
          .build();

  static final ToolSpecification LANGCHAIN =
      ToolSpecification.builder()
          .name("weather")
          .description("The weather of a city.")
          .parameters(
              JsonObjectSchema.builder()
                  .addEnumProperty("city", List.of("Nairobi", "Mombasa"))
                  .required("city")
                  .additionalProperties(false)
                  .build())
          .build();

  private WeatherTool() {}
}
