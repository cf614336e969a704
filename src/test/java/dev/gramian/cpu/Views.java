package dev.gramian.cpu;

import dev.gramian.spec.Seed;
import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.Spec;
import dev.gramian.core.View;
import java.util.Random;

/** Views for tests of kernels that move elements: random layouts, and elements as bits by coordinates. */
final class Views {
    /** Seed of a test: printed with a failure, replayed by -Dgramian.seed. */
    static final long SEED = Seed.VALUE;

    private static final CpuMemory MEMORY = new CpuMemory(1L << 32, 1L << 28);

    private Views() {}

    static View fresh(Shape shape, DType dtype) {
        CpuStorage s = MEMORY.allocate(shape.size() * dtype.bytes());
        return new View(s, Layout.contiguous(shape), dtype);
    }

    /** Uninitialised results, filled with a pattern no kernel writes. */
    static View[] results(Spec... specs) {
        View[] out = new View[specs.length];
        for (int i = 0; i < specs.length; i++) {
            out[i] = fresh(specs[i].shape(), specs[i].dtype());
            long a = CpuStorage.address(out[i]);
            for (long b = 0; b < specs[i].bytes(); b++) {
                Mem.u8(a + b, 0xA5);
            }
        }
        return out;
    }

    /** A view of this shape: contiguous, permuted, reversed, stepped, offset or broadcast. */
    static View random(Random r, Shape shape, DType dtype) {
        int rank = shape.rank();
        int[] order = new int[rank];
        for (int i = 0; i < rank; i++) {
            order[i] = i;
        }
        if (r.nextInt(3) > 0) {
            for (int i = rank - 1; i > 0; i--) {
                int j = r.nextInt(i + 1);
                int t = order[i];
                order[i] = order[j];
                order[j] = t;
            }
        }
        long[] steps = new long[rank];
        boolean plain = r.nextInt(3) == 0;
        long[] dims = new long[rank];
        for (int i = 0; i < rank; i++) {
            steps[i] = plain ? 1 : new long[] {1, 1, -1, 2, -3, 0}[r.nextInt(6)];
            long d = shape.at(order[i]);
            dims[i] = steps[i] == 0 ? 1 : d * Math.abs(steps[i]) + (plain ? 0 : r.nextInt(2));
        }
        View whole = fresh(Shape.of(dims), dtype);
        Layout l = whole.layout();
        for (int i = 0; i < rank; i++) {
            long d = shape.at(order[i]);
            if (steps[i] == 0) {
                l = l.expand("test", l.shape().with(i, d));
            } else if (steps[i] != 1) {
                long start = steps[i] > 0 ? 0 : Long.MAX_VALUE;
                l = l.slice(i, start, steps[i] > 0 ? Long.MAX_VALUE : Long.MIN_VALUE, steps[i]);
            }
            if (l.shape().at(i) != d) {
                l = l.slice(i, 0, d, 1);
            }
        }
        int[] back = new int[rank];
        for (int i = 0; i < rank; i++) {
            back[order[i]] = i;
        }
        l = rank == 0 ? l : l.permute(back);
        if (!l.shape().equals(shape)) {
            throw new AssertionError(l + " is not of shape " + shape);
        }
        return new View(whole.storage(), l, dtype);
    }

    /** Coordinates of a row-major position. */
    static long[] coordinates(Shape s, long position) {
        long[] c = new long[s.rank()];
        for (int i = c.length - 1; i >= 0; i--) {
            c[i] = position % s.at(i);
            position /= s.at(i);
        }
        return c;
    }

    static long address(View v, long... coordinates) {
        return CpuStorage.address(v) + (v.layout().index(coordinates) - v.layout().offset()) * v.dtype().bytes();
    }

    static long bits(View v, long... c) {
        long a = address(v, c);
        return switch (v.dtype().bytes()) {
            case 8 -> Mem.i64(a);
            case 4 -> Mem.i32(a);
            case 2 -> Mem.i16(a);
            default -> Mem.u8(a);
        };
    }

    static void put(View v, long bits, long... c) {
        long a = address(v, c);
        switch (v.dtype().bytes()) {
            case 8 -> Mem.i64(a, bits);
            case 4 -> Mem.i32(a, (int) bits);
            case 2 -> Mem.i16(a, (short) bits);
            default -> Mem.u8(a, (int) bits);
        }
    }

    /** The element as a Double or a Long, to be compared by Java's own rules. */
    static Number number(View v, long... c) {
        long b = bits(v, c);
        return switch (v.dtype()) {
            case F64 -> (Number) Double.longBitsToDouble(b);
            case F32 -> (double) Float.intBitsToFloat((int) b);
            case F16, BF16 -> (double) Half.toFloat(v.dtype(), (short) b);
            default -> b;
        };
    }

    static void fill(Random r, View v) {
        for (long i = 0; i < v.layout().size(); i++) {
            put(v, v.dtype() == DType.BOOL ? r.nextInt(2) : r.nextLong(), coordinates(v.shape(), i));
        }
    }
}
