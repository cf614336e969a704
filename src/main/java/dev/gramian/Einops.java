package dev.gramian;

import java.util.Map;

/** Rearranging axes by einops' notation. */
public final class Einops {
    private Einops() {}

    /** See {@link Tensor#rearrange(String, Map)}. */
    public static Tensor rearrange(Tensor x, String pattern, Map<String, ? extends Number> sizes) {
        throw new AssertionError(pattern + sizes);
    }
}
