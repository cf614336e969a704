package dev.gramian.cuda;

import dev.gramian.core.ShapeException;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcublas.cublasFillMode;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasSideMode;
import jcuda.jcusolver.JCusolverDn;
import jcuda.jcusolver.cusolverEigMode;

/**
 * cuSOLVER's dense functions on one lane: column-major matrices of F32 or F64 at device addresses, workspace from
 * {@link Temporaries}, every status checked; what goes wrong with the numbers goes to the info addresses.
 *
 * <p>The 64-bit functions where there are any, which is not so of orgqr, ormqr and gesvdj. By JCusolverDn except for what it
 * cannot call: {@link SolverFunctions}.
 */
final class DenseSolver {
    private final Pointers.Solver handle;
    private final Pointers.SolverParams params = new Pointers.SolverParams();
    private long jacobi;

    DenseSolver(Lane lane) {
        handle = lane.solver();
        Status.solver(JCusolverDn.cusolverDnCreateParams(params), "cusolverDnCreateParams");
    }

    /** On which operation's behalf, with its temporary memory and type. */
    record Call(Temporaries memory, boolean f64, String op) {
        int type() {
            return f64 ? cudaDataType.CUDA_R_64F : cudaDataType.CUDA_R_32F;
        }

        Pointer work(long elements) {
            return p(memory.work(elements * (f64 ? 8 : 4)));
        }
    }

    /** Workspace of the 64-bit functions, a part on the device and one on the host. */
    private final class Work {
        final long deviceBytes;
        final long hostBytes;
        final long device;
        final long host;

        /** As the function's _bufferSize says, its arguments but the two for the answer. */
        Work(Call c, String function, String what, Object... arguments) {
            long sizes = c.memory.hostWork(16);
            Object[] all = new Object[arguments.length + 4];
            all[0] = handle.address();
            all[1] = params.address();
            System.arraycopy(arguments, 0, all, 2, arguments.length);
            all[all.length - 2] = sizes;
            all[all.length - 1] = sizes + 8;
            SolverFunctions.call(function + "_bufferSize", what, all);
            deviceBytes = HostMemory.i64(sizes);
            hostBytes = HostMemory.i64(sizes + 8);
            device = c.memory.work(deviceBytes);
            host = c.memory.hostWork(hostBytes);
        }
    }

    private static Pointer p(long address) {
        return Pointers.device(address);
    }

    private static String what(String function, long m, long n) {
        return function + ", " + m + " x " + n;
    }

    /** Sizes for a function of 32-bit sizes. */
    private static void small(Call c, long m, long n) {
        if (m > Integer.MAX_VALUE || n > Integer.MAX_VALUE || Math.multiplyHigh(m, n) != 0
                || m * n > Integer.MAX_VALUE) {
            throw new ShapeException(c.op + ": matrix is too large for cuSOLVER's 32-bit sizes; x [" + m + ", " + n
                    + "]; use smaller blocks");
        }
    }

    // ---- orthogonal factors ------------------------------------------------------------------------------------------

    /** a (m, n) becomes R and reflections. */
    void geqrf(Call c, long m, long n, long a, long tau, long info) {
        String what = what("cusolverDnXgeqrf", m, n);
        int t = c.type();
        Work w = new Work(c, "cusolverDnXgeqrf", what, m, n, t, a, m, t, tau, t);
        Status.solver(JCusolverDn.cusolverDnXgeqrf(handle, params, m, n, t, p(a), m, t, p(tau), t, p(w.device),
                w.deviceBytes, Pointers.host(w.host), w.hostBytes, p(info)), what);
    }

    /** Reflections in the first k columns of a become columns of Q (m, n). */
    void orgqr(Call c, long rows, long columns, long reflections, long a, long tau, long info) {
        small(c, rows, columns);
        int m = (int) rows;
        int n = (int) columns;
        int k = (int) reflections;
        String what = what("cusolverDnorgqr", m, n);
        int[] size = new int[1];
        if (c.f64) {
            Status.solver(JCusolverDn.cusolverDnDorgqr_bufferSize(handle, m, n, k, p(a), m, p(tau), size), what);
            Status.solver(JCusolverDn.cusolverDnDorgqr(handle, m, n, k, p(a), m, p(tau), c.work(size[0]), size[0],
                    p(info)), what);
        } else {
            Status.solver(JCusolverDn.cusolverDnSorgqr_bufferSize(handle, m, n, k, p(a), m, p(tau), size), what);
            Status.solver(JCusolverDn.cusolverDnSorgqr(handle, m, n, k, p(a), m, p(tau), c.work(size[0]), size[0],
                    p(info)), what);
        }
    }

    /** x (m, n) becomes Q x, Q of k reflections in a (m, k). */
    void ormqr(Call c, long rows, long columns, long reflections, long a, long tau, long x, long info) {
        small(c, rows, Math.max(columns, reflections));
        int left = cublasSideMode.CUBLAS_SIDE_LEFT;
        int op = cublasOperation.CUBLAS_OP_N;
        int m = (int) rows;
        int n = (int) columns;
        int k = (int) reflections;
        String what = what("cusolverDnormqr", m, n);
        int[] size = new int[1];
        if (c.f64) {
            Status.solver(JCusolverDn.cusolverDnDormqr_bufferSize(handle, left, op, m, n, k, p(a), m, p(tau), p(x), m,
                    size), what);
            Status.solver(JCusolverDn.cusolverDnDormqr(handle, left, op, m, n, k, p(a), m, p(tau), p(x), m,
                    c.work(size[0]), size[0], p(info)), what);
        } else {
            Status.solver(JCusolverDn.cusolverDnSormqr_bufferSize(handle, left, op, m, n, k, p(a), m, p(tau), p(x), m,
                    size), what);
            Status.solver(JCusolverDn.cusolverDnSormqr(handle, left, op, m, n, k, p(a), m, p(tau), p(x), m,
                    c.work(size[0]), size[0], p(info)), what);
        }
    }

    // ---- triangular factors ------------------------------------------------------------------------------------------

    /** a (m, n) becomes L and U; pivots (min(m, n)) i64, from 1. */
    void getrf(Call c, long m, long n, long a, long pivots, long info) {
        String what = what("cusolverDnXgetrf", m, n);
        int t = c.type();
        Work w = new Work(c, "cusolverDnXgetrf", what, m, n, t, a, m, t);
        SolverFunctions.call("cusolverDnXgetrf", what, handle.address(), params.address(), m, n, t, a, m, pivots, t,
                w.device, w.deviceBytes, w.host, w.hostBytes, info);
    }

    /** b (n, r) becomes x of a x = b, or of aᵀ x = b, with getrf's factors. */
    void getrs(Call c, boolean transposed, long n, long r, long a, long pivots, long b, long info) {
        int op = transposed ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
        int t = c.type();
        SolverFunctions.call("cusolverDnXgetrs", what("cusolverDnXgetrs", n, r), handle.address(), params.address(), op,
                n,
                r, t, a, n, pivots, t, b, n, info);
    }

    /** The upper triangle of a (n, n) becomes U of a = UᵀU; the other is neither read nor written. */
    void potrf(Call c, long n, long a, long info) {
        String what = what("cusolverDnXpotrf", n, n);
        int upper = cublasFillMode.CUBLAS_FILL_MODE_UPPER;
        int t = c.type();
        Work w = new Work(c, "cusolverDnXpotrf", what, upper, n, t, a, n, t);
        Status.solver(JCusolverDn.cusolverDnXpotrf(handle, params, upper, n, t, p(a), n, t, p(w.device), w.deviceBytes,
                Pointers.host(w.host), w.hostBytes, p(info)), what);
    }

    // ---- eigenvalues and singular values -----------------------------------------------------------------------------

    private static int mode(boolean vectors) {
        return vectors ? cusolverEigMode.CUSOLVER_EIG_MODE_VECTOR : cusolverEigMode.CUSOLVER_EIG_MODE_NOVECTOR;
    }

    /** a (n, n), symmetric, becomes eigenvectors in columns or is destroyed; w ascends. */
    void syevd(Call c, boolean vectors, long n, long a, long values, long info) {
        String what = what("cusolverDnXsyevd", n, n);
        int lower = cublasFillMode.CUBLAS_FILL_MODE_LOWER;
        int mode = mode(vectors);
        int t = c.type();
        Work w = new Work(c, "cusolverDnXsyevd", what, mode, lower, n, t, a, n, t, values, t);
        Status.solver(JCusolverDn.cusolverDnXsyevd(handle, params, mode, lower, n, t, p(a), n, t, p(values), t,
                p(w.device), w.deviceBytes, Pointers.host(w.host), w.hostBytes, p(info)), what);
    }

    /** a (m, n), m >= n, is destroyed. u (m, n), or (m, m) where full, vt (n, n); u 0: s alone. */
    void gesvd(Call c, boolean full, long m, long n, long a, long s, long u, long vt, long info) {
        String what = what("cusolverDnXgesvd", m, n);
        char job = u == 0 ? 'N' : full ? 'A' : 'S';
        int t = c.type();
        Work w = new Work(c, "cusolverDnXgesvd", what, (byte) job, (byte) job, m, n, t, a, m, t, s, t, u, m, t, vt, n,
                t);
        Status.solver(JCusolverDn.cusolverDnXgesvd(handle, params, job, job, m, n, t, p(a), m, t, p(s), t, p(u), m, t,
                p(vt), n, t, p(w.device), w.deviceBytes, Pointers.host(w.host), w.hostBytes, p(info)), what);
    }

    /**
     * a (m, n) is destroyed. u (m, k), v (n, k), k = min(m, n), or square where full. Where not vectors they are work memory of
     * the same sizes.
     */
    void gesvdj(Call c, boolean vectors, boolean full, long rows, long columns, long a, long s, long u, long v,
            long info) {
        small(c, rows, columns);
        int m = (int) rows;
        int n = (int) columns;
        int mode = mode(vectors);
        int economy = full ? 0 : 1;
        String what = what("cusolverDngesvdj", m, n);
        String name = c.f64 ? "cusolverDnDgesvdj" : "cusolverDnSgesvdj";
        long slot = c.memory.hostWork(16);
        HostMemory.i64(slot, 0);
        if (jacobi == 0) {
            SolverFunctions.call("cusolverDnCreateGesvdjInfo", "cusolverDnCreateGesvdjInfo", slot);
            jacobi = HostMemory.i64(slot); // tolerance and sweeps stay as they come: machine precision and 100
            HostMemory.i64(slot, 0);
        }
        SolverFunctions.call(name + "_bufferSize", what, handle.address(), mode, economy, m, n, a, m, s, u, m, v, n,
                slot,
                jacobi);
        int size = (int) HostMemory.i64(slot);
        long work = c.memory.work((long) size * (c.f64 ? 8 : 4));
        SolverFunctions.call(name, what, handle.address(), mode, economy, m, n, a, m, s, u, m, v, n, work, size, info,
                jacobi);
    }

    /** As {@link #gesvdj}, u and v 0 for s alone; the F64 at host address {@code shift} says by how much s may be wrong. */
    void gesvdp(Call c, boolean full, long m, long n, long a, long s, long u, long v, long info, long shift) {
        String what = what("cusolverDnXgesvdp", m, n);
        int mode = mode(u != 0);
        int economy = full ? 0 : 1;
        int t = c.type();
        Work w = new Work(c, "cusolverDnXgesvdp", what, mode, economy, m, n, t, a, m, t, s, t, u, m, t, v, n, t);
        Status.solver(JCusolverDn.cusolverDnXgesvdp(handle, params, mode, economy, m, n, t, p(a), m, t, p(s), t, p(u),
                m, t, p(v), n, t, p(w.device), w.deviceBytes, Pointers.host(w.host), w.hostBytes, p(info),
                Pointers.host(shift)), what);
    }
}
