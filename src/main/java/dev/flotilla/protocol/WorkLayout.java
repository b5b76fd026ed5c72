package dev.flotilla.protocol;

/** The bytes of {@link ToEngine.Submit} and {@link ToEngine.Abort}. */
final class WorkLayout {
  private WorkLayout() {}

  static void write(ToEngine.Submit submit, FrameWriter out) {
    write(submit.request(), out);
    out.i32(submit.attempt());
    out.i64(submit.sequence());
    SamplingLayout.write(submit.sampling(), out);
    out.counted(submit.prompt());
    out.counted(submit.delivered());
    out.i32(submit.priority());
    out.text(submit.cacheSalt());
  }

  static ToEngine.Submit readSubmit(Epoch epoch, FrameReader in) {
    RequestId request = readRequest(in);
    int attempt = in.i32();
    long sequence = in.i64();
    Sampling sampling = SamplingLayout.read(in);
    TokenIds prompt = in.counted();
    TokenIds delivered = in.counted();
    return new ToEngine.Submit(
        request, attempt, epoch, sequence, prompt, delivered, sampling, in.i32(), in.text());
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
