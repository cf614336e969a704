package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.ShapeException;
import dev.gramian.cuda.DenseSolver.Call;
import dev.gramian.cuda.MatrixKernels.Part;
import jcuda.Pointer;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasDiagType;
import jcuda.jcublas.cublasFillMode;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasSideMode;

/**
 * Matrices one after the other by cuSOLVER and cuBLAS, through column-major work memory of one matrix. What is near the ends of
 * the range is first multiplied by a power of two, since the libraries do not say that they do.
 */
final class LargeMatrices {
    /** Exponents of largest magnitudes up to which squares and sums of products stay in range. */
    private static final int CALM_F32 = 30;

    private static final int CALM_F64 = 300;

    private final MatrixKernels kernels;
    private final DenseSolver[] solvers = new DenseSolver[64];
    private final CudaContext context;
    private final BlockKernels determinant;
    private final BlockKernels permutation;

    LargeMatrices(CudaContext context, MatrixKernels kernels) {
        this.context = context;
        this.kernels = kernels;
        permutation = new BlockKernels(context, "lu", "permutation", false);
        determinant = new BlockKernels(context, "lu", "determinant", false);
    }

    /** cuSOLVER on a lane that the caller holds. */
    DenseSolver solver(Lane lane) {
        if (solvers[lane.index] == null) {
            solvers[lane.index] = new DenseSolver(lane);
        }
        return solvers[lane.index];
    }

    /** Where squares may leave the range. */
    private void normalise(Lane lane, boolean f64, long size, long x, long exponent) {
        int calm = f64 ? CALM_F64 : CALM_F32;
        kernels.normalise(lane, f64, size, 1, x, -calm, calm, exponent);
    }

    /** A column-major matrix in work memory, ld elements from column to column. */
    static Stack columns(Stack of, long address, long rows, long columns, long ld) {
        return new Stack(of.dtype(), of.shape(), address, rows, columns, 1, ld, new long[0], new long[0]);
    }

    /** LU factors of one matrix after the other in the same memory. */
    private final class Lu {
        final Lane lane;
        final Call call;
        final Stack stack;
        final DenseSolver solver;
        final long m;
        final long n;
        final long a;
        final long pivots;
        final long exponent;

        Lu(Lane lane, Temporaries t, String op, Stack stack) {
            this.lane = lane;
            this.stack = stack;
            call = new Call(t, stack.f64(), op);
            solver = solver(lane);
            m = stack.rows();
            n = stack.columns();
            a = t.device(m * n * stack.width());
            pivots = t.device(Math.min(m, n) * 8);
            exponent = t.device(4);
        }

        void factor(long matrix, long info) {
            kernels.pack(lane, call.op(), stack.one(matrix), Part.ALL, a);
            // of a subnormal pivot the inverse is infinite; large ones are no trouble, and what is small beside them stays
            kernels.normalise(lane, call.f64(), m * n, 1, a, call.f64() ? -2 * CALM_F64 : -2 * CALM_F32, 2000,
                    exponent);
            solver.getrf(call, m, n, a, pivots, info);
        }

        /** The first k rows or columns of what is in work memory. */
        Stack part(long rows, long columns) {
            return columns(stack, a, rows, columns, m);
        }
    }

    void lu(Lane lane, Temporaries t, Stack a, long p, long l, long u, Infos infos) {
        Lu lu = new Lu(lane, t, "lu", a);
        long k = Math.min(lu.m, lu.n);
        int w = a.width();
        for (long i = 0; i < a.count(); i++) {
            lu.factor(i, infos.at(i, 0));
            permutation(lane, a.f64(), 1, lu.m, k, lu.pivots, p + 8 * i * lu.m);
            kernels.move(lane, "lu", lu.part(lu.m, k), Part.UNIT_LOWER, l + i * lu.m * k * w, 0, k, 1, 0, false);
            kernels.move(lane, "lu", lu.part(k, lu.n), Part.UPPER, u + i * k * lu.n * w, 0, lu.n, 1, lu.exponent, true);
        }
    }

    /** p (count, m) I64 from k interchanges each. */
    void permutation(Lane lane, boolean f64, long count, long m, long k, long pivots, long p) {
        boolean shared = 4 * m <= context.sharedOptIn();
        lane.launch().i64(m).i64(k).pointer(pivots).pointer(p).i32(shared ? 1 : 0)
                .run(permutation.get(f64), count, 1, 1, 256, shared ? (int) (4 * m) : 0);
    }

    /** x of a x = b; infos: of getrf, of getrs. */
    void solve(Lane lane, Temporaries t, Stack a, Stack b, long x, Infos infos) {
        Lu lu = new Lu(lane, t, "solve", a);
        long n = lu.n;
        long r = b.columns();
        long right = t.device(n * r * a.width());
        for (long i = 0; i < a.count(); i++) {
            lu.factor(i, infos.at(i, 0));
            kernels.pack(lane, "solve", b.one(i), Part.ALL, right);
            lu.solver.getrs(lu.call, false, n, r, lu.a, lu.pivots, right, infos.at(i, 1));
            // (s a) y = b: x = s y
            kernels.move(lane, "solve", columns(a, right, n, r, n), Part.ALL,
                    x + i * n * r * a.width(), 0, r, 1, lu.exponent, false);
        }
    }

    /**
     * Waits; throws {@code message} for the first singular matrix. One that is not finite is not singular, whatever getrf says:
     * its NaN travel.
     */
    void checkPivots(Lane lane, Temporaries t, Stack a, Infos infos, Infos.Message message) {
        int[] found = infos.failures();
        long copy = found == null ? 0 : t.device(a.rows() * a.columns() * a.width());
        for (long i = 0; found != null && i < a.count(); i++) {
            if (found[(int) (2 * i)] > 0) {
                kernels.pack(lane, "checking", a.one(i), Part.ALL, copy);
                if (!kernels.finite(lane, a.f64(), a.rows() * a.columns(), copy)) {
                    infos.clear(i, 0);
                }
            }
        }
        if (found != null) {
            infos.check(message);
        }
    }

    void inverse(Lane lane, Temporaries t, Stack a, long out, Infos infos) {
        Lu lu = new Lu(lane, t, "inv", a);
        long n = lu.n;
        for (long i = 0; i < a.count(); i++) {
            long to = out + i * n * n * a.width();
            lu.factor(i, infos.at(i, 0));
            // aᵀ x = 1 in columns is the inverse in rows
            kernels.identity(lane, "inv", a.dtype(), n, n, 1, to);
            lu.solver.getrs(lu.call, true, n, n, lu.a, lu.pivots, to, infos.at(i, 1));
            kernels.rescale(lane, a.f64(), n * n, 1, to, lu.exponent, false);
        }
    }

    /** second 0: determinants; else signs and logarithms of magnitudes. */
    void determinant(Lane lane, Temporaries t, String op, Stack a, long first, long second, Infos infos) {
        Lu lu = new Lu(lane, t, op, a);
        for (long i = 0; i < a.count(); i++) {
            lu.factor(i, infos.at(i, 0));
            lane.launch().i64(lu.n).pointer(lu.a).pointer(lu.pivots).pointer(lu.exponent)
                    .pointer(first + i * a.width()).pointer(second == 0 ? 0 : second + i * a.width())
                    .run(determinant.get(a.f64()), 1, 1, 1, 32, 0);
        }
    }

    void cholesky(Lane lane, Temporaries t, Stack a, long out, Infos infos) {
        long n = a.rows();
        Call call = new Call(t, a.f64(), "cholesky");
        // L in rows is U of a = UᵀU in columns: in place, zeros on the other side
        kernels.move(lane, "cholesky", a, Part.LOWER, out, n * n, n, 1, 0, false);
        for (long i = 0; i < a.count(); i++) {
            solver(lane).potrf(call, n, out + i * n * n * a.width(), infos.at(i, 0));
        }
    }

    /** Eigenvalues to w and, where v is not 0, eigenvectors in columns to v. */
    void eigh(Lane lane, Temporaries t, String op, Stack a, long w, long v, Infos infos) {
        long n = a.rows();
        int width = a.width();
        Call call = new Call(t, a.f64(), op);
        long x = t.device(n * n * width);
        long exponent = t.device(4);
        for (long i = 0; i < a.count(); i++) {
            kernels.pack(lane, op, a.one(i), Part.SYMMETRIC, x);
            normalise(lane, a.f64(), n * n, x, exponent);
            solver(lane).syevd(call, v != 0, n, x, w + i * n * width, infos.at(i, 0));
            kernels.rescale(lane, a.f64(), n, 1, w + i * n * width, exponent, true);
            if (v != 0) {
                kernels.move(lane, op, columns(a, x, n, n, n), Part.ALL, v + i * n * n * width, 0, n,
                        1, 0, false);
            }
        }
    }

    /** q (m, k), k = m where full, else min(m, n); r (k, n). infos: of geqrf, of orgqr. */
    void qr(Lane lane, Temporaries t, boolean full, Stack a, long q, long r, Infos infos) {
        long m = a.rows();
        long n = a.columns();
        long least = Math.min(m, n);
        long k = full ? m : least;
        int w = a.width();
        Call call = new Call(t, a.f64(), "qr");
        long x = t.device(m * Math.max(n, k) * w);
        long tau = t.device(least * w);
        long exponent = t.device(4);
        for (long i = 0; i < a.count(); i++) {
            kernels.pack(lane, "qr", a.one(i), Part.ALL, x);
            normalise(lane, a.f64(), m * n, x, exponent);
            solver(lane).geqrf(call, m, n, x, tau, infos.at(i, 0));
            long to = r + i * k * n * w;
            kernels.move(lane, "qr", columns(a, x, k, n, m), Part.UPPER, to, 0, n, 1, exponent, true);
            solver(lane).orgqr(call, m, k, least, x, tau, infos.at(i, 1));
            kernels.move(lane, "qr", columns(a, x, m, k, m), Part.ALL, q + i * m * k * w, 0, k, 1, 0,
                    false);
        }
    }

    // ---- triangular systems ------------------------------------------------------------------------------------------

    /** One operation op(a) x = b. */
    record Triangle(boolean lower, boolean transpose, boolean unit) {}

    void solveTriangular(Lane lane, Temporaries t, Triangle how, Stack a, Stack b, long x) {
        String op = "solveTriangular";
        long n = a.rows();
        long r = b.columns();
        kernels.move(lane, op, b, Part.ALL, x, n * r, r, 1, 0, false);
        boolean inRows = a.columnStride() == 1 && a.rowStride() >= n;
        boolean inColumns = a.rowStride() == 1 && a.columnStride() >= n;
        long copy = inRows || inColumns ? 0 : t.device(n * n * a.width());
        for (long i = 0; i < a.count(); i++) {
            long at = a.at(i);
            if (copy != 0) {
                kernels.move(lane, op, a.one(i), Part.ALL, copy, 0, n, 1, 0, false);
                at = copy;
            }
            trsm(lane, a.dtype(), how, inColumns && !inRows, n, r, at,
                    copy != 0 ? n : inRows ? a.rowStride() : a.columnStride(), x + i * n * r * a.width());
        }
    }

    /** x (n, r) in rows is xᵀ in columns: xᵀ op(a)ᵀ = bᵀ, a being the transpose of what its memory is in columns. */
    private static void trsm(Lane lane, DType t, Triangle how, boolean inColumns, long n, long r, long a, long ld,
            long x) {
        cublasHandle h = lane.blas();
        int side = cublasSideMode.CUBLAS_SIDE_RIGHT;
        int uplo = how.lower == inColumns
                ? cublasFillMode.CUBLAS_FILL_MODE_LOWER
                : cublasFillMode.CUBLAS_FILL_MODE_UPPER;
        int op = how.transpose == inColumns ? cublasOperation.CUBLAS_OP_N : cublasOperation.CUBLAS_OP_T;
        int diagonal = how.unit ? cublasDiagType.CUBLAS_DIAG_UNIT : cublasDiagType.CUBLAS_DIAG_NON_UNIT;
        String what = "cublastrsm, " + n + " x " + r;
        if (n > Integer.MAX_VALUE || r > Integer.MAX_VALUE || ld > Integer.MAX_VALUE) {
            throw new ShapeException("solveTriangular: matrix is too large for cuBLAS's 32-bit sizes; a [" + n + ", "
                    + n + "], b [" + n + ", " + r + "]; use smaller blocks");
        }
        Pointer one = lane.scalar(0, t == DType.F64, 1);
        if (t == DType.F64) {
            Status.blas(JCublas2.cublasDtrsm(h, side, uplo, op, diagonal, (int) r, (int) n, one, Pointers.device(a),
                    (int) ld, Pointers.device(x), (int) r), what);
        } else {
            Status.blas(JCublas2.cublasStrsm(h, side, uplo, op, diagonal, (int) r, (int) n, one, Pointers.device(a),
                    (int) ld, Pointers.device(x), (int) r), what);
        }
    }
}
