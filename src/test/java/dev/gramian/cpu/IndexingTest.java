package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.core.View;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class IndexingTest {
    private static final Workers WORKERS = new Workers(3);
    private final Indexing indexing = new Indexing(WORKERS);

    private static Shape shape(Random r, int most) {
        long[] d = new long[1 + r.nextInt(4)];
        for (int i = 0; i < d.length; i++) {
            d[i] = r.nextInt(12) == 0 ? 0 : 1 + r.nextInt(most);
        }
        return Shape.of(d);
    }

    private static View indices(Random r, Shape shape, long entries) {
        View v = Views.random(r, shape, r.nextBoolean() ? DType.I64 : DType.I32);
        for (long i = 0; i < shape.size(); i++) {
            Views.put(v, r.nextLong(-entries, entries), Views.coordinates(shape, i));
        }
        return v;
    }

    private static long wrap(long i, long n) {
        return i < 0 ? i + n : i;
    }

    @ParameterizedTest
    @EnumSource
    void gatherMatchesReference(DType dtype) {
        Random r = new Random(Views.SEED + dtype.ordinal());
        for (int round = 0; round < 150; round++) {
            Shape s = shape(r, 9);
            int axis = r.nextInt(s.rank());
            View x = Views.random(r, s, dtype);
            Views.fill(r, x);
            View index = indices(r, Shape.of(s.at(axis) == 0 ? 0 : r.nextInt(12)), s.at(axis));
            Op.Gather op = new Op.Gather(axis);
            View out = Views.results(op.results(x, index))[0];
            indexing.gather(op, x, index, out);
            for (long i = 0; i < out.layout().size(); i++) {
                long[] c = Views.coordinates(out.shape(), i);
                long got = Views.bits(out, c);
                c[axis] = wrap(Views.bits(index, c[axis]), s.at(axis));
                assertEquals(Views.bits(x, c), got, () -> "seed " + Views.SEED + " x " + x.layout() + " axis " + axis);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void takeAlongAxisMatchesReference(DType dtype) {
        Random r = new Random(Views.SEED + 100 + dtype.ordinal());
        for (int round = 0; round < 150; round++) {
            Shape s = shape(r, 9);
            int axis = r.nextInt(s.rank());
            View x = Views.random(r, s, dtype);
            Views.fill(r, x);
            View index = indices(r, s.with(axis, s.at(axis) == 0 ? 0 : r.nextInt(12)), s.at(axis));
            Op.TakeAlongAxis op = new Op.TakeAlongAxis(axis);
            View out = Views.results(op.results(x, index))[0];
            indexing.takeAlongAxis(op, x, index, out);
            for (long i = 0; i < out.layout().size(); i++) {
                long[] c = Views.coordinates(out.shape(), i);
                long got = Views.bits(out, c);
                c[axis] = wrap(Views.bits(index, c), s.at(axis));
                assertEquals(Views.bits(x, c), got, () -> "seed " + Views.SEED + " x " + x.layout() + " axis " + axis);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void concatMatchesReference(DType dtype) {
        Random r = new Random(Views.SEED + 200 + dtype.ordinal());
        for (int round = 0; round < 150; round++) {
            Shape s = shape(r, 9);
            int axis = r.nextInt(s.rank());
            View[] in = new View[1 + r.nextInt(4)];
            for (int i = 0; i < in.length; i++) {
                in[i] = Views.random(r, s.with(axis, r.nextInt(6)), dtype);
                Views.fill(r, in[i]);
            }
            Op.Concat op = new Op.Concat(axis);
            View out = Views.results(op.results(in))[0];
            indexing.concat(op, in, out);
            long start = 0;
            for (View x : in) {
                for (long i = 0; i < x.layout().size(); i++) {
                    long[] c = Views.coordinates(x.shape(), i);
                    long want = Views.bits(x, c);
                    c[axis] += start;
                    assertEquals(want, Views.bits(out, c), () -> "seed " + Views.SEED + " axis " + axis);
                }
                start += x.shape().at(axis);
            }
        }
    }

    @Test
    void largeOnSeveralThreads() {
        Random r = new Random(Views.SEED);
        View x = Views.fresh(Shape.of(1000, 193), DType.F32);
        Views.fill(r, x);
        View index = indices(r, Shape.of(3001), 1000);
        Op.Gather rows = new Op.Gather(0);
        View out = Views.results(rows.results(x, index))[0];
        indexing.gather(rows, x, index, out);
        View wide = indices(r, Shape.of(1000, 600), 193);
        Op.TakeAlongAxis take = new Op.TakeAlongAxis(1);
        View taken = Views.results(take.results(x, wide))[0];
        indexing.takeAlongAxis(take, x, wide, taken);
        View turned = new View(out.storage(), out.layout().transpose(0, 1), DType.F32);
        Op.Concat join = new Op.Concat(1);
        View joined = Views.results(join.results(turned, turned))[0];
        indexing.concat(join, new View[] {turned, turned}, joined);
        for (int i = 0; i < 20_000; i++) {
            long a = r.nextLong(3001);
            long b = r.nextLong(193);
            long want = Views.bits(x, Views.bits(index, a), b);
            assertEquals(want, Views.bits(out, a, b), () -> "seed " + Views.SEED);
            assertEquals(want, Views.bits(joined, b, a + (i & 1) * 3001), () -> "seed " + Views.SEED);
            long c = r.nextLong(1000);
            long d = r.nextLong(600);
            assertEquals(Views.bits(x, c, Views.bits(wide, c, d)), Views.bits(taken, c, d), () -> "seed " + Views.SEED);
        }
    }

    @Test
    void badIndexIsNamedAndNothingIsWritten() {
        View x = Views.fresh(Shape.of(5, 3), DType.F32);
        View index = Views.fresh(Shape.of(2), DType.I64);
        Views.put(index, -5, 0);
        Views.put(index, 7, 1);
        Op.Gather op = new Op.Gather(0);
        View out = Views.results(op.results(x, index))[0];
        assertEquals(
                "gather: index 7 is out of range; x [5, 3] has 5 entries on axis 0, index [2] at position 1;"
                        + " use -5 to 4",
                assertThrows(ShapeException.class, () -> indexing.gather(op, x, index, out)).getMessage());
        assertEquals(0xA5A5A5A5, (int) Views.bits(out, 0, 0));
        View each = Views.fresh(Shape.of(5, 1), DType.I32);
        for (int i = 0; i < 5; i++) {
            Views.put(each, i == 3 ? -4 : 0, i, 0);
        }
        Op.TakeAlongAxis take = new Op.TakeAlongAxis(1);
        View taken = Views.results(take.results(x, each))[0];
        assertEquals(
                "takeAlongAxis: index -4 is out of range; x [5, 3] has 3 entries on axis 1, index [5, 1] at position"
                        + " [3, 0]; use -3 to 2",
                assertThrows(ShapeException.class, () -> indexing.takeAlongAxis(take, x, each, taken)).getMessage());
        View empty = Views.fresh(Shape.of(0, 3), DType.F32);
        Views.put(index, 0, 0);
        assertEquals(
                "gather: index 0 is out of range; x [0, 3] has 0 entries on axis 0, index [2] at position 0;"
                        + " an empty axis has none to name",
                assertThrows(ShapeException.class, () -> indexing.gather(op, empty, index, out)).getMessage());
        for (long extreme : new long[] {Long.MIN_VALUE, Long.MAX_VALUE, 5, -6}) {
            Views.put(index, extreme, 0);
            assertThrows(ShapeException.class, () -> indexing.gather(op, x, index, out));
        }
    }
}
