package dev.gramian.cpu;

import dev.gramian.core.Decomposition;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.SvdMode;
import dev.gramian.core.View;
import java.lang.foreign.Arena;
import java.util.Arrays;

/**
 * Decompositions of stacks of matrices in any layout: each matrix is copied to work memory and decomposed by
 * {@link Lapack} on one thread, the stack being spread over the workers. One large matrix therefore uses one thread.
 */
final class Decompositions {
    /** Work, in multiply-adds, below which handing matrices to other threads costs more than it saves. */
    private static final double GRAIN = 100_000;

    /** Larger copies than this are given back at once instead of staying with the thread. */
    private static final long KEPT_BYTES = 8L << 20;

    private final Lapack lapack;
    private final Workers workers;

    Decompositions(Lapack lapack, Workers workers) {
        this.lapack = lapack;
        this.workers = workers;
    }

    /** {@code a} (..., m, n), finite; {@code out} as {@link Decomposition.Svd} says. */
    void svd(Decomposition.Svd op, View a, View[] out) {
        SvdMode mode = op.mode();
        DType t = a.dtype();
        long m = a.shape().dim(-2);
        long n = a.shape().dim(-1);
        boolean vectors = mode != SvdMode.VALUES;
        View s = vectors ? out[1] : out[0];
        if (m == 0 || n == 0) {
            if (mode == SvdMode.FULL) {
                identities(out[0]);
                identities(out[2]);
            }
            return;
        }
        long sAt = CpuStorage.address(s);
        long uAt = vectors ? CpuStorage.address(out[0]) : 0;
        long vtAt = vectors ? CpuStorage.address(out[2]) : 0;
        long sBytes = bytes(s, 1);
        long uBytes = vectors ? bytes(out[0], 2) : 0;
        long vtBytes = vectors ? bytes(out[2], 2) : 0;
        forEach(a, 8.0 * m * n * Math.min(m, n), (i, matrix) -> lapack.svd(
                mode, t, m, n, matrix, uAt + i * uBytes, sAt + i * sBytes, vtAt + i * vtBytes));
    }

    /** {@code a} (..., n, n), {@code b} and {@code x} (..., n, r). */
    void solve(View a, View b, View x) {
        DType t = a.dtype();
        long n = b.shape().dim(-2);
        long r = b.shape().dim(-1);
        if (x.shape().size() == 0) {
            return;
        }
        long at = CpuStorage.address(x);
        long size = bytes(x, 2);
        Matrices right = new Matrices(b);
        Failures failures = new Failures(a.shape());
        forEach(a, n * n * (n / 3.0 + r), (i, matrix) -> {
            long to = at + i * size;
            right.copy(i, to);
            failures.note(i, lapack.solve(t, n, r, matrix, to));
        });
        failures.check(singular("solve", "a"));
    }

    /** {@code a} and {@code out} (..., n, n). */
    void inverse(View a, View out) {
        DType t = a.dtype();
        long n = a.shape().dim(-1);
        if (n == 0) {
            return;
        }
        long at = CpuStorage.address(out);
        long size = bytes(out, 2);
        Matrices from = new Matrices(a);
        Failures failures = new Failures(a.shape());
        workers.parallelFor(from.count, grain((double) n * n * n), (lo, hi) -> {
            for (long i = lo; i < hi; i++) {
                long to = at + i * size;
                from.copy(i, to);
                failures.note(i, lapack.inverse(t, n, to));
            }
        });
        failures.check(singular("inv", "x"));
    }

    /** {@code a} (..., n, n); {@code out} as {@link Decomposition.Determinant} says. 1 for a 0 x 0 matrix. */
    void determinant(Decomposition.Determinant op, View a, View[] out) {
        DType t = a.dtype();
        long n = a.shape().dim(-1);
        int width = t.bytes();
        long first = CpuStorage.address(out[0]);
        long second = op.log() ? CpuStorage.address(out[1]) : 0;
        forEach(a, n * n * (n / 3.0), (i, matrix) -> {
            double sign = n == 0 ? 1 : lapack.pivots(t, n, matrix);
            // the product as mantissa * 2^exponent: it may leave the range on the way to a result inside it
            double mantissa = 1;
            long exponent = 0;
            for (long k = 0; k < n; k++) {
                double p = get(t, matrix + k * (n + 1) * width);
                if (p < 0) {
                    sign = -sign;
                    p = -p;
                }
                if (p > 0 && p < Double.MIN_NORMAL) {
                    p *= 0x1p60;
                    exponent -= 60;
                }
                int e = Math.getExponent(p);
                if (p == 0) {
                    mantissa = 0;
                } else {
                    mantissa *= p / Math.scalb(1.0, e);
                    exponent += e;
                }
                if (mantissa >= 2) {
                    mantissa /= 2;
                    exponent++;
                }
            }
            if (op.log()) {
                put(t, first + i * width, mantissa == 0 ? 0 : sign);
                put(t, second + i * width, mantissa == 0
                        ? Double.NEGATIVE_INFINITY
                        : Math.log(mantissa) + exponent * Math.log(2));
            } else {
                int e = (int) Math.max(-3000, Math.min(3000, exponent));
                put(t, first + i * width, mantissa == 0 ? 0 : sign * Math.scalb(mantissa, e));
            }
        });
    }

    /** {@code a} (..., n, n); {@code out} as {@link Decomposition.Eigh} says. */
    void eigh(Decomposition.Eigh op, View a, View[] out) {
        DType t = a.dtype();
        long n = a.shape().dim(-1);
        if (n == 0) {
            return;
        }
        long wAt = CpuStorage.address(out[0]);
        long wBytes = bytes(out[0], 1);
        long vAt = op.vectors() ? CpuStorage.address(out[1]) : 0;
        long vBytes = op.vectors() ? bytes(out[1], 2) : 0;
        forEach(a, 4.0 * n * n * n, (i, matrix) -> lapack.eigh(
                op.vectors(), t, n, matrix, wAt + i * wBytes, vAt + i * vBytes));
    }

    /** {@code a} (..., n, n); {@code out} as {@link Decomposition.Eig} says. */
    void eig(Decomposition.Eig op, View a, View[] out) {
        DType t = a.dtype();
        long n = a.shape().dim(-1);
        if (n == 0) {
            return;
        }
        boolean vectors = op.vectors();
        long reAt = CpuStorage.address(out[0]);
        long imAt = CpuStorage.address(out[1]);
        long wBytes = bytes(out[0], 1);
        long vreAt = vectors ? CpuStorage.address(out[2]) : 0;
        long vimAt = vectors ? CpuStorage.address(out[3]) : 0;
        long vBytes = vectors ? bytes(out[2], 2) : 0;
        forEach(a, 10.0 * n * n * n, (i, matrix) -> lapack.eig(
                vectors, t, n, matrix, reAt + i * wBytes, imAt + i * wBytes, vreAt + i * vBytes, vimAt + i * vBytes));
    }

    /** {@code a} (..., m, n); {@code out} as {@link Decomposition.Qr} says. */
    void qr(Decomposition.Qr op, View a, View[] out) {
        DType t = a.dtype();
        long m = a.shape().dim(-2);
        long n = a.shape().dim(-1);
        if (m == 0 || n == 0) {
            if (op.full()) {
                identities(out[0]);
            }
            return;
        }
        long qAt = CpuStorage.address(out[0]);
        long rAt = CpuStorage.address(out[1]);
        long qBytes = bytes(out[0], 2);
        long rBytes = bytes(out[1], 2);
        forEach(a, 2.0 * m * n * Math.min(m, n), (i, matrix) -> lapack.qr(
                op.full(), t, m, n, matrix, qAt + i * qBytes, rAt + i * rBytes));
    }

    /** {@code a} and {@code out} (..., n, n). */
    void cholesky(View a, View out) {
        DType t = a.dtype();
        long n = a.shape().dim(-1);
        if (n == 0) {
            return;
        }
        long at = CpuStorage.address(out);
        long size = bytes(out, 2);
        Matrices from = new Matrices(a);
        Failures failures = new Failures(a.shape());
        workers.parallelFor(from.count, grain(n * n * (n / 6.0)), (lo, hi) -> {
            for (long i = lo; i < hi; i++) {
                long to = at + i * size;
                from.copy(i, to);
                failures.note(i, lapack.cholesky(t, n, to) - 1);
            }
        });
        failures.check(
                (where, minor) -> "cholesky: matrix is not positive definite; x " + where + ", leading minor of order "
                        + (minor + 1) + "; add to the diagonal, or use eigh");
    }

    /** {@code a} (..., m, n); {@code out} as {@link Decomposition.Lu} says. */
    void lu(View a, View[] out) {
        DType t = a.dtype();
        long m = a.shape().dim(-2);
        long n = a.shape().dim(-1);
        long pAt = CpuStorage.address(out[0]);
        long pBytes = bytes(out[0], 1);
        if (n == 0) {
            for (long i = 0; i < out[0].shape().size(); i++) {
                Mem.i64(pAt + 8 * i, i % m);
            }
        }
        if (m == 0 || n == 0) {
            return;
        }
        long lAt = CpuStorage.address(out[1]);
        long uAt = CpuStorage.address(out[2]);
        long lBytes = bytes(out[1], 2);
        long uBytes = bytes(out[2], 2);
        forEach(a, 0.5 * m * n * Math.min(m, n), (i, matrix) -> lapack.lu(
                t, m, n, matrix, pAt + i * pBytes, lAt + i * lBytes, uAt + i * uBytes));
    }

    /** {@code a} (..., n, n), {@code b} and {@code x} (..., n, r). */
    void solveTriangular(Decomposition.TriangularSolve op, View a, View b, View x) {
        DType t = a.dtype();
        long n = b.shape().dim(-2);
        long r = b.shape().dim(-1);
        if (x.shape().size() == 0) {
            return;
        }
        long at = CpuStorage.address(x);
        long size = bytes(x, 2);
        Matrices right = new Matrices(b);
        Failures singular = new Failures(a.shape());
        forEach(a, n * n * (r / 2.0), (i, matrix) -> {
            for (long k = 0; k < n && !op.unit(); k++) {
                if (get(t, matrix + k * (n + 1) * t.bytes()) == 0) {
                    singular.note(i, k);
                    return;
                }
            }
            long to = at + i * size;
            right.copy(i, to);
            lapack.solveTriangular(op.lower(), op.transpose(), op.unit(), t, n, r, matrix, to);
        });
        singular.check(
                (where, k) -> "solveTriangular: matrix is singular; a " + where + ", diagonal element " + k
                        + " is zero; use Linalg.lstsq or check the rank");
    }

    // ---- stacks -----------------------------------------------------------------------------------------------------

    @FunctionalInterface
    private interface Body {
        /** {@code matrix}: address of a contiguous copy of the matrix at batch {@code index}, free to be destroyed. */
        void run(long index, long matrix);
    }

    /** Runs {@code body} on a copy of each matrix of {@code a}; {@code work}: multiply-adds a matrix takes. */
    private void forEach(View a, double work, Body body) {
        Matrices from = new Matrices(a);
        workers.parallelFor(from.count, grain(work), (lo, hi) -> {
            if (from.bytes > KEPT_BYTES) {
                try (Arena arena = Arena.ofConfined()) {
                    long matrix = arena.allocate(from.bytes, 64).address();
                    each(from, lo, hi, matrix, body);
                }
            } else {
                each(from, lo, hi, Scratch.take(Scratch.Slot.MATRIX, from.bytes), body);
            }
        });
    }

    private static void each(Matrices from, long lo, long hi, long matrix, Body body) {
        for (long i = lo; i < hi; i++) {
            from.copy(i, matrix);
            body.run(i, matrix);
        }
    }

    private static long grain(double work) {
        return (long) Math.max(1, GRAIN / Math.max(1, work));
    }

    /** Bytes of the last {@code axes} axes: from one result of the stack to the next. */
    private static long bytes(View out, int axes) {
        Shape s = out.shape();
        return s.slice(s.rank() - axes, s.rank()).size() * out.dtype().bytes();
    }

    private static void identities(View out) {
        long n = out.shape().dim(-1);
        long at = CpuStorage.address(out);
        int width = out.dtype().bytes();
        Mem.zero(at, out.shape().size() * width);
        for (long i = 0; i < out.shape().size(); i += n * n) {
            for (long k = 0; k < n; k++) {
                put(out.dtype(), at + (i + k * (n + 1)) * width, 1);
            }
        }
    }

    private static double get(DType t, long at) {
        return t == DType.F64 ? Mem.f64(at) : Mem.f32(at);
    }

    private static void put(DType t, long at, double v) {
        if (t == DType.F64) {
            Mem.f64(at, v);
        } else {
            Mem.f32(at, (float) v);
        }
    }

    /** The matrices on the last two axes of a view, by batch index in row-major order. */
    private static final class Matrices {
        final Shape batch;
        final long count;
        final long bytes;
        private final Layout layout;
        private final long address;
        private final int width;
        private final long rows;
        private final long columns;
        private final long rowStride;
        private final long columnStride;

        Matrices(View v) {
            layout = v.layout();
            int r = layout.rank();
            batch = v.shape().slice(0, r - 2);
            count = batch.size();
            width = v.dtype().bytes();
            rows = v.shape().at(r - 2);
            columns = v.shape().at(r - 1);
            bytes = rows * columns * width;
            rowStride = layout.stride(r - 2);
            columnStride = layout.stride(r - 1);
            address = CpuStorage.address(v);
        }

        /** Copies matrix {@code index} to {@code to}, row-major and contiguous. */
        void copy(long index, long to) {
            long at = 0;
            long rest = index;
            for (int axis = batch.rank() - 1; axis >= 0; axis--) {
                at += rest % batch.at(axis) * layout.stride(axis);
                rest /= batch.at(axis);
            }
            long from = address + at * width;
            if (columnStride == 1 && rowStride == columns) {
                Mem.copy(from, to, bytes);
                return;
            }
            for (long i = 0; i < rows; i++) {
                long row = from + i * rowStride * width;
                if (columnStride == 1) {
                    Mem.copy(row, to, columns * width);
                } else if (width == 8) {
                    for (long j = 0; j < columns; j++) {
                        Mem.i64(to + 8 * j, Mem.i64(row + 8 * j * columnStride));
                    }
                } else {
                    for (long j = 0; j < columns; j++) {
                        Mem.i32(to + 4 * j, Mem.i32(row + 4 * j * columnStride));
                    }
                }
                to += columns * width;
            }
        }
    }

    /** Collects the matrices of a stack that failed, so that the error names the first whatever the threads' order. */
    private static final class Failures {
        private final Shape shape;
        /** Batch index and detail of the first so far. */
        private long[] first = {Long.MAX_VALUE, 0};

        Failures(Shape shape) {
            this.shape = shape;
        }

        /** {@code detail} (a pivot, a minor) is negative where nothing failed. */
        void note(long index, long detail) {
            if (detail >= 0) {
                noteFirst(index, detail);
            }
        }

        private synchronized void noteFirst(long index, long detail) {
            if (index < first[0]) {
                first = new long[] {index, detail};
            }
        }

        synchronized void check(Message message) {
            long index = first[0];
            if (index == Long.MAX_VALUE) {
                return;
            }
            long[] at = new long[shape.rank() - 2];
            long rest = index;
            for (int axis = at.length - 1; axis >= 0; axis--) {
                at[axis] = rest % shape.at(axis);
                rest /= shape.at(axis);
            }
            throw new GramianException(
                    message.of(shape + (at.length == 0 ? "" : " at batch " + Arrays.toString(at)), first[1]));
        }
    }

    @FunctionalInterface
    private interface Message {
        String of(String where, long detail);
    }

    private static Message singular(String op, String operand) {
        return (where, pivot) -> op + ": matrix is singular; " + operand + " " + where + ", pivot " + pivot
                + " is zero; use Linalg.pinv or check the rank";
    }
}
