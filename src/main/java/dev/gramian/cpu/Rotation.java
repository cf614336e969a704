package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;

/** Turns pairs of channels: every row is read once and written once. Parallel over rows. */
final class Rotation {
    /** Rotates {@code pairs} pairs from x to y, which do not overlap; all four ranges without gaps. */
    interface Kernel {
        void run(long x, long cos, long sin, long y, long pairs);
    }

    private final boolean vector;
    private final Workers workers;

    Rotation(CpuPath path, Workers workers) {
        this.vector = path.vector();
        this.workers = workers;
    }

    private Kernel kernel(DType type, boolean interleaved) {
        if (type == DType.F64) {
            return interleaved ? Rotation::interleavedF64 : Rotation::halvesF64;
        }
        if (vector) {
            return interleaved ? VectorRotation::interleaved : VectorRotation::halves;
        }
        return interleaved
                ? (x, c, s, y, n) -> interleavedF32(x, c, s, y, 0, n)
                : (x, c, s, y, n) -> halvesF32(x, c, s, y, 0, n, n);
    }

    /** Cosines or sines broadcast to x's rows. */
    private record Table(DType type, long address, Walk lines, Walk along) {
        static Table of(View t, Shape target) {
            View wide = new View(t.storage(), t.layout().expand("rotate", target), t.dtype());
            int rank = target.rank();
            return new Table(t.dtype(), CpuStorage.address(wide), Walk.of(wide, Reductions.others(rank, rank - 1)),
                    Walk.of(wide, rank - 1));
        }

        long row(long r, Scratch.Slot slot) {
            long at = address + lines.offset(r);
            if (along.step() == type.bytes()) {
                return at;
            }
            long block = Scratch.take(slot, along.size * type.bytes());
            along.read(false, type, at, 0, along.size, block);
            return block;
        }
    }

    void rotate(Op.Rotate op, View[] in, View out) {
        View x = in[0];
        if (x.layout().size() == 0) {
            return;
        }
        int rank = x.shape().rank();
        DType type = x.dtype();
        DType compute = type.compute();
        int width = type.bytes();
        int wide = compute.bytes();
        long n = x.shape().at(rank - 1);
        long pairs = in[1].shape().dim(-1);
        Shape target = x.shape().with(rank - 1, pairs);
        Table cos = Table.of(in[1], target);
        Table sin = Table.of(in[2], target);
        Walk rows = Walk.of(x, Reductions.others(rank, rank - 1));
        Walk results = Walk.of(out, Reductions.others(rank, rank - 1));
        Walk along = Walk.of(x, rank - 1);
        boolean dense = along.step() == width;
        boolean half = type != compute;
        Kernel kernel = kernel(compute, op.interleaved());
        long from = CpuStorage.address(x);
        long to = CpuStorage.address(out);
        workers.parallelFor(rows.size, Math.max(1, Elementwise.GRAIN / n), (begin, end) -> {
            for (long r = begin; r < end; r++) {
                long row = from + rows.offset(r);
                long result = to + results.offset(r);
                if (!dense || half) {
                    long block = Scratch.take(Scratch.Slot.X, n * wide);
                    along.read(vector, type, row, 0, n, block);
                    row = block;
                }
                long y = half ? Scratch.take(Scratch.Slot.OUT, n * wide) : result;
                kernel.run(row, cos.row(r, Scratch.Slot.Y), sin.row(r, Scratch.Slot.Z), y, pairs);
                if (n > 2 * pairs) {
                    Mem.copy(row + 2 * pairs * wide, y + 2 * pairs * wide, (n - 2 * pairs) * wide);
                }
                if (half) {
                    Casts.run(vector, compute, type, y, result, n);
                }
            }
        });
    }

    /** Pairs {@code from} to {@code to} of n. */
    static void halvesF32(long x, long cos, long sin, long y, long from, long to, long n) {
        for (long i = from; i < to; i++) {
            float c = Mem.f32(cos + 4 * i);
            float s = Mem.f32(sin + 4 * i);
            float a = Mem.f32(x + 4 * i);
            float b = Mem.f32(x + 4 * (i + n));
            Mem.f32(y + 4 * i, a * c - b * s);
            Mem.f32(y + 4 * (i + n), b * c + a * s);
        }
    }

    static void interleavedF32(long x, long cos, long sin, long y, long from, long to) {
        for (long i = from; i < to; i++) {
            float c = Mem.f32(cos + 4 * i);
            float s = Mem.f32(sin + 4 * i);
            float a = Mem.f32(x + 8 * i);
            float b = Mem.f32(x + 8 * i + 4);
            Mem.f32(y + 8 * i, a * c - b * s);
            Mem.f32(y + 8 * i + 4, b * c + a * s);
        }
    }

    private static void halvesF64(long x, long cos, long sin, long y, long n) {
        for (long i = 0; i < n; i++) {
            double c = Mem.f64(cos + 8 * i);
            double s = Mem.f64(sin + 8 * i);
            double a = Mem.f64(x + 8 * i);
            double b = Mem.f64(x + 8 * (i + n));
            Mem.f64(y + 8 * i, a * c - b * s);
            Mem.f64(y + 8 * (i + n), b * c + a * s);
        }
    }

    private static void interleavedF64(long x, long cos, long sin, long y, long n) {
        for (long i = 0; i < n; i++) {
            double c = Mem.f64(cos + 8 * i);
            double s = Mem.f64(sin + 8 * i);
            double a = Mem.f64(x + 16 * i);
            double b = Mem.f64(x + 16 * i + 8);
            Mem.f64(y + 16 * i, a * c - b * s);
            Mem.f64(y + 16 * i + 8, b * c + a * s);
        }
    }
}
