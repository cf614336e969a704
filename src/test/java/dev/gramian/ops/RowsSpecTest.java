package dev.gramian.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.gramian.Device;
import dev.gramian.Norms;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.Band;
import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Op.AttentionWeights.Extra;
import dev.gramian.core.Shape;
import dev.gramian.ops.Laid.Lie;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/** Softmax, attention weights and norms of every type, layout and length of row against their definitions in F64. */
final class RowsSpecTest {
    private static final long SEED = Seed.VALUE;
    private static final double INF = Double.POSITIVE_INFINITY;
    private static final DType[] FLOATS = {DType.F64, DType.F32, DType.F16, DType.BF16};

    private static Laid.Source numbers(DoubleSupplier v) {
        return t -> Laid.bits(t, v.getAsDouble());
    }

    private static Lie lie(Random r) {
        return Lie.values()[r.nextInt(Lie.values().length)];
    }

    private static String seed(String what) {
        return what + ", replay with -Dgramian.seed=" + SEED;
    }

    private static double eps(DType t) {
        return switch (t) {
            case F64 -> 0x1p-53;
            case F32 -> 0x1p-24;
            case F16 -> 0x1p-11;
            default -> 0x1p-8;
        };
    }

    private static double[] reals(Tensor t) {
        return Arrays.stream(Laid.read(t)).mapToDouble(b -> Laid.real(t.dtype(), b)).toArray();
    }

    private static double[] reals(Laid x) {
        double[] v = new double[x.bits().length];
        Arrays.setAll(v, x::real);
        return v;
    }

    // ---- softmax -----------------------------------------------------------------------------------------------------

    /** {@code spread}: how large the elements are. */
    private static void softmax(Laid x, int axis, boolean log, double spread) {
        DType t = x.tensor().dtype();
        Tensor y = log ? x.tensor().logSoftmax(axis) : x.tensor().softmax(axis);
        Shape shape = x.tensor().shape();
        assertEquals(shape, y.shape());
        assertEquals(t, y.dtype());
        double[] got = reals(y);
        double[] in = reals(x);
        int n = (int) shape.at(axis);
        int inner = (int) shape.slice(axis + 1, shape.rank()).size();
        for (int row = 0; row < got.length / Math.max(1, n); row++) {
            int first = row / inner * inner * n + row % inner;
            double top = -INF;
            for (int j = 0; j < n; j++) {
                top = Math.max(top, in[first + j * inner]);
            }
            double[] e = new double[n];
            for (int j = 0; j < n; j++) {
                e[j] = Math.exp(in[first + j * inner] - top);
            }
            double sum = Near.sum(e);
            for (int j = 0; j < n; j++) {
                int at = first + j * inner;
                double want = log ? in[at] - top - Math.log(sum) : Math.exp(in[at] - top) / sum;
                Supplier<String> where = () -> seed((log ? "logSoftmax " : "softmax ") + t + " " + x.tensor().layout()
                        + " along " + axis + " [" + at + "]");
                close(t, n, want, got[at], spread, log ? 16 : 0, where);
            }
        }
    }

    /** Relative to the value, and {@code absolute} units of the type that is computed in. */
    private static void close(DType t, int n, double want, double is, double spread, double absolute,
            Supplier<String> where) {
        double compute = t == DType.F64 ? 0x1p-53 : 0x1p-24;
        // F64 is added in itself, one by one in places
        double adding = t == DType.F64 ? n / 4.0 : 0;
        double slack = compute * ((6 + 8 * spread + adding) * Math.abs(want) + absolute)
                + (t == DType.F64 ? 1e-320 : 0x1p-132);
        Near.within(t, want, is, slack, where);
    }

    @DeviceSpec
    void softmaxAlongEveryAxis(Device device) {
        Random r = new Random(SEED);
        long[][] shapes = {{1}, {40}, {5, 7, 33}, {1, 1, 1}, {0, 2, 3}, {2, 0, 3}, {3, 2, 130}, {70, 3, 4}};
        for (DType t : FLOATS) {
            for (Lie lie : Lie.values()) {
                for (long[] shape : shapes) {
                    try (Scope s = device.open()) {
                        double spread = new double[] {1, 30, 1000}[r.nextInt(3)];
                        Laid x = Laid.of(s, numbers(() -> r.nextGaussian() * spread), t, lie, shape);
                        for (int axis = 0; axis < shape.length; axis++) {
                            softmax(x, axis, r.nextBoolean(), spread);
                        }
                    }
                }
            }
        }
    }

    /** Row lengths around which more threads share a row, up to those that no block holds. */
    @DeviceSpec
    void softmaxOfEveryLength(Device device) {
        Random r = new Random(SEED + 1);
        int[] lengths = {1, 2, 3, 31, 32, 33, 64, 127, 129, 255, 512, 513, 1023, 1024, 1025, 4099, 8193, 16_384,
            16_385};
        for (DType t : FLOATS) {
            for (int n : lengths) {
                try (Scope s = device.open()) {
                    boolean many = n < 1000;
                    Lie lie = r.nextBoolean() ? Lie.CONTIGUOUS : Lie.OFFSET;
                    Laid x = Laid.of(s, numbers(r::nextGaussian), t, lie, many ? 41 : 2, n);
                    softmax(x, 1, r.nextBoolean(), 4);
                }
            }
        }
    }

    @DeviceSpec
    void softmaxOfLongRows(Device device) {
        Random r = new Random(SEED + 2);
        for (DType t : FLOATS) {
            for (boolean log : new boolean[] {false, true}) {
                try (Scope s = device.open()) {
                    int wide = 16 / t.bytes() * 8192;
                    softmax(Laid.of(s, numbers(r::nextGaussian), t, Lie.CONTIGUOUS, 1, wide + 8), 1, log, 5);
                    softmax(Laid.of(s, numbers(r::nextGaussian), t, Lie.SKIPPING, 3, 16_387), 1, log, 5);
                    softmax(Laid.of(s, numbers(r::nextGaussian), t, Lie.CONTIGUOUS, 2049, 9), 0, log, 5);
                }
            }
        }
    }

    /** Columns that several threads share. */
    @DeviceSpec
    void softmaxOfColumns(Device device) {
        Random r = new Random(SEED + 3);
        for (DType t : FLOATS) {
            for (int n : new int[] {1, 4, 5, 16, 17, 32, 33, 128, 129, 700, 2048}) {
                try (Scope s = device.open()) {
                    softmax(Laid.of(s, numbers(r::nextGaussian), t, lie(r), n, n > 100 ? 5 : 33), 0, r.nextBoolean(),
                            4);
                }
            }
        }
    }

    @DeviceSpec
    void softmaxOfSpecialValues(Device device) {
        double[][] rows = {
            {-INF, -INF, -INF}, {1, INF, 2}, {1, Double.NaN, 2}, {-INF, 3, -INF}, {60000, 60000, -60000},
            {1e-5, 0, -0.0},
        };
        for (DType t : FLOATS) {
            for (double[] row : rows) {
                for (int n : new int[] {3, 100, 1025, t == DType.F32 ? 16_386 : 64}) {
                    try (Scope s = device.open()) {
                        int[] at = {0};
                        Laid x = Laid.of(s, numbers(() -> row[at[0]++ % 3]), t, Lie.CONTIGUOUS, 2, n);
                        softmax(x, 1, false, 1);
                        softmax(x, 1, true, 1);
                        softmax(new Laid(x.tensor().reshape(1, 2 * n, 1).expand(1, 2 * n, 1), x.bits()), 1, false, 1);
                    }
                }
            }
        }
    }

    // ---- norms -------------------------------------------------------------------------------------------------------

    private static void norm(Scope s, Random r, DType t, Lie lie, boolean center, boolean weight, boolean bias,
            int axes,
            long... shape) {
        double mean = r.nextBoolean() ? 0 : 3;
        Laid x = Laid.of(s, numbers(() -> mean + r.nextGaussian()), t, lie, shape);
        long[] tail = Arrays.copyOfRange(shape, shape.length - axes, shape.length);
        Laid w = weight ? Laid.of(s, numbers(r::nextGaussian), t, lie(r), tail) : null;
        Laid b = bias ? Laid.of(s, numbers(r::nextGaussian), t, lie(r), tail) : null;
        norm(s, x, w, b, center, axes);
    }

    private static void norm(Scope s, Laid x, Laid w, Laid b, boolean center, int axes) {
        DType t = x.tensor().dtype();
        Shape shape = x.tensor().shape();
        double eps = 1e-5;
        List<Tensor> in = new ArrayList<>(List.of(x.tensor()));
        if (w != null) {
            in.add(w.tensor());
        }
        if (b != null) {
            in.add(b.tensor());
        }
        Op op = new Op.Normalize(center, axes, eps, w != null, b != null);
        Tensor y = s.run(op, in.toArray(Tensor[]::new));
        assertEquals(shape, y.shape());
        assertEquals(t, y.dtype());
        double[] v = reals(x);
        double[] got = reals(y);
        int n = (int) shape.slice(shape.rank() - axes, shape.rank()).size();
        double compute = t == DType.F64 ? 0x1p-53 : 0x1p-24;
        for (int row = 0; row < v.length; row += n) {
            double mean = center ? Near.sum(Arrays.copyOfRange(v, row, row + n)) / n : 0;
            double squares = Near.sum(Arrays.stream(v, row, row + n).map(e -> (e - mean) * (e - mean)).toArray());
            double scale = 1 / Math.sqrt(squares / n + eps);
            for (int j = 0; j < n; j++) {
                double weight = w == null ? 1 : w.real(j);
                double scaled = (v[row + j] - mean) * scale * weight;
                double want = scaled + (b == null ? 0 : b.real(j));
                // a constant row: the mean's own rounding over sqrt(eps)
                double slack = compute * 16 * (Math.abs(scaled) + Math.abs(want))
                        + 16 * 0x1p-52 * (1 + Math.abs(mean)) * scale * Math.abs(weight);
                int at = row + j;
                Near.within(t, want, got[at], slack,
                        () -> seed(op + " " + t + " " + x.tensor().layout() + " [" + at + "]"));
            }
        }
    }

    @DeviceSpec
    void normsOfEveryTypeAndLayout(Device device) {
        Random r = new Random(SEED + 4);
        for (DType t : FLOATS) {
            for (Lie lie : Lie.values()) {
                for (long[] shape : new long[][] {{5, 7, 33}, {1, 1, 1}, {2, 3, 16}, {0, 2, 3}, {2, 4, 130}}) {
                    try (Scope s = device.open()) {
                        norm(s, r, t, lie, r.nextBoolean(), r.nextBoolean(), r.nextBoolean(), 1 + r.nextInt(2), shape);
                    }
                }
            }
        }
    }

    @DeviceSpec
    void normsOfEveryLength(Device device) {
        Random r = new Random(SEED + 5);
        int[] lengths = {1, 2, 3, 31, 33, 64, 127, 129, 512, 513, 1023, 1024, 1025, 4099, 8193, 16_384, 16_385};
        for (DType t : FLOATS) {
            for (int n : lengths) {
                try (Scope s = device.open()) {
                    norm(s, r, t, r.nextBoolean() ? Lie.CONTIGUOUS : Lie.OFFSET, r.nextBoolean(), true, r.nextBoolean(),
                            1, n < 1000 ? 37 : 2, n);
                }
            }
        }
    }

    @DeviceSpec
    void normsOfLongRows(Device device) {
        Random r = new Random(SEED + 6);
        for (DType t : FLOATS) {
            for (boolean center : new boolean[] {false, true}) {
                try (Scope s = device.open()) {
                    norm(s, r, t, Lie.CONTIGUOUS, center, true, true, 1, 1, 16 / t.bytes() * 8192 + 8);
                    norm(s, r, t, Lie.SKIPPING, center, false, true, 2, 2, 129, 131);
                }
            }
        }
    }

    @DeviceSpec
    void normsOfSpecialValues(Device device) {
        for (DType t : FLOATS) {
            for (int n : new int[] {5, 1025, t == DType.F32 ? 33_000 : 64}) {
                try (Scope s = device.open()) {
                    for (double bad : new double[] {Double.NaN, INF, -INF}) {
                        double[] v = new double[2 * n];
                        Arrays.fill(v, 2);
                        v[n / 2] = bad;
                        Tensor x = s.tensor(v, 2, n).to(t);
                        double[] center = reals(Norms.layerNorm(x, 1e-5));
                        double[] root = reals(Norms.rmsNorm(x, 1e-5));
                        for (int j = 0; j < n; j++) {
                            assertEquals(Double.NaN, center[j], "layerNorm of a row with " + bad);
                            // a finite value over an infinite root is zero
                            double rest = bad != bad || j == n / 2 ? Double.NaN : 0;
                            assertEquals(rest, root[j], "rmsNorm of a row with " + bad + " [" + j + "]");
                            assertEquals(0, center[n + j], 1e-2);
                            assertEquals(1, root[n + j], 1e-2);
                        }
                    }
                }
            }
        }
    }

    // ---- attention weights -------------------------------------------------------------------------------------------

    /** Operands beside the scores; missing ones are not in the map. */
    private record Attention(Laid scores, Map<Extra, Laid> extras, double scale, double softcap, Band band,
            long center) {
        Op.AttentionWeights op() {
            return new Op.AttentionWeights(scale, softcap, band, center, extras.keySet());
        }

        /** Of an operand that is broadcast to {@code shape}; {@code none} where there is no such operand. */
        double at(Extra e, Shape shape, long[] c, double none) {
            Laid x = extras.get(e);
            if (x == null) {
                return none;
            }
            Shape own = x.tensor().shape();
            int lead = shape.rank() - own.rank();
            int p = 0;
            for (int a = 0; a < own.rank(); a++) {
                p = (int) (p * own.at(a) + (own.at(a) == 1 ? 0 : c[a + lead]));
            }
            return x.real(p);
        }
    }

    /** By the definition, one position at a time; what is masked is never read. */
    private static void attend(Scope s, Attention a) {
        List<Tensor> in = new ArrayList<>(List.of(a.scores.tensor()));
        a.extras.values().forEach(x -> in.add(x.tensor()));
        Op.AttentionWeights op = a.op();
        Tensor[] out = s.runAll(op, in.toArray(Tensor[]::new));
        double[] weights = reals(out[0]);
        double[] lse = reals(out[1]);
        DType t = a.scores.tensor().dtype();
        Shape shape = a.scores.tensor().shape();
        Shape lead = shape.slice(0, shape.rank() - 2);
        int queries = (int) shape.dim(-2);
        int keys = (int) shape.dim(-1);
        double eps = eps(t);
        double[] z = new double[keys];
        for (int row = 0; row < lse.length; row++) {
            long[] c = Arrays.copyOf(coordinates(shape.slice(0, shape.rank() - 1), row), shape.rank());
            long[] head = Arrays.copyOf(c, lead.rank());
            double i = row % queries + a.at(Extra.SHIFTS, lead, head, 0);
            double length = a.at(Extra.LENGTHS, lead, head, INF);
            double slope = a.at(Extra.SLOPES, lead, head, 0);
            double sink = a.at(Extra.SINKS, lead, head, -INF);
            double top = sink;
            double size = 1;
            for (int j = 0; j < keys; j++) {
                c[shape.rank() - 1] = j;
                boolean allowed = a.at(Extra.MASK, shape, c, 1) != 0 && j < length
                        && (a.band.last() == Long.MAX_VALUE || j <= i + (double) a.band.last())
                        && (a.band.first() == Long.MIN_VALUE || j >= i + (double) a.band.first());
                z[j] = -INF;
                if (allowed) {
                    double score = a.scores.real(row * keys + j) * a.scale;
                    double bias = a.at(Extra.BIAS, shape, c, 0) - slope * Math.abs(i + a.center - j);
                    double big = Math.abs(score) + Math.abs(bias);
                    size = Double.isFinite(big) ? Math.max(size, big) : size;
                    z[j] = (a.softcap > 0 ? a.softcap * Math.tanh(score / a.softcap) : score) + bias;
                    top = Math.max(top, z[j]);
                }
            }
            double[] e = new double[keys + 1];
            e[keys] = sink == -INF ? 0 : Math.exp(sink - top);
            for (int j = 0; j < keys; j++) {
                e[j] = z[j] == -INF ? 0 : Math.exp(z[j] - top);
            }
            double sum = Near.sum(e);
            int at = row;
            Supplier<String> where = () -> seed(op + " " + t + " " + a.scores.tensor().layout() + " row " + at);
            double all = Double.isInfinite(top) ? top : top + Math.log(sum);
            Near.within(t, all, lse[row], eps * 12 * size, () -> where.get() + " lse");
            for (int j = 0; j < keys; j++) {
                double w = z[j] == -INF ? 0 : Math.exp(z[j] - top) / sum;
                int key = j;
                Near.within(t, w, weights[row * keys + j], w * eps * (8 + 10 * size) + (t == DType.F64 ? 0 : 0x1p-132),
                        () -> where.get() + " key " + key);
            }
        }
    }

    private static long[] coordinates(Shape shape, long position) {
        long[] c = new long[shape.rank()];
        for (int i = c.length - 1; i >= 0; i--) {
            c[i] = position % shape.at(i);
            position /= shape.at(i);
        }
        return c;
    }

    /** Some axes 1, some leading ones missing. */
    private static long[] shorter(Random r, long... shape) {
        long[] d = Arrays.copyOfRange(shape, r.nextInt(shape.length + 1), shape.length);
        for (int i = 0; i < d.length; i++) {
            d[i] = r.nextInt(3) == 0 ? 1 : d[i];
        }
        return d;
    }

    private static Attention drawn(Scope s, Random r, DType t, Lie lie, Set<Extra> extras, double softcap,
            long... shape) {
        long[] lead = Arrays.copyOf(shape, shape.length - 2);
        int keys = (int) shape[shape.length - 1];
        Laid scores = Laid.of(s, numbers(() -> 3 * r.nextGaussian()), t, lie, shape);
        Map<Extra, Laid> operands = new EnumMap<>(Extra.class);
        for (Extra e : extras) {
            Lie how = r.nextBoolean() ? Lie.CONTIGUOUS : lie(r);
            operands.put(e, switch (e) {
                case MASK -> Laid.of(s, d -> r.nextInt(3) > 0 ? 1 : 0, DType.BOOL, how, shorter(r, shape));
                case BIAS -> Laid.of(s, numbers(() -> r.nextInt(9) == 0 ? -INF : r.nextGaussian()), t, how,
                        shorter(r, shape));
                case SLOPES -> Laid.of(s, numbers(() -> 0.1 * r.nextInt(4)), t, how, shorter(r, lead));
                case SINKS -> Laid.of(s, numbers(() -> r.nextInt(4) == 0 ? -INF : r.nextGaussian()), t, how,
                        shorter(r, lead));
                case SHIFTS -> Laid.of(s, d -> r.nextInt(40) - 10, DType.I64, how, shorter(r, lead));
                case LENGTHS -> Laid.of(s, d -> r.nextInt(keys + 2), DType.I64, how, shorter(r, lead));
            });
        }
        Band band = switch (r.nextInt(4)) {
            case 0 -> Band.causal(r.nextInt(keys + 3) - 2);
            case 1 -> new Band(-r.nextInt(keys + 1), r.nextInt(5) - 1);
            default -> Band.OPEN;
        };
        return new Attention(scores, operands, r.nextInt(5) == 0 ? 0 : 0.4, softcap, band, r.nextInt(5) - 2);
    }

    @DeviceSpec
    void attentionInEveryCombination(Device device) {
        Random r = new Random(SEED + 7);
        long[][] shapes = {{2, 3, 5, 37}, {1, 2, 4, 64}, {2, 1, 1, 1}, {3, 7, 40}, {4, 130}, {0, 2, 3}, {2, 3, 0}};
        for (int kinds = 0; kinds < 64; kinds++) {
            Set<Extra> extras = EnumSet.noneOf(Extra.class);
            for (Extra e : Extra.values()) {
                if ((kinds >> e.ordinal() & 1) != 0) {
                    extras.add(e);
                }
            }
            for (int k = 0; k < 3; k++) {
                try (Scope s = device.open()) {
                    DType t = r.nextInt(3) == 0 ? DType.F64 : DType.F32;
                    attend(s, drawn(s, r, t, lie(r), extras, r.nextBoolean() ? 5 : 0,
                            shapes[(kinds + k) % shapes.length]));
                }
            }
        }
    }

    /** Row lengths around which more threads share a row, and those that take two launches. */
    @DeviceSpec
    void attentionOfEveryLength(Device device) {
        Random r = new Random(SEED + 8);
        for (int n : new int[] {1, 3, 31, 33, 128, 256, 257, 1023, 1024, 1025, 2048, 4097, 8192}) {
            for (DType t : new DType[] {DType.F32, DType.F64}) {
                try (Scope s = device.open()) {
                    Set<Extra> extras = r.nextBoolean() ? EnumSet.of(Extra.MASK) : EnumSet.noneOf(Extra.class);
                    Lie lie = r.nextBoolean() ? Lie.CONTIGUOUS : Lie.OFFSET;
                    attend(s, drawn(s, r, t, lie, extras, 0, n < 1000 ? 20 : 2, n));
                }
            }
        }
    }

    @DeviceSpec
    void attentionOfLongRows(Device device) {
        Random r = new Random(SEED + 9);
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            int wide = 16 / t.bytes() * 4096;
            try (Scope s = device.open()) {
                attend(s, drawn(s, r, t, Lie.CONTIGUOUS, EnumSet.noneOf(Extra.class), 0, 2, wide + 8));
                attend(s, drawn(s, r, t, Lie.OFFSET, EnumSet.of(Extra.MASK, Extra.BIAS), 0, 2, 8195));
                attend(s, drawn(s, r, t, Lie.CONTIGUOUS, EnumSet.allOf(Extra.class), 5, 2, 1, 2, wide + 16));
                attend(s, drawn(s, r, t, Lie.SKIPPING, EnumSet.of(Extra.SINKS, Extra.LENGTHS), 3, 1, 1, 3, 8193));
            }
        }
    }

    /** Masked positions are selected away: what stands there is never part of a result; nothing left is all zero. */
    @DeviceSpec
    void maskedPositionsDoNotCount(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            for (int n : new int[] {1, 3, 64, 1025, 8193, 16 / t.bytes() * 4096 + 8}) {
                for (double poison : new double[] {Double.NaN, INF, -INF}) {
                    try (Scope s = device.open()) {
                        double[] scores = new double[2 * n];
                        boolean[] mask = new boolean[2 * n];
                        Arrays.fill(scores, poison);
                        scores[n / 2] = 0.5;
                        mask[n / 2] = true;
                        Op op = new Op.AttentionWeights(1, 0, Band.OPEN, 0, EnumSet.of(Extra.MASK));
                        Tensor[] out = s.runAll(op, s.tensor(scores, 2, n).to(t), s.tensor(mask, 2, n));
                        double[] w = reals(out[0]);
                        for (int j = 0; j < 2 * n; j++) {
                            if (w[j] != (j == n / 2 ? 1 : 0)) {
                                fail(t + " " + n + " keys, " + poison + " masked: weight " + w[j] + " at " + j);
                            }
                        }
                        assertEquals(0.5, out[1].get(0));
                        assertEquals(-INF, out[1].get(1));
                        // seen, it counts
                        Tensor[] seen = s.runAll(new Op.AttentionWeights(1, 0, Band.OPEN, 0, Set.of()),
                                s.full(t, poison, 1, n));
                        double[] v = reals(seen[0]);
                        assertEquals(poison == -INF ? 0 : Double.NaN, v[n - 1]);
                        assertEquals(poison, seen[1].get(0));
                    }
                }
            }
        }
    }
}
