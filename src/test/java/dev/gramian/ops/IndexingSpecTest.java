package dev.gramian.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Indexing;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.ops.Laid.Lie;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Gathering, joining, triangles and the search for NaN on every type and layout, element by element. */
final class IndexingSpecTest {
    private static final long SEED = Seed.VALUE;
    private static final long[][] SHAPES = {
        {0}, {1}, {7}, {300}, {3, 0, 2}, {5, 16}, {6, 1, 33}, {2, 17, 5, 3}, {41, 53}, {3, 4, 64}, {2, 3, 4, 8, 2}
    };

    private static String seed(String what) {
        return what + ", replay with -Dgramian.seed=" + SEED;
    }

    private static Lie lie(Random r) {
        return Lie.values()[r.nextInt(Lie.values().length)];
    }

    private static long[] coordinates(long[] shape, long position) {
        long[] c = new long[shape.length];
        for (int i = c.length - 1; i >= 0; i--) {
            c[i] = position % shape[i];
            position /= shape[i];
        }
        return c;
    }

    private static int position(long[] shape, long[] c) {
        long p = 0;
        for (int i = 0; i < c.length; i++) {
            p = p * shape[i] + c[i];
        }
        return (int) p;
    }

    private static long[] with(long[] shape, int axis, long size) {
        long[] r = shape.clone();
        r[axis] = size;
        return r;
    }

    /** Numbers from -n to n - 1. */
    private static Laid index(Scope s, Random r, long n, long... shape) {
        return Laid.of(s, t -> r.nextLong(-n, n), r.nextBoolean() ? DType.I64 : DType.I32, lie(r), shape);
    }

    // ---- gather and takeAlongAxis ------------------------------------------------------------------------------------

    @DeviceSpec
    void gather(Device device) {
        Random r = new Random(SEED);
        for (DType t : DType.values()) {
            for (long[] shape : SHAPES) {
                for (Lie lie : Lie.values()) {
                    try (Scope s = device.open()) {
                        int axis = r.nextInt(shape.length);
                        Laid x = Laid.of(s, Laid.noise(r), t, lie, shape);
                        gather(s, r, x, axis, shape[axis] == 0 ? 0 : r.nextInt(12));
                    }
                }
            }
        }
    }

    private static void gather(Scope s, Random r, Laid x, int axis, long entries) {
        long[] shape = x.tensor().shape().toArray();
        Laid index = index(s, r, Math.max(1, shape[axis]), entries);
        long[] to = with(shape, axis, entries);
        long[] want = new long[(int) Shape.of(to).size()];
        for (int i = 0; i < want.length; i++) {
            long[] c = coordinates(to, i);
            long j = index.bits()[(int) c[axis]];
            c[axis] = j < 0 ? j + shape[axis] : j;
            want[i] = x.bits()[position(shape, c)];
        }
        Tensor y = Indexing.gather(x.tensor(), axis, index.tensor());
        assertEquals(Shape.of(to), y.shape());
        assertArrayEquals(want, Laid.read(y),
                () -> seed("gather " + x.tensor().dtype() + " " + x.tensor().layout() + " along " + axis));
    }

    /** Rows as models have them, and enough of them that a thread takes several. */
    @DeviceSpec
    void gatherOfManyRows(Device device) {
        Random r = new Random(SEED + 1);
        try (Scope s = device.open()) {
            gather(s, r, Laid.of(s, Laid.noise(r), DType.BF16, Lie.CONTIGUOUS, 300, 128), 0, 40_000);
            gather(s, r, Laid.of(s, Laid.noise(r), DType.F32, Lie.INSET, 70, 12), 0, 70_001);
            gather(s, r, Laid.of(s, Laid.noise(r), DType.U8, Lie.OFFSET, 3, 50, 7), 1, 3001);
            gather(s, r, Laid.of(s, Laid.noise(r), DType.F64, Lie.TRANSPOSED, 90, 55), 1, 2000);
        }
    }

    @DeviceSpec
    void takeAlongAxis(Device device) {
        Random r = new Random(SEED + 2);
        for (DType t : DType.values()) {
            for (long[] shape : SHAPES) {
                for (Lie lie : Lie.values()) {
                    try (Scope s = device.open()) {
                        int axis = r.nextInt(shape.length);
                        long entries = shape[axis] == 0 ? 0 : r.nextInt(12);
                        Laid x = Laid.of(s, Laid.noise(r), t, lie, shape);
                        long[] to = with(shape, axis, entries);
                        Laid index = index(s, r, Math.max(1, shape[axis]), to);
                        long[] want = new long[(int) Shape.of(to).size()];
                        for (int i = 0; i < want.length; i++) {
                            long[] c = coordinates(to, i);
                            long j = index.bits()[i];
                            c[axis] = j < 0 ? j + shape[axis] : j;
                            want[i] = x.bits()[position(shape, c)];
                        }
                        Tensor y = Indexing.takeAlongAxis(x.tensor(), axis, index.tensor());
                        assertEquals(Shape.of(to), y.shape());
                        assertArrayEquals(want, Laid.read(y), () -> seed("takeAlongAxis " + x.tensor().dtype() + " "
                                + x.tensor().layout() + " along " + axis));
                    }
                }
            }
        }
    }

    @DeviceSpec
    void badIndices(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.zeros(5, 3);
            assertText("gather: index 7 is out of range; x [5, 3] has 5 entries on axis 0, index [2] at position 1;"
                    + " use -5 to 4", () -> Indexing.gather(x, 0, s.tensor(new long[] {-5, 7})));
            assertText("gather: index -4 is out of range; x [5, 3] has 3 entries on axis 1, index [3] at position 0;"
                    + " use -3 to 2", () -> Indexing.gather(x, 1, s.tensor(new int[] {-4, 0, 9})));
            assertText("takeAlongAxis: index -4 is out of range; x [5, 3] has 3 entries on axis 1, index [5, 1] at"
                    + " position [3, 0]; use -3 to 2",
                    () -> Indexing.takeAlongAxis(x, 1, s.tensor(new int[] {0, 0, 0, -4, 9}, 5, 1)));
            assertText("gather: index 0 is out of range; x [0, 3] has 0 entries on axis 0, index [2] at position 0;"
                    + " an empty axis has none to name",
                    () -> Indexing.gather(s.zeros(0, 3), 0, s.tensor(new long[] {0, 0})));
            assertText("gather: index 1 is out of range; x [1] has 1 entry on axis 0, index [1] at position 0;"
                    + " use -1 to 0", () -> Indexing.gather(s.zeros(1), 0, s.tensor(new long[] {1})));
            // an empty result has its index checked too
            assertText("gather: index 5 is out of range; x [5, 0] has 5 entries on axis 0, index [1] at position 0;"
                    + " use -5 to 4", () -> Indexing.gather(s.zeros(5, 0), 0, s.tensor(new long[] {5})));
            for (long extreme : new long[] {Long.MIN_VALUE, Long.MAX_VALUE, 5, -6, 1L << 32}) {
                assertThrows(ShapeException.class, () -> Indexing.gather(x, 0, s.tensor(new long[] {extreme})));
            }
            // the last entry of all, where reading more than it would leave the memory
            long[] many = new long[70_000];
            many[69_999] = -6;
            many[0] = 4;
            String text = "gather: index -6 is out of range; x [5, 3] has 5 entries on axis 0, index [70000] at position"
                    + " 69999; use -5 to 4";
            assertText(text, () -> Indexing.gather(x, 0, s.tensor(many)));
            int[] narrow = new int[70_000];
            narrow[69_999] = -6;
            assertText(text, () -> Indexing.gather(x, 0, s.tensor(narrow)));
            // of a view: backwards, the bad one is first, and another one bad is not named
            narrow[10] = 8;
            assertText(text.replace("69999", "0"), () -> Indexing.gather(x, 0, s.tensor(narrow).flip(0)));
        }
    }

    private static void assertText(String text, org.junit.jupiter.api.function.Executable action) {
        assertEquals(text, assertThrows(ShapeException.class, action).getMessage());
    }

    // ---- concat ------------------------------------------------------------------------------------------------------

    @DeviceSpec
    void concat(Device device) {
        Random r = new Random(SEED + 3);
        for (DType t : DType.values()) {
            for (long[] shape : SHAPES) {
                for (int round = 0; round < 4; round++) {
                    try (Scope s = device.open()) {
                        int axis = r.nextInt(shape.length);
                        List<Laid> pieces = new ArrayList<>();
                        int count = 1 + r.nextInt(5);
                        for (int i = 0; i < count; i++) {
                            pieces.add(Laid.of(s, Laid.noise(r), t, lie(r), with(shape, axis, r.nextInt(6))));
                        }
                        concat(pieces, axis);
                    }
                }
            }
        }
    }

    /** More than one table holds, of sizes that fit words of 16 bytes and that do not. */
    @DeviceSpec
    void concatOfMany(Device device) {
        Random r = new Random(SEED + 4);
        for (long width : new long[] {8, 3}) {
            try (Scope s = device.open()) {
                for (int axis = 0; axis < 2; axis++) {
                    List<Laid> pieces = new ArrayList<>();
                    for (int i = 0; i < 150; i++) {
                        long n = i % 7 == 0 ? 0 : width * r.nextInt(1, 4);
                        Lie lie = i % 50 == 20 ? lie(r) : i % 3 == 0 ? Lie.INSET : Lie.CONTIGUOUS;
                        pieces.add(Laid.of(s, Laid.noise(r), DType.F32, lie, axis == 0 ? n : 8, axis == 0 ? 8 : n));
                    }
                    concat(pieces, axis);
                }
            }
        }
        try (Scope s = device.open()) {
            List<Laid> large = new ArrayList<>();
            for (Lie lie : new Lie[] {Lie.CONTIGUOUS, Lie.TRANSPOSED, Lie.CONTIGUOUS, Lie.BACKWARDS}) {
                large.add(Laid.of(s, Laid.noise(r), DType.F64, lie, 400, 401));
            }
            concat(large, 1);
            concat(large, 0);
        }
    }

    private static void concat(List<Laid> pieces, int axis) {
        long[] shape = pieces.get(0).tensor().shape().toArray();
        long total = 0;
        for (Laid p : pieces) {
            total += p.tensor().shape().at(axis);
        }
        long[] to = with(shape, axis, total);
        long[] want = new long[(int) Shape.of(to).size()];
        long at = 0;
        for (Laid p : pieces) {
            long[] from = p.tensor().shape().toArray();
            for (int i = 0; i < p.bits().length; i++) {
                long[] c = coordinates(from, i);
                c[axis] += at;
                want[position(to, c)] = p.bits()[i];
            }
            at += from[axis];
        }
        Tensor y = Join.concat(axis, pieces.stream().map(Laid::tensor).toArray(Tensor[]::new));
        assertEquals(Shape.of(to), y.shape());
        assertArrayEquals(want, Laid.read(y),
                () -> seed("concat along " + axis + " of "
                        + pieces.stream().limit(8).map(p -> p.tensor().layout()).toList()));
    }

    // ---- triangles ---------------------------------------------------------------------------------------------------

    @DeviceSpec
    void triangles(Device device) {
        Random r = new Random(SEED + 5);
        long[][] shapes = {{0, 3}, {3, 0}, {1, 1}, {5, 16}, {16, 5}, {3, 7, 9}, {2, 1, 4, 32}, {33, 64}};
        for (DType t : DType.values()) {
            for (long[] shape : shapes) {
                for (Lie lie : Lie.values()) {
                    try (Scope s = device.open()) {
                        Laid x = Laid.of(s, Laid.noise(r), t, lie, shape);
                        long k = switch (r.nextInt(6)) {
                            case 0 -> 0;
                            case 1 -> Long.MAX_VALUE - r.nextInt(2);
                            case 2 -> Long.MIN_VALUE + r.nextInt(2);
                            default -> r.nextInt(40) - 20;
                        };
                        triangle(x, k, true);
                        triangle(x, k, false);
                    }
                }
            }
        }
    }

    private static void triangle(Laid x, long k, boolean lower) {
        long[] shape = x.tensor().shape().toArray();
        long[] want = x.bits().clone();
        for (int i = 0; i < want.length; i++) {
            long[] c = coordinates(shape, i);
            long above = c[c.length - 1] - c[c.length - 2];
            want[i] = lower ? above <= k ? want[i] : 0 : above >= k ? want[i] : 0;
        }
        Tensor y = lower ? Indexing.tril(x.tensor(), k) : Indexing.triu(x.tensor(), k);
        assertArrayEquals(want, Laid.read(y), () -> seed((lower ? "tril " : "triu ") + k + " of "
                + x.tensor().dtype() + " " + x.tensor().layout()));
    }

    // ---- the first NaN or infinity -----------------------------------------------------------------------------------

    @DeviceSpec
    void firstNonFinite(Device device) {
        Random r = new Random(SEED + 6);
        long[][] shapes = {{}, {0}, {1}, {7}, {8}, {5, 16}, {3, 0, 2}, {3, 7, 9}, {4099}, {130, 1024}};
        for (DType t : DType.values()) {
            for (long[] shape : shapes) {
                for (Lie lie : Lie.values()) {
                    int one = r.nextInt(1 << r.nextInt(1, 14));
                    try (Scope s = device.open()) {
                        Laid.Source source = type -> !type.isFloat()
                                ? r.nextLong()
                                : Laid.bits(type, r.nextInt(1 + one) > 0
                                        ? r.nextGaussian()
                                        : new double[] {
                                            Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY
                                        }[r.nextInt(3)]);
                        Laid x = Laid.of(s, t == DType.BOOL ? Laid.noise(r) : source, t, lie, shape);
                        long want = -1;
                        for (int i = 0; i < x.bits().length && want < 0; i++) {
                            want = t.isFloat() && !Double.isFinite(Laid.real(t, x.bits()[i])) ? i : -1;
                        }
                        assertEquals(want, s.run(new Op.FirstNonFinite(), x.tensor()).itemLong(),
                                seed("firstNonFinite " + x.tensor().dtype() + " " + x.tensor().layout()));
                    }
                }
            }
        }
    }

    /** Each place of a tensor of odd size, and numbers that are nearly infinite. */
    @DeviceSpec
    void firstNonFiniteAtEveryPlace(Device device) {
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16, DType.BF16}) {
            long largest = switch (t) {
                case F64 -> Double.doubleToRawLongBits(-Double.MAX_VALUE);
                case F32 -> Float.floatToRawIntBits(-Float.MAX_VALUE);
                case F16 -> 0xFBFF;
                default -> 0xFF7F;
            };
            for (int n : new int[] {1, 2, 9, 31}) {
                for (int at = -1; at < n; at++) {
                    int bad = at;
                    int[] next = {0};
                    try (Scope s = device.open()) {
                        Laid x = Laid.of(s, type -> next[0]++ == bad || next[0] - 1 == bad + 3 && bad >= 0
                                ? largest + 1
                                : largest, t, Lie.CONTIGUOUS, n);
                        assertEquals(at, s.run(new Op.FirstNonFinite(), x.tensor()).itemLong(), t + " of " + n);
                    }
                }
            }
        }
    }
}
