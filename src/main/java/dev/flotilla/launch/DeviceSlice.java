package dev.flotilla.launch;

import dev.flotilla.config.ConfigException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which devices the ranks of one node use: consecutive slices of world size, by local rank.
 *
 * <p>Source: the original's {@code get_physical_gpu_ids_for_local_dp_rank}, which always slices the
 * user's own list, since one configuration serves all ranks.
 *
 * @param ids given with {@code --device-ids}; null: not given
 * @param visible what {@code CUDA_VISIBLE_DEVICES} lists, physical ids by logical index; null: not
 *     set, so that both are the same
 * @param worldSize devices of a rank
 */
public record DeviceSlice(
    @Nullable List<Integer> ids, @Nullable List<String> visible, int worldSize) {
  private static final String VARIABLE = "CUDA_VISIBLE_DEVICES";

  /** Keeps private copies. */
  public DeviceSlice {
    ids = ids == null ? null : List.copyOf(ids);
    visible = visible == null ? null : List.copyOf(visible);
  }

  /**
   * With the flag and the variable as they are written.
   *
   * @param flag comma-separated numbers; null: not given
   * @param variable comma-separated ids, numbers or not; null or empty: not set
   */
  public static DeviceSlice of(@Nullable String flag, @Nullable String variable, int worldSize) {
    List<String> visible =
        variable == null || variable.isBlank()
            ? null
            : Arrays.stream(variable.split(",", -1)).map(String::strip).toList();
    if (flag == null) {
      return new DeviceSlice(null, visible, worldSize);
    }
    List<Integer> ids = new ArrayList<>();
    for (String part : flag.split(",", -1)) {
      try {
        ids.add(Integer.parseUnsignedInt(part.strip()));
      } catch (NumberFormatException e) {
        throw new ConfigException(
            "--device-ids must be numbers with commas between them, not '%s'".formatted(flag));
      }
    }
    if (ids.stream().distinct().count() < ids.size()) {
      throw new ConfigException("--device-ids names a device twice: " + flag);
    }
    return new DeviceSlice(ids, visible, worldSize);
  }

  /** Whether anything was said about devices. */
  public boolean set() {
    return ids != null || visible != null;
  }

  /**
   * The physical ids of one local rank's devices.
   *
   * @throws ConfigException if the list or the variable is too short for it
   */
  public List<String> of(int localRank) {
    int from = Math.multiplyExact(localRank, worldSize);
    int to = from + worldSize;
    if (ids != null) {
      if (to > ids.size()) {
        throw new ConfigException(
            "--device-ids lists %d devices, but local rank %d needs those of [%d, %d)"
                .formatted(ids.size(), localRank, from, to));
      }
      return ids.subList(from, to).stream().map(String::valueOf).toList();
    }
    List<String> slice = new ArrayList<>();
    for (int index = from; index < to; index++) {
      if (visible != null && index >= visible.size()) {
        throw new ConfigException(
            "%s lists %d devices, but local rank %d needs those of [%d, %d)"
                .formatted(VARIABLE, visible.size(), localRank, from, to));
      }
      slice.add(visible == null ? Integer.toString(index) : visible.get(index));
    }
    return slice;
  }
}
