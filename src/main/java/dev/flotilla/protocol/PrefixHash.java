package dev.flotilla.protocol;

/**
 * Names a whole prefix of tokens, block by block: the hash of one full block's tokens and of the
 * hash before it, which begins with the cache salt. 128 bits of SHA-256, so that nobody can make
 * two prefixes that are taken for each other.
 *
 * @param high the first eight bytes of the digest
 * @param low the next eight
 */
public record PrefixHash(long high, long low) {
  @Override
  public int hashCode() {
    return (int) low;
  }

  @Override
  public String toString() {
    return "%016x%016x".formatted(high, low);
  }
}
