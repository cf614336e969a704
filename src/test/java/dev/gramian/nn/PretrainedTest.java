package dev.gramian.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.io.TempDir;

/** Models read from small checkpoints against plain loops in F64, and against themselves with a cache. */
final class PretrainedTest {
    /** Of the largest value of the reference: the F32 rounding of two blocks of 64 features. */
    private static final double F32_BOUND = 4e-6;

    private static final double LLAMA_EPS = 1e-5;

    @TempDir
    Path dir;

    private static long[] ids(int n, long seed) {
        return new Random(seed).longs(n, 0, Tiny.VOCABULARY).toArray();
    }

    private static Tensor ids(Scope s, long... ids) {
        return s.tensor(ids, 1, ids.length);
    }

    private static double[] flat(double[][] x) {
        return Arrays.stream(x).flatMapToDouble(Arrays::stream).toArray();
    }

    /** Largest difference, of the largest expected value; infinite for anything that is no number. */
    private static double error(double[] expected, double[] actual) {
        assertEquals(expected.length, actual.length);
        double most = 0;
        double error = 0;
        for (int i = 0; i < expected.length; i++) {
            most = Math.max(most, Math.abs(expected[i]));
            double e = Math.abs(expected[i] - actual[i]);
            error = Math.max(error, Double.isNaN(e) ? Double.POSITIVE_INFINITY : e);
        }
        return error / most;
    }

    private static void close(String what, double[] expected, double[] actual, double bound) {
        double e = error(expected, actual);
        assertTrue(e <= bound, () -> what + ": error " + e + " of the largest value above " + bound + "; seed "
                + Seed.VALUE);
    }

    // ---- against F64 -------------------------------------------------------------------------------------------------

    /** Frequencies of a head of 16 channels as transformers' modeling_rope_utils computes them. */
    private record Scaled(String settings, double[] frequencies, double factor) {}

    private static double[] plain(double base) {
        double[] f = new double[8];
        for (int i = 0; i < 8; i++) {
            f[i] = 1 / Math.pow(base, 2 * i / 16.0);
        }
        return f;
    }

    private static Scaled[] scalings() {
        double[] linear = plain(10000);
        double[] llama3 = plain(500000);
        double[] yarn = plain(10000);
        double[] longrope = plain(10000);
        StringBuilder longs = new StringBuilder();
        double low = Math.max(0, Math.floor(16 * Math.log(32 / (32 * 2 * Math.PI)) / (2 * Math.log(10000))));
        double high = Math.min(15, Math.ceil(16 * Math.log(32 / (1 * 2 * Math.PI)) / (2 * Math.log(10000))));
        for (int i = 0; i < 8; i++) {
            linear[i] /= 4;
            double wavelength = 2 * Math.PI / llama3[i];
            if (wavelength > 32 / 1.0) {
                llama3[i] /= 8;
            } else if (wavelength >= 32 / 4.0) {
                double smooth = (32 / wavelength - 1) / (4 - 1);
                llama3[i] = (1 - smooth) * llama3[i] / 8 + smooth * llama3[i];
            }
            double kept = 1 - Math.clamp((i - low) / (high - low), 0.0, 1.0);
            yarn[i] = yarn[i] / 2 * (1 - kept) + yarn[i] * kept;
            longrope[i] /= 1 + 0.25 * i;
            longs.append(i == 0 ? "" : ", ").append(1 + 0.25 * i);
        }
        return new Scaled[] {
            new Scaled("", plain(10000), 1),
            new Scaled(", \"rope_theta\": 500000.0, \"rope_scaling\": null", plain(500000), 1),
            new Scaled(", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 4.0}", linear, 1),
            new Scaled(", \"rope_theta\": 500000.0, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, "
                    + "\"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, "
                    + "\"original_max_position_embeddings\": 32}", llama3, 1),
            new Scaled(", \"rope_parameters\": {\"rope_type\": \"yarn\", \"rope_theta\": 10000.0, \"factor\": 2.0, "
                    + "\"original_max_position_embeddings\": 32}", yarn, 0.1 * Math.log(2) + 1),
            new Scaled(", \"original_max_position_embeddings\": 24, \"rope_scaling\": {\"type\": \"longrope\", "
                    + "\"short_factor\": [1, 1, 1, 1, 1, 1, 1, 1], \"long_factor\": [" + longs + "]}", longrope,
                    Math.sqrt(1 + Math.log(2) / Math.log(24))),
            // 48 positions are those of training: nothing is stretched
            new Scaled(", \"rope_scaling\": {\"rope_type\": \"dynamic\", \"factor\": 2.0}", plain(10000), 1)};
    }

    @DeviceSpec
    void llamaIsItsFormulas(Device device) throws Exception {
        int n = 0;
        for (Scaled scaled : scalings()) {
            boolean tied = n % 2 == 1;
            String prefix = n % 3 == 2 ? "" : "model.";
            Path d = dir.resolve("llama" + n);
            Tiny tiny = Tiny.llama(prefix, tied, scaled.settings).write(d, 1 + n % 3, DType.F32);
            long[] ids = ids(19, Seed.VALUE + n++);
            double[][] expected = new Float64(tiny.values).llama(prefix, Tiny.HIDDEN, Tiny.LAYERS, Tiny.HEADS,
                    Tiny.KEY_HEADS, LLAMA_EPS, scaled.frequencies, scaled.factor, tied, ids);
            try (Scope s = device.open()) {
                Decoder llama = Pretrained.llama(s, d, null);
                assertEquals(tied, llama.head().weight() == llama.tokens().weight());
                close("llama" + scaled.settings, flat(expected), llama.apply(ids(s, ids)).toDoubleArray(), F32_BOUND);
            }
        }
    }

    @DeviceSpec
    void gpt2IsItsFormulas(Device device) throws Exception {
        for (String prefix : new String[] {"", "transformer."}) {
            Path d = dir.resolve("gpt2" + prefix);
            Tiny tiny = Tiny.gpt2(prefix).write(d, prefix.isEmpty() ? 1 : 2, DType.F32);
            long[] ids = ids(13, Seed.VALUE);
            double[][] expected = new Float64(tiny.values).gpt2(prefix, Tiny.HIDDEN, Tiny.LAYERS, Tiny.HEADS, 1e-5,
                    ids);
            try (Scope s = device.open()) {
                Decoder gpt2 = Pretrained.gpt2(s, d, null);
                close("gpt2", flat(expected), gpt2.apply(ids(s, ids)).toDoubleArray(), F32_BOUND);
            }
        }
    }

    @DeviceSpec
    void bertIsItsFormulas(Device device) throws Exception {
        for (boolean old : new boolean[] {false, true}) {
            String prefix = old ? "bert." : "";
            String scale = old ? "gamma" : "weight";
            String shift = old ? "beta" : "bias";
            Path d = dir.resolve("bert" + prefix);
            Tiny tiny = Tiny.bert(prefix, scale, shift);
            if (old) {
                tiny.shapes.put("cls.predictions.bias", new long[] {Tiny.VOCABULARY});
                tiny.shapes.put("bert.embeddings.position_ids", new long[] {1, Tiny.POSITIONS});
            }
            tiny.write(d, old ? 3 : 1, DType.F32);
            long[] first = ids(11, Seed.VALUE);
            long[] second = ids(7, Seed.VALUE + 1);
            long[] types = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1};
            Float64 reference = new Float64(tiny.values);
            double[][] a = reference.bert(prefix, Tiny.HIDDEN, Tiny.LAYERS, Tiny.HEADS, 1e-12, scale, shift, first,
                    types);
            double[][] b = reference.bert(prefix, Tiny.HIDDEN, Tiny.LAYERS, Tiny.HEADS, 1e-12, scale, shift, second,
                    Arrays.copyOf(types, 7));
            try (Scope s = device.open()) {
                Encoder bert = Pretrained.bert(s, d, null);
                long[] both = Arrays.copyOf(first, 22);
                System.arraycopy(second, 0, both, 11, 7);
                long[] bothTypes = Arrays.copyOf(types, 22);
                System.arraycopy(types, 0, bothTypes, 11, 11);
                Tensor y = bert.apply(s.tensor(both, 2, 11), s.tensor(bothTypes, 2, 11), o -> o.lengths(11, 7));
                close("bert", flat(a), y.select(0, 0).toDoubleArray(), F32_BOUND);
                close("bert, padded", flat(b), y.select(0, 1).slice(0, 0, 7).toDoubleArray(), F32_BOUND);
                close("pooler", reference.pool(prefix, b), bert.pool(y).select(0, 1).toDoubleArray(), F32_BOUND);
                assertArrayEquals(
                        bert.apply(ids(s, second), ids(s, new long[7]), UnaryOperator.identity()).toFloatArray(),
                        bert.apply(ids(s, second)).toFloatArray());
            }
        }
    }

    @DeviceSpec
    void typesAreKeptOrConverted(Device device) throws Exception {
        double[] bounds = {F32_BOUND, F32_BOUND, 8e-3, 6e-2};
        DType[] stored = {DType.F32, DType.F64, DType.F16, DType.BF16};
        for (int i = 0; i < stored.length; i++) {
            Path d = dir.resolve("typed" + i);
            Tiny tiny = Tiny.llama("model.", true, "").write(d, 1, stored[i]);
            long[] ids = ids(9, Seed.VALUE);
            double[] expected = flat(new Float64(tiny.values).llama("model.", Tiny.HIDDEN, Tiny.LAYERS, Tiny.HEADS,
                    Tiny.KEY_HEADS, LLAMA_EPS, plain(10000), 1, true, ids));
            try (Scope s = device.open()) {
                Decoder kept = Pretrained.llama(s, d, null, 9);
                Tensor y = kept.apply(ids(s, ids));
                assertEquals(stored[i], y.dtype());
                close(stored[i] + " kept", expected, y.toDoubleArray(), bounds[i]);
                Tensor converted = Pretrained.llama(s, d, DType.F32, 9).apply(ids(s, ids));
                assertEquals(DType.F32, converted.dtype());
                close(stored[i] + " as F32", expected, converted.toDoubleArray(), F32_BOUND);
            }
        }
    }

    // ---- with a cache ------------------------------------------------------------------------------------------------

    private interface Load {
        Decoder from(Scope s) throws Exception;
    }

    private Load[] decoders() throws Exception {
        Tiny.llama("model.", false, ", \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, "
                + "\"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 32}")
                .write(dir.resolve("l"), 2, DType.F32);
        Tiny.gpt2("").write(dir.resolve("g"), 1, DType.F32);
        return new Load[] {
            s -> Pretrained.llama(s, dir.resolve("l"), DType.F32),
            s -> Pretrained.gpt2(s, dir.resolve("g"), DType.F32)};
    }

    private static double[] last(Tensor logits) {
        return logits.select(1, logits.dim(1) - 1).toDoubleArray();
    }

    @DeviceSpec
    void generatingWithTheCacheIsRecomputing(Device device) throws Exception {
        for (Load load : decoders()) {
            try (Scope s = device.open()) {
                Decoder model = load.from(s);
                long[] prompt = ids(5, Seed.VALUE);
                long[] ids = Arrays.copyOf(prompt, 5 + 16);
                try (DecoderCache cache = model.cache(s, 1, 4)) {
                    double[] logits;
                    try (Scope step = Scope.inner("step", device)) {
                        logits = last(model.apply(ids(step, prompt), cache));
                    }
                    for (int n = 5; n < ids.length; n++) {
                        try (Scope step = Scope.inner("step", device)) {
                            double[] whole = last(model.apply(ids(step, Arrays.copyOf(ids, n))));
                            close("logits at " + n, whole, logits, F32_BOUND);
                            int next = largest(whole);
                            assertEquals(next, largest(logits), "token " + n);
                            ids[n] = next;
                            logits = last(model.apply(ids(step, next), cache));
                        }
                    }
                    assertArrayEquals(new long[] {ids.length}, cache.lengths());
                }
            }
        }
    }

    private static int largest(double[] x) {
        int at = 0;
        for (int i = 1; i < x.length; i++) {
            at = x[i] > x[at] ? i : at;
        }
        return at;
    }

    @DeviceSpec
    void aPromptInPiecesIsThePromptAsAWhole(Device device) throws Exception {
        for (Load load : decoders()) {
            try (Scope s = device.open()) {
                Decoder model = load.from(s);
                long[] ids = ids(23, Seed.VALUE);
                double[] whole = model.apply(ids(s, ids)).toDoubleArray();
                for (int piece : new int[] {1, 4, 7, 23}) {
                    DecoderCache cache = model.cache(s, 1, 3);
                    for (int p = 0; p < ids.length; p += piece) {
                        int to = Math.min(ids.length, p + piece);
                        Tensor y = model.apply(ids(s, Arrays.copyOfRange(ids, p, to)), cache);
                        close("positions " + p + " to " + to,
                                Arrays.copyOfRange(whole, p * Tiny.VOCABULARY, to * Tiny.VOCABULARY),
                                y.toDoubleArray(), F32_BOUND);
                    }
                    cache.close();
                }
            }
        }
    }

    @DeviceSpec
    void aPaddedBatchIsItsSequencesAlone(Device device) throws Exception {
        for (Load load : decoders()) {
            try (Scope s = device.open()) {
                Decoder model = load.from(s);
                // the longer sequence's last step pads the shorter one beyond the model's positions
                long[][] ids = {ids(Tiny.POSITIONS, Seed.VALUE), ids(Tiny.POSITIONS - 3, Seed.VALUE + 1)};
                double[][] alone = new double[2][];
                for (int b = 0; b < 2; b++) {
                    alone[b] = model.apply(ids(s, ids[b])).toDoubleArray();
                }
                long[] both = Arrays.copyOf(ids[0], 2 * Tiny.POSITIONS);
                System.arraycopy(ids[1], 0, both, Tiny.POSITIONS, ids[1].length);
                Tensor whole = model.apply(s.tensor(both, 2, Tiny.POSITIONS), a -> a.lengths(48, 45));
                for (int b = 0; b < 2; b++) {
                    close("sequence " + b, alone[b],
                            whole.select(0, b).slice(0, 0, ids[b].length).toDoubleArray(), F32_BOUND);
                }
                DecoderCache cache = model.cache(s, 2, 8);
                int[][] steps = {{9, 4}, {1, 1}, {0, 11}, {5, 2}, {20, 21}, {13, 6}};
                int[] at = new int[2];
                for (int[] counts : steps) {
                    int n = Math.max(counts[0], counts[1]);
                    long[] next = new long[2 * n];
                    for (int b = 0; b < 2; b++) {
                        System.arraycopy(ids[b], at[b], next, b * n, counts[b]);
                    }
                    Tensor y = model.apply(s.tensor(next, 2, n), cache, counts[0], counts[1]);
                    for (int b = 0; b < 2; b++) {
                        if (counts[b] > 0) {
                            close("sequence " + b + " at " + at[b],
                                    Arrays.copyOfRange(alone[b], at[b] * Tiny.VOCABULARY,
                                            (at[b] + counts[b]) * Tiny.VOCABULARY),
                                    y.select(0, b).slice(0, 0, counts[b]).toDoubleArray(), F32_BOUND);
                        }
                        at[b] += counts[b];
                    }
                }
                assertArrayEquals(new long[] {48, 45}, cache.lengths());
            }
        }
    }
}
