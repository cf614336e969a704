package dev.gramian.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Indexing;
import dev.gramian.Indexing.Ranked;
import dev.gramian.Scope;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import dev.gramian.ops.Laid.Lie;
import dev.gramian.spec.DeviceSpec;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;

/** Sort and top-k of every type and layout against Java's stable sort. */
final class SortingSpecTest {
    private static final long SEED = Seed.VALUE;

    private static Lie lie(Random r) {
        return Lie.values()[r.nextInt(Lie.values().length)];
    }

    /** One of three: ties, both zeros, infinities and NaN among ordinary values; few values; all different. */
    private static Laid.Source source(Random r) {
        int kind = r.nextInt(3);
        return type -> {
            if (!type.isFloat()) {
                return Laid.bits(type, kind == 0 ? r.nextLong() : kind == 1 ? r.nextInt(5) - 2 : r.nextLong(8) << 30);
            }
            if (type == DType.F32 && kind == 0 && r.nextInt(20) == 0) {
                return (int) 0xFFC00001L; // a NaN with sign and payload orders like any other
            }
            return Laid.bits(type, switch (kind == 0 ? r.nextInt(10) : 9) {
                case 0 -> Double.NaN;
                case 1 -> Double.POSITIVE_INFINITY;
                case 2 -> Double.NEGATIVE_INFINITY;
                case 3 -> 0.0;
                case 4 -> -0.0;
                case 5 -> Double.MIN_VALUE;
                case 6 -> -1e-40;
                default -> kind == 1 ? r.nextInt(5) - 2 : r.nextGaussian() * 100;
            });
        };
    }

    private static int compare(DType t, long a, long b) {
        if (!t.isFloat()) {
            return Long.compare(a, b);
        }
        double x = Laid.real(t, a);
        double y = Laid.real(t, b);
        return x != x ? (y != y ? 0 : 1) : y != y ? -1 : x < y ? -1 : x > y ? 1 : 0;
    }

    /** Checks the first k of every row. */
    private static void check(Laid x, int axis, boolean reverse, int k, Ranked got, String what) {
        DType t = x.tensor().dtype();
        Shape shape = x.tensor().shape();
        int n = (int) shape.at(axis);
        int inner = (int) shape.slice(axis + 1, shape.rank()).size();
        int outer = (int) shape.slice(0, axis).size();
        assertEquals(shape.with(axis, k), got.values().shape());
        assertEquals(DType.I64, got.indices().dtype());
        long[] values = Laid.read(got.values());
        long[] indices = Laid.read(got.indices());
        for (int o = 0; o < outer; o++) {
            for (int i = 0; i < inner; i++) {
                int base = o * n * inner + i;
                Integer[] order = new Integer[n];
                Arrays.setAll(order, j -> j);
                Comparator<Integer> by = (a, b) -> compare(t, x.bits()[base + a * inner], x.bits()[base + b * inner]);
                Arrays.sort(order, reverse ? by.reversed() : by);
                long[] wantIndices = new long[k];
                long[] wantValues = new long[k];
                long[] gotIndices = new long[k];
                long[] gotValues = new long[k];
                for (int j = 0; j < k; j++) {
                    wantIndices[j] = order[j];
                    wantValues[j] = x.bits()[base + order[j] * inner];
                    gotIndices[j] = indices[(o * k + j) * inner + i];
                    gotValues[j] = values[(o * k + j) * inner + i];
                }
                assertArrayEquals(wantIndices, gotIndices, what);
                assertArrayEquals(wantValues, gotValues, what);
            }
        }
    }

    private static String what(String op, Laid x, int axis, long k, boolean reverse) {
        return op + " " + x.tensor().dtype() + " " + x.tensor().layout() + " axis " + axis + " k " + k + " reverse "
                + reverse + ", replay with -Dgramian.seed=" + SEED;
    }

    private static void sort(Laid x, int axis, boolean reverse) {
        int n = (int) x.tensor().shape().at(axis);
        check(x, axis, reverse, n, Indexing.sort(x.tensor(), axis, reverse), what("sort", x, axis, n, reverse));
    }

    private static void top(Laid x, int axis, int k, boolean largest) {
        check(x, axis, largest, k, Indexing.topK(x.tensor(), k, axis, largest), what("topK", x, axis, k, largest));
    }

    @DeviceSpec
    void shortRows(Device device) {
        Random r = new Random(SEED);
        long[][] shapes = {
            {0}, {1}, {2}, {9}, {67}, {3, 0, 2}, {3, 17, 2}, {1, 5, 1}, {40, 3}, {4, 33, 5}, {2, 3, 8, 16}
        };
        for (DType t : DType.values()) {
            for (long[] shape : shapes) {
                for (Lie lie : Lie.values()) {
                    try (Scope s = device.open()) {
                        int axis = r.nextInt(shape.length);
                        Laid x = Laid.of(s, source(r), t, lie, shape);
                        sort(x, axis, r.nextBoolean());
                        int n = (int) shape[axis];
                        top(x, axis, r.nextInt(4) == 0 ? (r.nextBoolean() ? 0 : n) : r.nextInt(n + 1),
                                r.nextBoolean());
                    }
                }
            }
        }
    }

    /** Around the sizes at which another way of sorting sets in. */
    @DeviceSpec
    void longerRows(Device device) {
        Random r = new Random(SEED + 1);
        for (DType t : DType.values()) {
            for (int n : new int[] {513, 1024, 1025, 2048, 2049, 4096, 4097}) {
                try (Scope s = device.open()) {
                    Laid x = Laid.of(s, source(r), t, lie(r), 2, n);
                    sort(x, 1, r.nextBoolean());
                    top(x, 1, 1 + r.nextInt(300), r.nextBoolean());
                }
            }
        }
    }

    @DeviceSpec
    void longRows(Device device) {
        Random r = new Random(SEED + 2);
        for (DType t : DType.values()) {
            try (Scope s = device.open()) {
                sort(Laid.of(s, source(r), t, lie(r), 3, 9001), 1, r.nextBoolean());
                sort(Laid.of(s, source(r), t, lie(r), 2, 5003, 3), 1, r.nextBoolean());
                Laid one = Laid.of(s, source(r), t, Lie.CONTIGUOUS, 40_001);
                sort(one, 0, r.nextBoolean());
                for (int k : new int[] {1, 10, 128, 129, 1025, 2049, 5000}) {
                    top(one, 0, k, r.nextBoolean());
                }
                top(Laid.of(s, source(r), t, lie(r), 7000, 4), 0, 9, r.nextBoolean());
            }
        }
    }

    /** A radix sort of more than one span of tiles, and a selection of many stretches. */
    @DeviceSpec
    void veryLongRows(Device device) {
        Random r = new Random(SEED + 3);
        try (Scope s = device.open()) {
            sort(Laid.of(s, source(r), DType.U8, Lie.CONTIGUOUS, 300_001), 0, false);
            sort(Laid.of(s, source(r), DType.BF16, Lie.BACKWARDS, 1, 270_000), 1, true);
            top(Laid.of(s, source(r), DType.F32, Lie.CONTIGUOUS, 1_000_003), 0, 10, true);
            top(Laid.of(s, source(r), DType.I64, Lie.OFFSET, 2, 100_003), 1, 700, false);
        }
    }

    /** Rising keys defeat the limit of a selection: every element is a candidate. Equal ones are never candidates. */
    @DeviceSpec
    void orderedRows(Device device) {
        for (DType t : new DType[] {DType.I32, DType.I64}) {
            try (Scope s = device.open()) {
                int[] next = {-10_000};
                Laid rising = Laid.of(s, type -> next[0]++, t, Lie.CONTIGUOUS, 20_000);
                Laid equal = Laid.of(s, type -> 7, t, Lie.CONTIGUOUS, 20_000);
                for (boolean largest : new boolean[] {true, false}) {
                    for (int k : new int[] {33, 600}) {
                        top(rising, 0, k, largest);
                        top(equal, 0, k, largest);
                    }
                    sort(rising, 0, largest);
                    sort(equal, 0, largest);
                }
            }
        }
    }

    @DeviceSpec
    void nanIsGreatest(Device device) {
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16, DType.BF16}) {
            try (Scope s = device.open()) {
                var x = s.tensor(new double[] {Double.NaN, 1, Double.POSITIVE_INFINITY, -0.0, 0.0}).to(t);
                assertArrayEquals(new long[] {3, 4, 1, 2, 0}, Indexing.sort(x, 0).indices().toLongArray());
                assertArrayEquals(new long[] {0, 2, 1, 3, 4}, Indexing.sort(x, 0, true).indices().toLongArray());
                assertArrayEquals(new long[] {0, 2}, Indexing.topK(x, 2, 0).indices().toLongArray());
                assertArrayEquals(new long[] {3, 4, 1}, Indexing.topK(x, 3, 0, false).indices().toLongArray());
            }
        }
    }
}
