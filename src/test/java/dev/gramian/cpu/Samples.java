package dev.gramian.cpu;

import dev.gramian.spec.Seed;
import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Samples of native memory for tests: made in many layouts, filled, and read back element by element. */
final class Samples {
    static final CpuMemory MEMORY = new CpuMemory(1L << 32, 1L << 30);

    private Samples() {}

    /** A seed that a failing run prints and {@code -Dgramian.seed} replays. */
    static Random random(String test) {
        long seed = Seed.VALUE;
        System.out.println(test + ": -Dgramian.seed=" + seed);
        return new Random(seed);
    }

    static View empty(DType type, Shape shape) {
        return new View(MEMORY.allocate(shape.size() * type.bytes()), Layout.contiguous(shape), type);
    }

    static void free(View... views) {
        for (View v : views) {
            MEMORY.free((CpuStorage) v.storage());
        }
    }

    /** Samples of one shape: contiguous, column-major, reversed and strided slices, permuted, broadcast along each end. */
    static List<View> layouts(DType type, Shape shape, Random random) {
        List<View> all = new ArrayList<>();
        all.add(empty(type, shape));
        all.add(of(type, Layout.columnMajor(shape)));
        int r = shape.rank();
        if (r == 0) {
            return fill(all, random);
        }
        long[] d = shape.toArray();
        for (int i = 0; i < r; i++) {
            d[i] = 2 * d[i] + 3;
        }
        Layout wide = Layout.contiguous(Shape.of(d));
        Layout back = wide;
        Layout skip = wide;
        for (int i = 0; i < r; i++) {
            back = back.slice(i, shape.at(i), Long.MIN_VALUE, -1).slice(i, 0, shape.at(i), 1);
            skip = skip.slice(i, 1, 1 + 2 * shape.at(i), 2);
        }
        all.add(of(type, back));
        all.add(of(type, skip));
        int[] order = new int[r];
        long[] permuted = new long[r];
        for (int i = 0; i < r; i++) {
            order[i] = (i + 1) % r;
            permuted[(i + 1) % r] = shape.at(i);
        }
        all.add(of(type, Layout.contiguous(Shape.of(permuted)).permute(order)));
        all.add(of(type, Layout.contiguous(shape.with(0, 1)).expand("test", shape)));
        all.add(of(type, Layout.contiguous(shape.with(r - 1, 1)).expand("test", shape)));
        all.add(of(type, Layout.contiguous(Shape.SCALAR).expand("test", shape)));
        return fill(all, random);
    }

    private static View of(DType type, Layout layout) {
        return new View(MEMORY.allocate(Math.max(layout.end(), 1) * type.bytes()), layout, type);
    }

    private static List<View> fill(List<View> views, Random random) {
        for (View v : views) {
            long a = ((CpuStorage) v.storage()).address;
            long n = v.storage().bytes() / v.dtype().bytes();
            for (long i = 0; i < n; i++) {
                put(v.dtype(), a, i, random);
            }
        }
        return views;
    }

    private static final double[] SPECIAL = {
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5,
        1e-40, -1e-40, 1e-310, Double.MIN_VALUE, 3.4e38, -3.4e38, 1e300, -1e300, 65504, 65520, 88.8, -88.8, -104, 709.9,
        -745.2, 1e-8, -1e-8, 20, -20, -5.5, -12.5, 1e10, 0x1p-24, 0x1p-149
    };

    static void put(DType type, long a, long i, Random random) {
        if (type.isFloat()) {
            double v = switch (random.nextInt(6)) {
                case 0 -> SPECIAL[random.nextInt(SPECIAL.length)];
                case 1 -> random.nextGaussian() * 20;
                case 2 -> Math.exp(random.nextGaussian() * 8);
                default -> random.nextGaussian() * 2;
            };
            switch (type) {
                case F64 -> Mem.f64(a + 8 * i, v);
                case F32 -> Mem.f32(a + 4 * i, (float) v);
                default -> Mem.i16(a + 2 * i, Half.fromFloat(type, (float) v));
            }
            return;
        }
        long v = switch (random.nextInt(4)) {
            case 0 -> random.nextLong();
            case 1 -> random.nextBoolean() ? Long.MIN_VALUE : Integer.MIN_VALUE;
            case 2 -> random.nextInt(3) - 1;
            default -> random.nextInt(600) - 300;
        };
        switch (type) {
            case I64 -> Mem.i64(a + 8 * i, v);
            case I32 -> Mem.i32(a + 4 * i, (int) v);
            case U8 -> Mem.u8(a + i, (int) v);
            default -> Mem.u8(a + i, (int) (v & 1));
        }
    }

    /** Element index of the row-major i-th element of {@code shape}, which {@code v} broadcasts to. */
    static long index(View v, Shape shape, long i) {
        Layout x = v.layout().expand("test", shape);
        long at = x.offset();
        for (int k = shape.rank() - 1; k >= 0; k--) {
            at += i % shape.at(k) * x.stride(k);
            i /= shape.at(k);
        }
        return at;
    }

    static double real(View v, Shape shape, long i) {
        long a = ((CpuStorage) v.storage()).address;
        long k = index(v, shape, i);
        return switch (v.dtype()) {
            case F64 -> Mem.f64(a + 8 * k);
            case F32 -> Mem.f32(a + 4 * k);
            case F16, BF16 -> Half.toFloat(v.dtype(), Mem.i16(a + 2 * k));
            case I64, I32, U8, BOOL -> whole(v, shape, i);
        };
    }

    static long whole(View v, Shape shape, long i) {
        long a = ((CpuStorage) v.storage()).address;
        long k = index(v, shape, i);
        return switch (v.dtype()) {
            case I64 -> Mem.i64(a + 8 * k);
            case I32 -> Mem.i32(a + 4 * k);
            default -> Mem.u8(a + k);
        };
    }
}
