package dev.gramian.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.Op;
import dev.gramian.spec.DeviceSpec;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Rotary embedding against loops in F64 and against NumPy's numbers. */
class RopeTest {
    private static final long SEED = Seed.VALUE;

    private static final double[] SHORT = new double[24];
    private static final double[] LONG = new double[24];

    static {
        Arrays.setAll(SHORT, i -> 1 + 0.05 * i);
        Arrays.setAll(LONG, i -> 1 + 0.75 * i);
    }

    private static final Map<String, RopeScaling> SCALINGS = new LinkedHashMap<>();

    static {
        RopeScaling longrope = new RopeScaling.LongRope(SHORT, LONG, 32, 4096, null);
        SCALINGS.put("none", new RopeScaling.None());
        SCALINGS.put("linear", new RopeScaling.Linear(4));
        SCALINGS.put("ntk", new RopeScaling.Ntk(4));
        SCALINGS.put("dynamic within", new RopeScaling.DynamicNtk(2, 32));
        SCALINGS.put("dynamic beyond", new RopeScaling.DynamicNtk(2, 32));
        SCALINGS.put("yarn", new RopeScaling.Yarn(4, 32768));
        SCALINGS.put("yarn short", new RopeScaling.Yarn(16, 512));
        SCALINGS.put("llama3", new RopeScaling.Llama3());
        SCALINGS.put("longrope short", longrope);
        SCALINGS.put("longrope long", longrope);
    }

    private static double[] numbers(JsonNode n) {
        double[] d = new double[n.size()];
        Arrays.setAll(d, i -> n.get(i).asDouble());
        return d;
    }

    private static void close(String what, double[] expected, double[] actual, double relative) {
        double limit = relative * Math.max(1e-3, Reference.largest(expected));
        double error = Reference.error(expected, actual);
        assertTrue(error <= limit, () -> what + ": error " + error + " above " + limit + "; seed " + SEED);
    }

    private static double tolerance(DType t) {
        return switch (t) {
            case F64 -> 0x1p-48;
            case F16 -> 0x1p-11 + 0x1p-20;
            case BF16 -> 0x1p-8 + 0x1p-20;
            default -> 0x1p-21;
        };
    }

    /** Row-major x (rows, L, d), position of (row, i) given. */
    private static double[] reference(Rope rope, long tables, double[] x, int rows, int length, long[][] positions) {
        double[] y = x.clone();
        int d = (int) rope.headSize();
        int r = (int) rope.rotary();
        double[] f = rope.frequencies(tables);
        for (int n = 0; n < rows; n++) {
            for (int i = 0; i < length; i++) {
                int at = (n * length + i) * d;
                for (int p = 0; p < r / 2; p++) {
                    int a = at + (rope.layout() == RopeLayout.HALF_SPLIT ? p : 2 * p);
                    int b = rope.layout() == RopeLayout.HALF_SPLIT ? a + r / 2 : a + 1;
                    double angle = positions[n][i] * f[p];
                    double c = Math.cos(angle) * rope.scaling().attentionFactor();
                    double s = Math.sin(angle) * rope.scaling().attentionFactor();
                    y[a] = x[a] * c - x[b] * s;
                    y[b] = x[b] * c + x[a] * s;
                }
            }
        }
        return y;
    }

    @DeviceSpec
    void numpysNumbers(Device device) throws IOException {
        JsonNode all = new ObjectMapper().readTree(RopeTest.class.getResourceAsStream("/golden/rope/rope.json"));
        assertEquals(SCALINGS.size(), all.size());
        for (var e : all.properties()) {
            JsonNode c = e.getValue();
            long r = c.get("rotary").asLong();
            long length = c.get("length").asLong();
            for (RopeLayout layout : RopeLayout.values()) {
                Rope rope = new Rope(layout, r + 5, r, c.get("base").asDouble(), SCALINGS.get(e.getKey()));
                double[] f = rope.frequencies(length);
                double[] stated = numbers(c.get("frequencies"));
                for (int i = 0; i < f.length; i++) {
                    assertEquals(stated[i], f[i], 1e-14 * stated[i], e.getKey() + " pair " + i);
                }
                assertEquals(c.get("factor").asDouble(), rope.scaling().attentionFactor(), 1e-15, e.getKey());
                try (Scope s = device.open()) {
                    for (DType t : new DType[] {DType.F64, DType.F32}) {
                        Tensor x = s.tensor(numbers(c.get("x")), 2, r + 5).to(t);
                        Tensor at = s
                                .tensor(Arrays.stream(numbers(c.get("positions"))).mapToLong(v -> (long) v).toArray());
                        Tensor y = rope.tables(s, t, length).apply(x, at);
                        close(e.getKey() + " " + layout + " " + t, numbers(c.get(layout.name())), y.toDoubleArray(),
                                t == DType.F64 ? 1e-12 : tolerance(t));
                    }
                }
            }
        }
    }

    @DeviceSpec
    void agreesWithLoopsInF64(Device device) {
        Random r = new Random(SEED);
        DType[] types = {DType.F32, DType.F64, DType.F16, DType.BF16};
        for (int n = 0; n < 80; n++) {
            int b = 1 + r.nextInt(3);
            int h = 1 + r.nextInt(3);
            int l = r.nextInt(7);
            int d = 1 + r.nextInt(40);
            int rotary = 2 * r.nextInt(d / 2 + 1);
            DType t = types[n % types.length];
            RopeScaling[] some = {
                new RopeScaling.None(), new RopeScaling.Linear(3), new RopeScaling.Ntk(5),
                new RopeScaling.DynamicNtk(2, 10), new RopeScaling.Yarn(4, 64), new RopeScaling.Llama3(8, 1, 4, 16),
            };
            Rope rope = new Rope(RopeLayout.values()[r.nextInt(2)], d, rotary, 100 + r.nextInt(10000),
                    some[r.nextInt(some.length)]);
            int tables = 20 + r.nextInt(20);
            try (Scope s = device.open()) {
                RopeTables of = rope.tables(s, t, tables);
                assertEquals(rope.bytes(t, tables), s.liveBytes());
                long seed = r.nextLong();
                Tensor x = switch (r.nextInt(5)) {
                    case 0 -> s.normal(t, seed, b, l, h, d).transpose(1, 2);
                    case 1 -> s.normal(t, seed, b, h, l, d).flip(-2);
                    case 2 -> s.normal(t, seed, b, h, l, 2 * d).slice(-1, Long.MAX_VALUE, Long.MIN_VALUE, -2);
                    case 3 -> s.normal(t, seed, b, h, d, l).transpose(-2, -1);
                    default -> s.normal(t, seed, b, 1, l, d).expand(b, h, l, d);
                };
                long[] starts = r.longs(b, 0, tables - 6).toArray();
                long[][] at = new long[b * h][l];
                Tensor y;
                int how = r.nextInt(4);
                long[] ids = r.longs((long) b * l, 0, tables).toArray();
                y = switch (how) {
                    case 0 -> of.apply(x, starts[0]);
                    case 1 -> of.apply(x, starts);
                    case 2 -> of.apply(x, s.tensor(ids, b, l));
                    default -> of.apply(x, s.tensor(ids, b, l).select(0, 0).to(DType.I32));
                };
                for (int row = 0; row < b * h; row++) {
                    for (int i = 0; i < l; i++) {
                        at[row][i] = switch (how) {
                            case 0 -> starts[0] + i;
                            case 1 -> starts[row / h] + i;
                            case 2 -> ids[row / h * l + i];
                            default -> ids[i];
                        };
                    }
                }
                assertEquals(x.shape(), y.shape());
                assertEquals(t, y.dtype());
                double[] expected = reference(rope, tables, x.toDoubleArray(), b * h, l, at);
                close(rope + " " + t + " " + x.layout() + " case " + how, expected, y.toDoubleArray(), tolerance(t));
            }
        }
    }

    /** The same by slices, products and sums: what the one operation must equal to the last bit. */
    static Tensor composed(Tensor x, Tensor cos, Tensor sin, boolean interleaved) {
        long r = 2 * cos.dim(-1);
        Tensor w = x.to(cos.dtype());
        Tensor a = interleaved ? w.slice(-1, 0, r, 2) : w.slice(-1, 0, r / 2);
        Tensor b = interleaved ? w.slice(-1, 1, r, 2) : w.slice(-1, r / 2, r);
        Tensor u = a.mul(cos).sub(b.mul(sin));
        Tensor v = b.mul(cos).add(a.mul(sin));
        Tensor y = interleaved
                ? Join.stack(-1, u, v).reshape(x.shape().with(x.rank() - 1, r).toArray())
                : Join.concat(-1, u, v);
        return Join.concat(-1, y, w.slice(-1, r, Long.MAX_VALUE)).to(x.dtype());
    }

    @DeviceSpec
    void equalsTheComposedFormToTheBit(Device device) {
        Random r = new Random(SEED);
        for (int n = 0; n < 60; n++) {
            DType t = new DType[] {DType.F32, DType.F64, DType.F16, DType.BF16}[n % 4];
            int pairs = r.nextInt(45);
            int d = 2 * pairs + r.nextInt(4);
            boolean interleaved = r.nextBoolean();
            try (Scope s = device.open()) {
                Tensor x = s.normal(t, r.nextLong(), 2, 3, 5, d);
                if (d > 3) {
                    // what is not finite in one pair stays in it
                    x = Join.concat(-1, s.full(t, Double.NaN, 2, 3, 5, 1), s.full(t, -1e38, 2, 3, 5, 1),
                            s.full(t, Double.POSITIVE_INFINITY, 2, 3, 5, 1), x.slice(-1, 3, d));
                }
                x = r.nextBoolean() ? x.flip(-1).transpose(1, 2) : x;
                long seed = r.nextLong();
                DType c = t.compute();
                Tensor cos = switch (r.nextInt(3)) {
                    case 0 -> s.normal(c, seed, x.dim(-2), pairs);
                    case 1 -> s.normal(c, seed, 2, 1, 1, 2 * pairs).slice(-1, 0, 2 * pairs, 2);
                    default -> s.normal(c, seed, 1).expand(pairs);
                };
                Tensor sin = cos.mul(0.7);
                Tensor y = s.run(new Op.Rotate(interleaved), x, cos, sin);
                Tensor expected = composed(x, cos, sin, interleaved);
                assertArrayEquals(expected.toDoubleArray(), y.toDoubleArray(), t + " " + x.layout() + ", seed " + SEED);
            }
        }
    }

    @DeviceSpec
    void innerProductsDependOnDistanceAlone(Device device) {
        for (RopeLayout layout : RopeLayout.values()) {
            try (Scope s = device.open()) {
                RopeTables tables = Rope.of(layout, 10).rotary(8).scaling(new RopeScaling.Yarn(4, 1024))
                        .tables(s, DType.F64, 5000);
                Tensor q = s.normal(DType.F64, 1, 1, 10);
                Tensor k = s.normal(DType.F64, 2, 1, 10);
                for (long distance : new long[] {0, 1, 17, 900}) {
                    double first = tables.apply(q, distance).mul(tables.apply(k, 0)).sum().item();
                    for (long at : new long[] {1, 100, 4000}) {
                        double here = tables.apply(q, at + distance).mul(tables.apply(k, at)).sum().item();
                        assertEquals(first, here, 1e-11, layout + " distance " + distance + " at " + at);
                    }
                    double other = tables.apply(q, distance + 1).mul(tables.apply(k, 0)).sum().item();
                    assertTrue(Math.abs(first - other) > 1e-6, "the distance must matter");
                }
            }
        }
    }

    @DeviceSpec
    void converterTurnsOneLayoutIntoTheOther(Device device) {
        try (Scope s = device.open()) {
            int heads = 3;
            int keyHeads = 1;
            int d = 10;
            Rope half = Rope.of(RopeLayout.HALF_SPLIT, d).rotary(6);
            Rope inter = Rope.of(RopeLayout.INTERLEAVED, d).rotary(6);
            Tensor x = s.normal(DType.F64, 1, 5, 7);
            Tensor wq = s.normal(DType.F64, 2, heads * d, 7);
            Tensor wk = s.normal(DType.F64, 3, keyHeads * d, 7);
            Tensor bias = s.normal(DType.F64, 4, heads * d);
            double[] expected = scores(s, inter, x, wq, wk, bias);
            double[] wrong = scores(s, half, x, wq, wk, bias);
            double[] converted = scores(s, half, x,
                    half.convert(wq, heads, RopeLayout.INTERLEAVED),
                    half.convert(wk, keyHeads, RopeLayout.INTERLEAVED),
                    half.convert(bias, heads, RopeLayout.INTERLEAVED));
            close("converted", expected, converted, 1e-13);
            assertTrue(Reference.error(expected, wrong) > 1e-3, "without conversion the scores must differ");
            Tensor there = half.convert(wq, heads, RopeLayout.INTERLEAVED);
            assertArrayEquals(wq.toDoubleArray(), inter.convert(there, heads, RopeLayout.HALF_SPLIT).toDoubleArray());
            assertSame(wq, half.convert(wq, heads, RopeLayout.HALF_SPLIT));
            assertArrayEquals(
                    new double[] {0, 2, 4, 1, 3, 5, 6, 7, 8, 9},
                    half.convert(s.arange(DType.F64, 10), 1, RopeLayout.INTERLEAVED).toDoubleArray());
        }
    }

    private static double[] scores(Scope s, Rope rope, Tensor x, Tensor wq, Tensor wk, Tensor bias) {
        long d = rope.headSize();
        RopeTables tables = rope.tables(s, x.dtype(), 20);
        Tensor q = x.matmul(wq.transpose(0, 1)).add(bias).reshape(5, -1, d).transpose(0, 1);
        Tensor k = x.matmul(wk.transpose(0, 1)).reshape(5, -1, d).transpose(0, 1);
        return tables.apply(q, 3).matmul(tables.apply(k, 3).transpose(-2, -1)).toDoubleArray();
    }

    @DeviceSpec
    void positionsFarAwayKeepTheirAngles(Device device) {
        try (Scope s = device.open()) {
            Rope rope = Rope.of(RopeLayout.HALF_SPLIT, 4);
            int length = 200_001;
            RopeTables tables = rope.tables(s, DType.BF16, length);
            assertEquals(DType.F32, tables.cos().dtype());
            double[] f = rope.frequencies(length);
            for (int p : new int[] {257, 65_537, 200_000}) {
                assertEquals(Math.cos(p * f[0]), tables.cos().get(p, 0), 1e-7);
                assertEquals(Math.sin(p * f[1]), tables.sin().get(p, 1), 1e-7);
            }
        }
    }

    private static void fails(String text, Runnable r) {
        assertEquals(text, assertThrows(GramianException.class, r::run).getMessage());
    }

    @Test
    void configurationErrors() {
        fails("rope: no layout is named; head size 8; HALF_SPLIT for Hugging Face's files, INTERLEAVED for Meta's and GGUF",
                () -> Rope.of(null, 8));
        fails("rope: 7 channels cannot rotate; head size 8; give an even number of at most the head size",
                () -> Rope.of(RopeLayout.HALF_SPLIT, 8).rotary(7));
        fails("rope: 10 channels cannot rotate; head size 8; give an even number of at most the head size",
                () -> Rope.of(RopeLayout.HALF_SPLIT, 8).rotary(10));
        fails("rope: base is 1.0; frequencies are its negative powers; it must be above 1 and finite",
                () -> Rope.of(RopeLayout.HALF_SPLIT, 8).base(1));
        fails("rope: linear factor is 0.5; it stretches lengths; it must be 1 or more and finite",
                () -> new RopeScaling.Linear(0.5));
        fails("rope: NTK factor is NaN; it stretches lengths; it must be 1 or more and finite",
                () -> new RopeScaling.Ntk(Double.NaN));
        fails("rope: dynamic NTK's old length is 0; it is the number of positions in training; give 2 or more",
                () -> new RopeScaling.DynamicNtk(2, 0));
        fails("rope: YaRN's turns are out of order; betaFast 1.0, betaSlow 32.0; betaFast must exceed betaSlow, and both 0; "
                + "32 and 1 are usual", () -> new RopeScaling.Yarn(2, 64, 1, 32, null));
        fails("rope: YaRN's attention factor is -1.0; it multiplies cos and sin; it must be above 0 and finite, null for "
                + "the usual", () -> new RopeScaling.Yarn(2, 64, 32, 1, -1.0));
        fails("rope: Llama 3's bands are out of order; low 4.0, high 1.0; high must exceed low, and both 0; 1 and 4 are usual",
                () -> new RopeScaling.Llama3(8, 4, 1, 8192));
        fails("rope: a longrope factor is 0.0; 1 factors; each must be above 0 and finite",
                () -> new RopeScaling.LongRope(new double[] {1}, new double[] {0}, 2, 64, null));
        fails("rope: longrope has 24 short factors; rotary size 64 has 32 pairs; give one factor per pair",
                () -> Rope.of(RopeLayout.HALF_SPLIT, 64).scaling(SCALINGS.get("longrope short")).frequencies(5));
    }

    @DeviceSpec
    void operationErrors(Device device) {
        try (Scope s = device.open()) {
            Op rotate = new Op.Rotate(false);
            fails("rotate: cos and sin do not fit; x [5, 4], cos [5, 3], sin [5, 3]; give (..., pairs), at most half as many "
                    + "as channels", () -> s.run(rotate, s.zeros(5, 4), s.zeros(5, 3), s.zeros(5, 3)));
            fails("rotate: cos and sin do not fit; x [5, 4], cos [2, 2], sin [2, 2]; give (..., pairs), at most half as many "
                    + "as channels", () -> s.run(rotate, s.zeros(5, 4), s.zeros(2, 2), s.zeros(2, 2)));
            fails("rotate: cos is F64, sin F32; x F32 [5, 4]; cast them with .to(DType.F32)",
                    () -> s.run(rotate, s.zeros(5, 4), s.zeros(DType.F64, 5, 2), s.zeros(5, 2)));
        }
    }

    @DeviceSpec
    void callErrors(Device device) {
        try (Scope s = device.open()) {
            Rope rope = Rope.of(RopeLayout.INTERLEAVED, 4);
            RopeTables t = rope.tables(s, DType.F32, 6);
            Tensor x = s.zeros(2, 3, 5, 4);
            fails("rope: I64 does not rotate; length 6; use a float type", () -> rope.tables(s, DType.I64, 6));
            fails("rope: length is negative; -1 positions; give 0 or more", () -> rope.tables(s, DType.F32, -1));
            fails("rope: x does not end in (length, channels); x [2, 3, 5, 6], head size 4; split the heads first: "
                    + "(..., heads, length, 4)", () -> t.apply(s.zeros(2, 3, 5, 6), 0));
            fails("rope: tables do not fit the element type; x F64 [5, 4], tables F32; make them with "
                    + "rope.tables(scope, DType.F64, length)", () -> t.apply(s.zeros(DType.F64, 5, 4), 0));
            fails("rope: positions 2 to 6 are out of range; tables cover 6 from 0 on; make tables of at least 7",
                    () -> t.apply(x, 2));
            fails("rope: positions -1 to 3 are out of range; tables cover 6 from 0 on; positions start at 0",
                    () -> t.apply(x, -1));
            fails("rope: 3 starts; x [2, 3, 5, 4] has batch 2; give one per sequence of (..., batch, heads, length, channels)",
                    () -> t.apply(x, 0, 1, 2));
            fails("rope: 2 starts; x [3, 5, 4] has no batch axis; give one per sequence of "
                    + "(..., batch, heads, length, channels)", () -> t.apply(s.zeros(3, 5, 4), 0, 1));
            fails("rope: positions are F32; positions [5], x [2, 3, 5, 4]; they must be I64 or I32",
                    () -> t.apply(x, s.zeros(5)));
            fails("rope: positions do not fit; positions [3, 5], x [2, 3, 5, 4] (..., heads, length, channels); "
                    + "give (length) or (..., length) without heads", () -> t.apply(x, s.zeros(DType.I64, 3, 5)));
            fails("rope: positions 0 to 6 are out of range; tables cover 6 from 0 on; make tables of at least 7",
                    () -> t.apply(x, s.tensor(new long[] {0, 1, 6, 2, 3})));
            fails("rope: positions -2 to 3 are out of range; tables cover 6 from 0 on; positions start at 0",
                    () -> t.apply(x, s.tensor(new long[] {0, 1, -2, 2, 3})));
            fails("rope: weight does not divide into heads; weight [12, 7], 2 heads of size 4; its first axis must be "
                    + "their product, 3 heads would fit", () -> rope.convert(s.zeros(12, 7), 2, RopeLayout.HALF_SPLIT));
        }
    }
}
