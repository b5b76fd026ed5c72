package dev.flotilla.protocol;

/** The bytes of {@link ToEngine.Submit} and {@link ToEngine.Abort}. */
final class WorkLayout {
  private WorkLayout() {}

  static void write(ToEngine.Submit submit, FrameWriter out) {
    write(submit.request(), out);
    out.i32(submit.attempt());
    out.i64(submit.sequence());
    Sampling sampling = submit.sampling();
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
    out.counted(submit.prompt());
    out.counted(submit.delivered());
    out.i32(submit.priority());
    out.text(submit.cacheSalt());
  }

  static ToEngine.Submit readSubmit(Epoch epoch, FrameReader in) {
    RequestId request = readRequest(in);
    int attempt = in.i32();
    long sequence = in.i64();
    float temperature = in.f32();
    float topP = in.f32();
    int topK = in.i32();
    float minP = in.f32();
    long seed = in.i64();
    int maxTokens = in.i32();
    int minTokens = in.i32();
    boolean ignoreEos = in.flag();
    int logprobs = in.i32();
    int promptLogprobs = in.i32();
    TokenIds stopIds = in.counted();
    TokenIds prompt = in.counted();
    TokenIds delivered = in.counted();
    return new ToEngine.Submit(
        request,
        attempt,
        epoch,
        sequence,
        prompt,
        delivered,
        new Sampling(
            temperature,
            topP,
            topK,
            minP,
            seed,
            maxTokens,
            minTokens,
            ignoreEos,
            stopIds,
            logprobs,
            promptLogprobs),
        in.i32(),
        in.text());
  }

  static void write(ToEngine.Abort abort, FrameWriter out) {
    write(abort.request(), out);
    out.i32(abort.attempt());
  }

  static ToEngine.Abort readAbort(FrameReader in) {
    return new ToEngine.Abort(readRequest(in), in.i32());
  }

  private static void write(RequestId request, FrameWriter out) {
    out.text(request.frontend().value());
    out.i64(request.counter());
  }

  private static RequestId readRequest(FrameReader in) {
    return new RequestId(new FrontendId(in.text()), in.i64());
  }
}
