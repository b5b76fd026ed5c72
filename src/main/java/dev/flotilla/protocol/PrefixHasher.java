package dev.flotilla.protocol;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Computes {@link PrefixHash}es; equal in every process. Used by one thread. */
public final class PrefixHasher implements Machine {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final int PARENT_BYTES = 16;

  private final MessageDigest sha256;
  private final byte[] digest = new byte[32];
  private byte[] input = new byte[PARENT_BYTES + 4 * 16];

  /** One that has computed nothing yet. */
  public PrefixHasher() {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** What the first block's hash goes on from. */
  public PrefixHash root(String cacheSalt) {
    sha256.update(("flotilla prefix, salt: " + cacheSalt).getBytes(StandardCharsets.UTF_8));
    return end();
  }

  /** The hash of a block of {@code count} tokens behind the given prefix. */
  public PrefixHash next(PrefixHash prefix, int[] tokens, int from, int count) {
    int bytes = PARENT_BYTES + 4 * count;
    if (input.length < bytes) {
      input = new byte[bytes];
    }
    LONG.set(input, 0, prefix.high());
    LONG.set(input, 8, prefix.low());
    for (int i = 0; i < count; i++) {
      INT.set(input, PARENT_BYTES + 4 * i, tokens[from + i]);
    }
    sha256.update(input, 0, bytes);
    return end();
  }

  private PrefixHash end() {
    try {
      sha256.digest(digest, 0, digest.length);
    } catch (DigestException e) {
      throw new IllegalStateException("SHA-256 has 32 bytes", e);
    }
    return new PrefixHash((long) LONG.get(digest, 0), (long) LONG.get(digest, 8));
  }
}
