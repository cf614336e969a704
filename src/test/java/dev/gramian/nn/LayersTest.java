package dev.gramian.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Recording;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.KvCache;
import dev.gramian.attention.Rope;
import dev.gramian.attention.RopeLayout;
import dev.gramian.attention.RopeTables;
import dev.gramian.core.DType;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Single layers against plain loops in F64, and who owns what they compute. */
final class LayersTest {
    private static final DType[] FLOATS = {DType.F32, DType.F64, DType.F16, DType.BF16};

    private final Random random = new Random(Seed.VALUE);

    private Tensor draw(Scope s, DType t, long... shape) {
        return s.normal(t, random.nextLong(), shape);
    }

    /** Of values of about unit size, a dozen roundings of the type. */
    private static double limit(DType t) {
        return switch (t) {
            case F64 -> 1e-13;
            case F16 -> 6e-3;
            case BF16 -> 5e-2;
            default -> 2e-5;
        };
    }

    private static double[][] rows(Tensor x) {
        double[] all = x.toDoubleArray();
        int n = (int) x.dim(-1);
        double[][] rows = new double[all.length / n][n];
        for (int r = 0; r < rows.length; r++) {
            System.arraycopy(all, r * n, rows[r], 0, n);
        }
        return rows;
    }

    private static void close(String what, double[][] expected, Tensor actual, double limit) {
        double[][] y = rows(actual);
        assertEquals(expected.length, y.length, what);
        for (int r = 0; r < y.length; r++) {
            for (int i = 0; i < y[r].length; i++) {
                double error = Math.abs(expected[r][i] - y[r][i]);
                assertTrue(error <= limit, what + ": error " + error + " above " + limit + "; seed " + Seed.VALUE);
            }
        }
    }

    @DeviceSpec
    void linearIsAProduct(Device device) {
        for (DType t : FLOATS) {
            try (Scope s = device.open()) {
                Tensor weight = draw(s, t, 7, 12).mul(0.3);
                Tensor bias = draw(s, t, 7);
                double[] w = weight.toDoubleArray();
                for (long[] shape : new long[][] {{12}, {5, 12}, {2, 3, 12}, {2, 1, 2, 12}}) {
                    Tensor x = draw(s, t, shape);
                    Tensor y = new Linear(weight, bias).apply(x);
                    assertEquals(x.shape().with(shape.length - 1, 7), y.shape());
                    assertEquals(t, y.dtype());
                    close(t + " linear", Float64.linear(rows(x), w, bias.toDoubleArray()), y, limit(t));
                    close(t + " linear without bias", Float64.linear(rows(x), w, null), Linear.of(weight).apply(x),
                            limit(t));
                    Tensor stored = weight.transpose(0, 1).contiguous();
                    assertEquals(new Linear(weight, bias).out(), Linear.of(stored.transpose(0, 1)).out());
                    close(t + " linear stored (in, out)", Float64.linear(rows(x), w, null),
                            Linear.of(stored.transpose(0, 1)).apply(x), limit(t));
                }
                assertEquals(s.zeros(0, 7).shape(), Linear.of(weight).apply(s.zeros(t, 0, 12)).shape());
            }
        }
    }

    @DeviceSpec
    void normsAreTheirFormulas(Device device) {
        for (DType t : FLOATS) {
            try (Scope s = device.open()) {
                Tensor x = draw(s, t, 3, 5, 24);
                Tensor weight = draw(s, t, 24).mul(0.1).add(1);
                Tensor bias = draw(s, t, 24);
                double[] w = weight.toDoubleArray();
                close(t + " layer norm", Float64.layerNorm(rows(x), w, bias.toDoubleArray(), 0.1),
                        new LayerNorm(weight, bias, 0.1).apply(x), limit(t));
                close(t + " layer norm without bias", Float64.layerNorm(rows(x), w, new double[24], 1e-5),
                        new LayerNorm(weight, null, 1e-5).apply(x), limit(t));
                close(t + " RMS norm", Float64.rmsNorm(rows(x), w, 0.1), new RmsNorm(weight, 0.1).apply(x), limit(t));
            }
        }
    }

    @DeviceSpec
    void embeddingTakesRows(Device device) {
        try (Scope s = device.open()) {
            Tensor weight = draw(s, DType.F32, 9, 4);
            Embedding e = new Embedding(weight);
            float[] w = weight.toFloatArray();
            float[] expected = new float[6 * 4];
            long[] ids = {8, 0, 3, 3, 1, 8};
            for (int i = 0; i < 6; i++) {
                System.arraycopy(w, 4 * (int) ids[i], expected, 4 * i, 4);
            }
            Tensor matrix = s.tensor(ids, 2, 3);
            for (Tensor y : List.of(e.apply(matrix), e.apply(matrix.to(DType.I32)),
                    e.apply(matrix.transpose(0, 1).contiguous().transpose(0, 1)))) {
                assertEquals(s.zeros(2, 3, 4).shape(), y.shape());
                assertArrayEquals(expected, y.toFloatArray());
            }
            assertArrayEquals(expected, e.apply(ids).toFloatArray());
            assertEquals(s.zeros(0, 2, 4).shape(), e.apply(s.zeros(DType.I64, 0, 2)).shape());
            Tensor x = draw(s, DType.F32, 2, 4);
            close("tied head", Float64.linear(rows(x), weight.toDoubleArray(), null), e.head().apply(x), 2e-5);
        }
    }

    @DeviceSpec
    void feedForwardIsItsFormula(Device device) {
        for (DType t : FLOATS) {
            try (Scope s = device.open()) {
                Tensor x = draw(s, t, 2, 3, 6);
                Linear gate = new Linear(draw(s, t, 10, 6).mul(0.3), draw(s, t, 10));
                Linear up = new Linear(draw(s, t, 10, 6).mul(0.3), draw(s, t, 10));
                Linear down = Linear.of(draw(s, t, 6, 10).mul(0.3));
                double[][] a = Float64.linear(rows(x), gate.weight().toDoubleArray(), gate.bias().toDoubleArray());
                double[][] b = Float64.linear(rows(x), up.weight().toDoubleArray(), up.bias().toDoubleArray());
                double[] d = down.weight().toDoubleArray();
                for (Activation f : Activation.values()) {
                    Float64.Function plain = switch (f) {
                        case GELU -> Float64::gelu;
                        case GELU_TANH -> Float64::geluTanh;
                        case RELU -> v -> Math.max(v, 0);
                        case SILU -> Float64::silu;
                    };
                    close(t + " " + f, Float64.linear(Float64.map(b, plain), d, null),
                            FeedForward.of(up, down, f).apply(x), 2 * limit(t));
                    close(t + " gated " + f, Float64.linear(Float64.mul(Float64.map(a, plain), b), d, null),
                            FeedForward.gated(gate, up, down, f).apply(x), 4 * limit(t));
                }
            }
        }
    }

    private MultiHeadAttention attention(Scope s, DType t, RopeTables rope) {
        Linear q = new Linear(draw(s, t, 32, 20).mul(0.2), draw(s, t, 32).mul(0.2));
        Linear k = new Linear(draw(s, t, 16, 20).mul(0.2), draw(s, t, 16).mul(0.2));
        Linear v = new Linear(draw(s, t, 16, 20).mul(0.2), draw(s, t, 16).mul(0.2));
        return MultiHeadAttention.of(q, k, v, Linear.of(draw(s, t, 20, 32).mul(0.2)), 4, 2).rope(rope);
    }

    @DeviceSpec
    void attentionIsItsFormula(Device device) {
        for (DType t : FLOATS) {
            for (boolean causal : new boolean[] {false, true}) {
                try (Scope s = device.open()) {
                    Rope rope = Rope.of(RopeLayout.HALF_SPLIT, 8);
                    MultiHeadAttention a = attention(s, t, rope.tables(s, t, 16));
                    a = causal ? a.causal() : a;
                    var p = (MultiHeadAttention.Separate) a.projections();
                    Tensor x = draw(s, t, 1, 9, 20);
                    double[][] q = Float64.linear(rows(x), p.query().weight().toDoubleArray(),
                            p.query().bias().toDoubleArray());
                    double[][] k = Float64.linear(rows(x), p.key().weight().toDoubleArray(),
                            p.key().bias().toDoubleArray());
                    double[][] v = Float64.linear(rows(x), p.value().weight().toDoubleArray(),
                            p.value().bias().toDoubleArray());
                    double[] f = rope.frequencies(16);
                    double[][] y = Float64.attention(Float64.rotateHalves(q, 4, f, 1),
                            Float64.rotateHalves(k, 2, f, 1), v, 4, 2, causal);
                    double[][] expected = Float64.linear(y, a.output().weight().toDoubleArray(), null);
                    close(t + " attention", expected, a.apply(x), 2 * limit(t));
                    Linear all = new Linear(Join.concat(0, p.query().weight(), p.key().weight(), p.value().weight()),
                            Join.concat(0, p.query().bias(), p.key().bias(), p.value().bias()));
                    MultiHeadAttention fused = MultiHeadAttention.fused(all, a.output(), 4, 2).rope(a.rope());
                    assertEquals(8, fused.headSize());
                    close(t + " fused", expected, (causal ? fused.causal() : fused).apply(x), 2 * limit(t));
                }
            }
        }
    }

    @DeviceSpec
    void optionsReachAttention(Device device) {
        try (Scope s = device.open()) {
            MultiHeadAttention a = attention(s, DType.F32, null);
            Tensor x = draw(s, DType.F32, 2, 9, 20);
            Tensor mask = s.tensor(new boolean[] {true, true, false, true, true, true, true, true, false}, 1, 9);
            Attention wanted = Attention.scaled().softcap(2).window(3, 0).mask(mask);
            var p = (MultiHeadAttention.Separate) a.projections();
            Tensor[] parts = {p.query().apply(x), p.key().apply(x), p.value().apply(x)};
            Tensor y = a.output().apply(wanted.heads(4, 2).apply(parts[0], parts[1], parts[2]).output());
            double[][] expected = rows(y);
            close("of the layer", expected, a.options(wanted).apply(x), 1e-6);
            close("of the call", expected, a.apply(x, o -> o.softcap(2).window(3, 0).mask(mask)), 1e-6);
            close("of both", expected, a.options(Attention.scaled().softcap(2).window(3, -1)).causal()
                    .apply(x, o -> o.mask(mask)), 1e-6);
            try (KvCache cache = a.cache(s, 2, 4)) {
                MultiHeadAttention c = a.options(Attention.scaled().softcap(2).window(3, -1)).causal();
                Tensor first = c.apply(x.slice(1, 0, 4), o -> o.mask(mask.slice(1, 0, 4)), cache);
                Tensor rest = c.apply(x.slice(1, 4, 9), o -> o.mask(mask), cache);
                close("with a cache", expected, Join.concat(1, first, rest), 1e-6);
            }
        }
    }

    // ---- ownership ---------------------------------------------------------------------------------------------------

    @DeviceSpec
    void aCallLeavesItsResultAlone(Device device) {
        try (Scope s = device.open()) {
            RopeTables rope = Rope.of(RopeLayout.HALF_SPLIT, 8).tables(s, DType.F32, 16);
            MultiHeadAttention attention = attention(s, DType.F32, rope).causal();
            Norm norm = new RmsNorm(s.ones(20), 1e-5);
            FeedForward mlp = FeedForward.of(Linear.of(draw(s, DType.F32, 8, 20)), Linear.of(draw(s, DType.F32, 20, 8)),
                    Activation.RELU);
            DecoderBlock block = new DecoderBlock(norm, attention, norm, mlp);
            EncoderBlock post = new EncoderBlock(attention, norm, mlp, norm);
            Embedding tokens = new Embedding(draw(s, DType.F32, 11, 20));
            Decoder decoder = new Decoder(tokens, null, List.of(block, block), norm, tokens.head());
            Encoder encoder = new Encoder(tokens, new Embedding(draw(s, DType.F32, 6, 20)), null, norm, List.of(post),
                    Linear.of(draw(s, DType.F32, 20, 20)));
            Tensor x = draw(s, DType.F32, 2, 5, 20);
            Tensor ids = s.integers(DType.I64, 1, 0, 11, 2, 5);
            DecoderCache cache = decoder.cache(s, 2, 8);
            long before = s.liveBytes();
            long results = 0;
            for (Tensor y : List.of(attention.apply(x), mlp.apply(x), block.apply(x), post.apply(x), decoder.apply(ids),
                    decoder.apply(ids, cache), encoder.apply(ids), encoder.pool(x), tokens.apply(ids),
                    tokens.apply(3, 4), tokens.head().apply(x))) {
                results += 4 * y.size();
            }
            assertEquals(before + results, s.liveBytes());
            cache.close();
            cache.close();
            assertEquals(before + results - 2 * 2 * 2 * 2 * 8 * 8 * 4, s.liveBytes());
        }
    }

    @DeviceSpec
    void forksGoOnByThemselves(Device device) {
        try (Scope s = device.open()) {
            MultiHeadAttention attention = attention(s, DType.F32, null).causal();
            Norm norm = new LayerNorm(s.ones(20), null, 1e-5);
            FeedForward mlp = FeedForward.of(Linear.of(draw(s, DType.F32, 8, 20)), Linear.of(draw(s, DType.F32, 20, 8)),
                    Activation.GELU);
            Embedding tokens = new Embedding(draw(s, DType.F32, 11, 20));
            Decoder decoder = new Decoder(tokens, null, List.of(new DecoderBlock(norm, attention, norm, mlp)), norm,
                    tokens.head());
            DecoderCache cache = decoder.cache(s, 2, 8);
            decoder.apply(s.tensor(new long[] {1, 2, 3, 4, 5, 6}, 2, 3), cache);
            DecoderCache fork = cache.fork();
            DecoderCache swapped = cache.select(1, 0, 1);
            Tensor a = decoder.apply(s.tensor(new long[] {7, 8}, 2, 1), cache);
            decoder.apply(s.tensor(new long[] {9, 9}, 2, 1), fork);
            Tensor b = decoder.apply(s.tensor(new long[] {8, 7, 8}, 3, 1), swapped);
            close("selected", rows(a.select(0, 0)), b.select(0, 1), 1e-6);
            close("selected", rows(a.select(0, 1)), b.select(0, 2), 1e-6);
            fork.truncate(0, 3);
            fork.truncate(1, 3);
            close("truncated", rows(a), decoder.apply(s.tensor(new long[] {7, 8}, 2, 1), fork), 1e-6);
            assertArrayEquals(new long[] {4, 4}, cache.lengths());
            cache.reset();
            assertArrayEquals(new long[] {0, 0}, cache.lengths());
            assertEquals(1, decoder.blocks().size());
            assertEquals(cache.block(0).bytes(), cache.bytes());
        }
    }

    private Decoder decoder(Scope s) {
        RopeTables rope = Rope.of(RopeLayout.INTERLEAVED, 8).tables(s, DType.F32, 16);
        Norm norm = new RmsNorm(s.ones(20), 1e-5);
        Linear up = Linear.of(draw(s, DType.F32, 30, 20).mul(0.2));
        FeedForward mlp = FeedForward.gated(up, Linear.of(draw(s, DType.F32, 30, 20).mul(0.2)),
                Linear.of(draw(s, DType.F32, 20, 30).mul(0.2)), Activation.SILU);
        DecoderBlock block = new DecoderBlock(norm, attention(s, DType.F32, rope).causal(), norm, mlp);
        Embedding tokens = new Embedding(draw(s, DType.F32, 11, 20));
        return new Decoder(tokens, null, List.of(block, block, block), norm, tokens.head());
    }

    @DeviceSpec
    void threadsShareWeights(Device device) throws Exception {
        try (Scope s = device.open(); ExecutorService pool = Executors.newFixedThreadPool(4)) {
            Decoder decoder = decoder(s);
            long[] ids = {3, 1, 4, 1, 5, 9, 2, 6};
            float[] alone = decoder.apply(s.tensor(ids, 1, 8)).toFloatArray();
            List<Future<float[]>> all = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                all.add(pool.submit(() -> {
                    try (Scope own = device.open(); DecoderCache cache = decoder.cache(own, 1, 8)) {
                        float[] last = null;
                        for (long id : ids) {
                            last = decoder.apply(own.full(DType.I64, id, 1, 1), cache).toFloatArray();
                        }
                        return last;
                    }
                }));
            }
            for (Future<float[]> f : all) {
                assertArrayEquals(Arrays.copyOfRange(alone, 77, 88), f.get(), 1e-5f);
            }
        }
    }

    @DeviceSpec
    void blocksCanBeRecorded(Device device) {
        try (Scope s = device.open()) {
            DecoderBlock block = decoder(s).blocks().getFirst();
            Tensor first = draw(s, DType.F32, 1, 6, 20);
            Tensor second = draw(s, DType.F32, 1, 6, 20);
            try (Recording r = Recording.of(s, in -> new Tensor[] {block.apply(in[0])}, first)) {
                assertArrayEquals(block.apply(second).toFloatArray(), r.run(second)[0].toFloatArray());
                assertArrayEquals(block.apply(first).toFloatArray(), r.run(first)[0].toFloatArray());
            }
        }
    }
}
