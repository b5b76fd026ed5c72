package dev.flotilla.executor.cpu;

/**
 * Which member of a group owns which experts: contiguous ranges in the order of the members, which
 * differ by at most one. Members beyond the number of experts own none.
 *
 * @param count experts of a layer
 * @param members of the group
 */
record ExpertShares(int count, int members) {
  /** The first expert of a member. */
  int from(int member) {
    return (int) ((long) member * count / members);
  }

  /** One more than its last. */
  int to(int member) {
    return from(member + 1);
  }

  /** Whose an expert is. */
  int owner(int expert) {
    return (int) (((expert + 1L) * members - 1) / count);
  }
}
