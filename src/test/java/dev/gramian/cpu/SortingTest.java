package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SortingTest {
    private static final Workers WORKERS = new Workers(3);
    private final Sorting sorting = new Sorting(WORKERS);

    /** Ties, both zeros, infinities and NaN among ordinary values. */
    private static void fill(Random r, View v) {
        int kind = r.nextInt(3);
        for (long i = 0; i < v.layout().size(); i++) {
            double d = switch (kind == 0 ? r.nextInt(10) : 9) {
                case 0 -> Double.NaN;
                case 1 -> Double.POSITIVE_INFINITY;
                case 2 -> Double.NEGATIVE_INFINITY;
                case 3 -> 0.0;
                case 4 -> -0.0;
                case 5 -> Double.MIN_VALUE;
                default -> kind == 1 ? r.nextInt(5) - 2 : r.nextGaussian() * 100;
            };
            long bits = switch (v.dtype()) {
                case F64 -> Double.doubleToLongBits(d);
                case F32 -> Float.floatToIntBits((float) d);
                case F16, BF16 -> Half.fromDouble(v.dtype(), d);
                case I64 -> kind == 0 ? r.nextLong() : kind == 1 ? (long) d : r.nextLong(8) << 30;
                case I32 -> kind == 0 ? r.nextInt() : (long) d;
                case U8 -> r.nextInt(256);
                case BOOL -> r.nextInt(2);
            };
            if (v.dtype() == DType.F32 && d != d && r.nextBoolean()) {
                bits = 0xFFC00001; // a NaN with sign and payload orders like any other
            }
            Views.put(v, bits, Views.coordinates(v.shape(), i));
        }
    }

    private static int compare(Number a, Number b) {
        if (a instanceof Long x) {
            return Long.compare(x, (Long) b);
        }
        double x = a.doubleValue();
        double y = b.doubleValue();
        return x != x ? (y != y ? 0 : 1) : y != y ? -1 : x < y ? -1 : x > y ? 1 : 0;
    }

    /** The first k of every row by Java's stable sort with a comparator. */
    private static void check(View x, int axis, boolean reverse, long k, View[] out, String what) {
        Shape others = x.shape().with(axis, 1);
        for (long row = 0; row < others.size(); row++) {
            long[] c = Views.coordinates(others, row);
            List<Number> values = new ArrayList<>();
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < x.shape().at(axis); i++) {
                c[axis] = i;
                values.add(Views.number(x, c));
                order.add(i);
            }
            Comparator<Integer> by = (i, j) -> compare(values.get(i), values.get(j));
            order.sort(reverse ? by.reversed() : by);
            for (int j = 0; j < k; j++) {
                c[axis] = j;
                long index = Views.bits(out[1], c);
                long value = Views.bits(out[0], c);
                assertEquals((long) order.get(j), index, what);
                c[axis] = index;
                assertEquals(Views.bits(x, c), value, what);
            }
        }
    }

    private void both(Random r, View x, int axis, long k) {
        boolean reverse = r.nextBoolean();
        String what = "seed " + Views.SEED + " " + x.dtype() + " " + x.layout() + " axis " + axis + " k " + k
                + " reverse " + reverse;
        Op.Sort sort = new Op.Sort(axis, reverse);
        View[] out = Views.results(sort.results(x));
        sorting.sort(sort, x, out);
        check(x, axis, reverse, x.shape().at(axis), out, "sort " + what);
        Op.TopK top = new Op.TopK(k, axis, reverse);
        out = Views.results(top.results(x));
        sorting.topK(top, x, out);
        check(x, axis, reverse, k, out, "topK " + what);
    }

    @ParameterizedTest
    @EnumSource
    void smallMatchesReference(DType dtype) {
        Random r = new Random(Views.SEED + dtype.ordinal());
        for (int round = 0; round < 150; round++) {
            long[] d = new long[1 + r.nextInt(3)];
            for (int i = 0; i < d.length; i++) {
                d[i] = r.nextInt(15) == 0 ? 0 : 1 + r.nextInt(20);
            }
            Shape s = Shape.of(d);
            int axis = r.nextInt(s.rank());
            View x = Views.random(r, s, dtype);
            fill(r, x);
            long n = s.at(axis);
            both(r, x, axis, r.nextInt(4) == 0 ? (r.nextBoolean() ? 0 : n) : r.nextLong(n + 1));
        }
    }

    /** Rows beyond the point where top-k selects instead of sorting, and beyond 64k. */
    @ParameterizedTest
    @EnumSource
    void longRowsMatchReference(DType dtype) {
        Random r = new Random(Views.SEED + 50 + dtype.ordinal());
        for (long k : new long[] {1, 5, 700, 1025}) {
            View x = Views.random(r, Shape.of(3, 5003), dtype);
            fill(r, x);
            both(r, x, 1, k);
        }
        View columns = Views.fresh(Shape.of(2500, 4), dtype);
        fill(r, columns);
        both(r, columns, 0, 9);
        View one = Views.fresh(Shape.of(70_001), dtype);
        fill(r, one);
        both(r, one, 0, 100);
    }

    /** Rising keys defeat the running limit of a selection: every element is a new candidate. */
    @Test
    void topKOfOrderedRows() {
        for (DType t : new DType[] {DType.I32, DType.I64}) {
            View x = Views.fresh(Shape.of(20_000), t);
            for (int i = 0; i < 20_000; i++) {
                Views.put(x, i - 10_000, i);
            }
            for (boolean largest : new boolean[] {true, false}) {
                Op.TopK op = new Op.TopK(33, 0, largest);
                View[] out = Views.results(op.results(x));
                sorting.topK(op, x, out);
                check(x, 0, largest, 33, out, t + " " + largest);
            }
        }
    }

    @Test
    void nanIsGreatest() {
        View x = Views.fresh(Shape.of(5), DType.F64);
        double[] v = {Double.NaN, 1, Double.POSITIVE_INFINITY, -0.0, 0.0};
        for (int i = 0; i < 5; i++) {
            Views.put(x, Double.doubleToLongBits(v[i]), i);
        }
        long[][] want = {{3, 4, 1, 2, 0}, {0, 2, 1, 3, 4}};
        for (int d = 0; d < 2; d++) {
            Op.Sort op = new Op.Sort(0, d == 1);
            View[] out = Views.results(op.results(x));
            sorting.sort(op, x, out);
            for (int i = 0; i < 5; i++) {
                assertEquals(want[d][i], Views.bits(out[1], i));
            }
        }
    }
}
