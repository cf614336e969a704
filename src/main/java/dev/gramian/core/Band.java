package dev.gramian.core;

/**
 * Which keys a query sees by position alone: query i sees key j where {@code i + first <= j <= i + last}. A causal mask
 * has no first, a sliding window both.
 *
 * @param first {@link Long#MIN_VALUE} for none
 * @param last {@link Long#MAX_VALUE} for none
 */
public record Band(long first, long last) {
    /** Every query sees every key. */
    public static final Band OPEN = new Band(Long.MIN_VALUE, Long.MAX_VALUE);

    /** Keys up to {@code i + offset}. */
    public static Band causal(long offset) {
        return new Band(Long.MIN_VALUE, offset);
    }

    public boolean isOpen() {
        return first == Long.MIN_VALUE && last == Long.MAX_VALUE;
    }

    /** True where the queries 0 to {@code queries - 1} see all of {@code keys} keys. */
    public boolean covers(long queries, long keys) {
        return queries == 0 || keys == 0 || from(queries - 1, keys) == 0 && to(0, keys) == keys;
    }

    /** First of {@code keys} keys that the query at position {@code i} sees, or {@code keys}. */
    public long from(long i, long keys) {
        return first == Long.MIN_VALUE ? 0 : clamp(add(i, first), keys);
    }

    /** One past the last of {@code keys} keys that the query at position {@code i} sees; may be before {@link #from}. */
    public long to(long i, long keys) {
        return last == Long.MAX_VALUE ? keys : clamp(add(add(i, last), 1), keys);
    }

    /** The same band for queries counted from {@code queries} later on and keys from {@code keys} later on. */
    public Band moved(long queries, long keys) {
        return new Band(
                first == Long.MIN_VALUE ? first : add(add(first, queries), -keys),
                last == Long.MAX_VALUE ? last : add(add(last, queries), -keys));
    }

    private static long clamp(long v, long keys) {
        return Math.max(0, Math.min(keys, v));
    }

    /** x + y, held within the range of a long short of the values that mean none. */
    private static long add(long x, long y) {
        long r = x + y;
        if (((x ^ r) & (y ^ r)) < 0) {
            r = x < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
        return Math.max(Long.MIN_VALUE + 1, Math.min(Long.MAX_VALUE - 1, r));
    }
}
