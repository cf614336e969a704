package dev.gramian.peers;

import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which works there are, by the names that -w takes. */
final class Works {
    private static final Map<String, List<String>> FULL = new LinkedHashMap<>();
    private static final Map<String, List<String>> TINY = new LinkedHashMap<>();

    /** What takes seconds a call and is left out of --quick. */
    private static final Set<String> LONG = Set.of("attention 1x32x4096x128", "causal 1x32x4096x128",
            "gemm 4096x4096x4096", "svd 1x2048x2048", "svd 1024x32x32");

    static {
        FULL.put("attention", List.of("attention 1x12x512x64", "causal 1x12x512x64", "attention 8x12x512x64",
                "causal 8x12x512x64", "attention 1x12x2048x64", "causal 1x12x2048x64", "attention 1x32x4096x128",
                "causal 1x32x4096x128"));
        FULL.put("decode", List.of("decode 8x32x4096x128"));
        FULL.put("gemm", List.of("gemm 512x512x512", "gemm 1024x1024x1024", "gemm 2048x2048x2048",
                "gemm 4096x4096x4096", "gemm 4096x768x768", "gemm 1x4096x4096"));
        FULL.put("bgemm", List.of("bgemm 96x512x512x64", "bgemm 96x512x64x512", "bgemm 1024x64x64x64"));
        FULL.put("rows", List.of("softmax 49152x512", "layernorm 4096x768"));
        FULL.put("svd", List.of("svd 1x768x768", "svd 1x1000x768", "svd 1x2048x2048", "svd 256x64x64",
                "svd 1024x32x32"));
        FULL.put("rank", List.of("rank 2048x2048x16"));
        FULL.put("eigh", List.of("eigh 1024"));
        FULL.put("small", List.of("add 16", "gemm 8x8x8"));
        FULL.put("elementwise", List.of("exp 16384x1024", "tanh 16384x1024", "transpose 4096x4096"));
        TINY.put("attention", List.of("attention 2x3x17x8", "causal 2x3x17x8"));
        TINY.put("decode", List.of("decode 2x3x33x8"));
        TINY.put("gemm", List.of("gemm 33x17x65", "gemm 1x64x65"));
        TINY.put("bgemm", List.of("bgemm 3x17x5x9"));
        TINY.put("rows", List.of("softmax 33x17", "layernorm 33x17"));
        TINY.put("svd", List.of("svd 1x17x13", "svd 3x13x17"));
        TINY.put("rank", List.of("rank 60x50x4"));
        TINY.put("eigh", List.of("eigh 21"));
        TINY.put("small", List.of("add 16", "gemm 8x8x8"));
        TINY.put("elementwise", List.of("exp 33x17", "tanh 33x17", "transpose 33x17"));
    }

    private Works() {}

    static Set<String> names() {
        return FULL.keySet();
    }

    /** Of these names, all where there are none; a name may be a work's own too, as "gemm 512x512x512". */
    static List<Work> of(Collection<String> names, boolean quick, boolean tiny) {
        Map<String, List<String>> all = tiny ? TINY : FULL;
        return (names.isEmpty() ? all.keySet() : names).stream()
                .flatMap(n -> all.containsKey(n)
                        ? all.get(n).stream().filter(id -> !quick || !LONG.contains(id))
                        : Arrays.stream(new String[] {n}))
                .map(Work::of).toList();
    }
}
