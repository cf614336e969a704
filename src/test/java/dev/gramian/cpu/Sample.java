package dev.gramian.cpu;

import dev.gramian.spec.Seed;
import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.Spec;
import dev.gramian.core.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;

/** Views in every kind of layout, filled and read back one element at a time, for tests of kernels. */
final class Sample {
    static final CpuMemory MEMORY = new CpuMemory(Long.MAX_VALUE / 4, 1L << 30);

    /** Ways to lay a shape out in memory. */
    enum Kind {
        CONTIGUOUS,
        TRANSPOSED,
        SLICED,
        REVERSED,
        EXPANDED
    }

    private Sample() {}

    static CpuStorage storage(long bytes) {
        return MEMORY.allocate(bytes);
    }

    static View fresh(Spec spec) {
        return fresh(spec.dtype(), spec.shape());
    }

    /** Contiguous, full of bytes that no test expects. */
    static View fresh(DType type, Shape shape) {
        CpuStorage s = storage(Math.max(1, shape.size()) * type.bytes());
        for (long i = 0; i < s.bytes(); i++) {
            Mem.u8(s.address + i, 0x5A);
        }
        return new View(s, Layout.contiguous(shape), type);
    }

    static View of(DType type, Kind kind, DoubleSupplier values, long... dims) {
        int rank = dims.length;
        long[] store = dims.clone();
        switch (kind) {
            case CONTIGUOUS, REVERSED -> {}
            case TRANSPOSED -> {
                for (int i = 0; i < rank; i++) {
                    store[i] = dims[rank - 1 - i];
                }
            }
            case SLICED -> {
                for (int i = 0; i < rank; i++) {
                    store[i] = 2 * dims[i] + 1;
                }
            }
            case EXPANDED -> {
                if (rank > 0) {
                    store[rank / 2] = 1;
                }
            }
        }
        View all = fresh(type, Shape.of(store));
        for (long i = 0; i < all.shape().size(); i++) {
            set(type, CpuStorage.address(all) + i * type.bytes(), values.getAsDouble());
        }
        if (all.shape().size() == 0) {
            // slices of nothing keep an offset that leaves the storage
            return new View(all.storage(), Layout.contiguous(Shape.of(dims)), type);
        }
        return new View(all.storage(), view(kind, all.layout(), dims), type);
    }

    private static Layout view(Kind kind, Layout of, long[] dims) {
        int rank = dims.length;
        Layout l = of;
        switch (kind) {
            case CONTIGUOUS -> {}
            case TRANSPOSED -> {
                int[] order = new int[rank];
                for (int i = 0; i < rank; i++) {
                    order[i] = rank - 1 - i;
                }
                l = l.permute(order);
            }
            case SLICED -> {
                for (int i = 0; i < rank; i++) {
                    l = i % 2 == 0 ? l.slice(i, -2, Long.MIN_VALUE, -2) : l.slice(i, 1, Long.MAX_VALUE, 2);
                }
            }
            case REVERSED -> {
                for (int i = 0; i < rank; i++) {
                    l = l.slice(i, Long.MAX_VALUE, Long.MIN_VALUE, -1);
                }
            }
            case EXPANDED -> l = l.expand("test", Shape.of(dims));
        }
        return l;
    }

    static void set(DType t, long a, double v) {
        switch (t) {
            case F64 -> Mem.f64(a, v);
            case F32 -> Mem.f32(a, (float) v);
            case F16, BF16 -> Mem.i16(a, Half.fromDouble(t, v));
            case I64 -> Mem.i64(a, (long) v);
            case I32 -> Mem.i32(a, (int) v);
            case U8 -> Mem.u8(a, (int) v);
            case BOOL -> Mem.u8(a, v != 0 ? 1 : 0);
        }
    }

    static double get(DType t, long a) {
        return switch (t) {
            case F64 -> Mem.f64(a);
            case F32 -> Mem.f32(a);
            case F16, BF16 -> Half.toFloat(t, Mem.i16(a));
            case I64 -> Mem.i64(a);
            case I32 -> Mem.i32(a);
            case U8, BOOL -> Mem.u8(a);
        };
    }

    /** All elements in row-major order. */
    static double[] values(View v) {
        List<long[]> at = coordinates(v.shape());
        double[] r = new double[at.size()];
        long base = ((CpuStorage) v.storage()).address;
        for (int i = 0; i < r.length; i++) {
            r[i] = get(v.dtype(), base + v.layout().index(at.get(i)) * v.dtype().bytes());
        }
        return r;
    }

    static List<long[]> coordinates(Shape s) {
        List<long[]> r = new ArrayList<>();
        if (s.size() == 0) {
            return r;
        }
        long[] c = new long[s.rank()];
        while (true) {
            r.add(c.clone());
            int i = c.length - 1;
            while (i >= 0 && ++c[i] == s.at(i)) {
                c[i--] = 0;
            }
            if (i < 0) {
                return r;
            }
        }
    }

    /** Unit roundoff of a float type. */
    static double eps(DType t) {
        return switch (t) {
            case F64 -> 0x1p-53;
            case F32 -> 0x1p-24;
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-8;
            default -> 0;
        };
    }

    static long seed() {
        long seed = Seed.VALUE;
        System.out.println("replay with -Dgramian.seed=" + seed);
        return seed;
    }

    static DoubleSupplier normal(Random r) {
        return r::nextGaussian;
    }
}
