package dev.flotilla.protocol;

/**
 * What does not change while an engine lives; told in {@link ToCoordinator.Ready}.
 *
 * @param model the model's name (the folder's last part)
 * @param executor cpu, cuda or scripted
 * @param kvBlocks KV cache blocks
 * @param blockSize token positions of a block
 * @param maxModelLen most tokens of prompt and output together
 * @param maxNumSeqs most sequences of one step
 * @param maxNumBatchedTokens most tokens of one step
 * @param version of Flotilla
 * @param worldSize devices of the rank
 * @param configHash of what must be equal over all ranks that step together; may be empty
 */
public record EngineFacts(
    String model,
    String executor,
    int kvBlocks,
    int blockSize,
    int maxModelLen,
    int maxNumSeqs,
    int maxNumBatchedTokens,
    String version,
    int worldSize,
    String configHash) {

  /** Of a rank on one device that steps alone. */
  public EngineFacts(
      String model,
      String executor,
      int kvBlocks,
      int blockSize,
      int maxModelLen,
      int maxNumSeqs,
      int maxNumBatchedTokens,
      String version) {
    this(
        model,
        executor,
        kvBlocks,
        blockSize,
        maxModelLen,
        maxNumSeqs,
        maxNumBatchedTokens,
        version,
        1,
        "");
  }
}
