package dev.gramian.cuda;

import dev.gramian.core.Decomposition;
import dev.gramian.core.DeviceException;
import dev.gramian.core.SvdMode;
import dev.gramian.core.View;
import dev.gramian.cuda.BlockSvd.Target;
import dev.gramian.cuda.MatrixKernels.Part;

/**
 * Decompositions of stacks of matrices in any layout. Small matrices, and stacks of somewhat larger ones, go to kernels of ours, one
 * block a matrix; others one after the other to cuSOLVER. An operation that can fail for its numbers waits once, at its end.
 */
final class Decompositions {
    private final CudaContext context;
    private final MatrixKernels kernels;
    private final BlockMatrices blocks;
    private final BlockSvd blockSvd;
    private final LargeMatrices large;
    private final LargeSvd largeSvd;

    Decompositions(CudaContext context) {
        this.context = context;
        kernels = new MatrixKernels(context);
        Reflections reflections = new Reflections(context);
        blocks = new BlockMatrices(context, reflections);
        blockSvd = new BlockSvd(context, reflections);
        large = new LargeMatrices(context, kernels);
        largeSvd = new LargeSvd(kernels, large, blockSvd);
    }

    private static long address(View[] out, int i) {
        return i < out.length ? CudaStorage.address(out[i]) : 0;
    }

    private void identities(Lane lane, String op, View out) {
        long n = out.shape().dim(-1);
        if (n > 0) {
            kernels.identity(lane, op, out.dtype(), n, n, out.shape().size() / (n * n), CudaStorage.address(out));
        }
    }

    /** {@code a} (..., m, n), finite; {@code out} as {@link Decomposition.Svd} says. */
    void svd(Lane lane, Decomposition.Svd op, View view, View[] out) {
        Stack a = Stack.of(view);
        long m = a.rows();
        long n = a.columns();
        if (m == 0 || n == 0) {
            if (op.mode() == SvdMode.FULL) {
                identities(lane, "svd", out[0]);
                identities(lane, "svd", out[2]);
            }
            return;
        }
        if (a.count() == 0) {
            return;
        }
        // row-major memory is the transpose in columns, so of a wide or square matrix that is decomposed: U is Vt's memory
        boolean transposed = m <= n;
        Stack w = transposed ? a.transposed() : a;
        Target to = target(op.mode(), transposed, w.rows(), w.columns(), out);
        Limits limits = Limits.of(context);
        try (Temporaries t = new Temporaries(lane, "svd")) {
            if (!BlockSvd.takes(limits, w)) {
                largeSvd.run(lane, t, limits, w, to);
                return;
            }
            Infos infos = new Infos(lane, t, kernels, "svd", a, 1);
            blockSvd.run(lane, t, limits, "svd", w, to, infos.at(0, 0));
            int[] failures = infos.failures();
            if (failures != null) {
                largeSvd.repair(lane, t, limits, w, to, failures);
            }
        }
    }

    private static Target target(SvdMode mode, boolean transposed, long p, long q, View[] out) {
        if (mode == SvdMode.VALUES) {
            return new Target(address(out, 0), 0, 0, 1, 1, q, 0, 0, 1, 1);
        }
        long k = mode == SvdMode.FULL ? p : q;
        long s = address(out, 1);
        return transposed
                ? new Target(s, address(out, 2), p * k, 1, p, k, address(out, 0), q * q, q, 1)
                : new Target(s, address(out, 0), p * k, k, 1, k, address(out, 2), q * q, 1, q);
    }

    /** {@code a} (..., n, n), {@code b} and {@code x} (..., n, r). */
    void solve(Lane lane, View viewA, View viewB, View x) {
        if (x.shape().size() == 0) {
            return;
        }
        Stack a = Stack.of(viewA);
        Stack b = Stack.of(viewB);
        Limits limits = Limits.of(context);
        try (Temporaries t = new Temporaries(lane, "solve")) {
            if (BlockMatrices.takesLu(limits, a)) {
                Infos infos = new Infos(lane, t, kernels, "solve", a, 1);
                blocks.solve(lane, limits, "solve", a, b, CudaStorage.address(x), infos);
                infos.check(singular("solve", "a"));
            } else {
                Infos infos = new Infos(lane, t, kernels, "solve", a, 2);
                large.solve(lane, t, a, b, CudaStorage.address(x), infos);
                large.checkPivots(lane, t, a, infos, singular("solve", "a"));
            }
        }
    }

    /** {@code a} and {@code out} (..., n, n). */
    void inverse(Lane lane, View view, View out) {
        if (out.shape().size() == 0) {
            return;
        }
        Stack a = Stack.of(view);
        Limits limits = Limits.of(context);
        try (Temporaries t = new Temporaries(lane, "inv")) {
            if (BlockMatrices.takesLu(limits, a)) {
                Infos infos = new Infos(lane, t, kernels, "inv", a, 1);
                blocks.solve(lane, limits, "inv", a, null, CudaStorage.address(out), infos);
                infos.check(singular("inv", "x"));
            } else {
                Infos infos = new Infos(lane, t, kernels, "inv", a, 2);
                large.inverse(lane, t, a, CudaStorage.address(out), infos);
                large.checkPivots(lane, t, a, infos, singular("inv", "x"));
            }
        }
    }

    private static Infos.Message singular(String op, String operand) {
        return (where, info) -> op + ": matrix is singular; " + operand + " " + where + ", pivot " + (info - 1)
                + " is zero; use Linalg.pinv or check the rank";
    }

    /** {@code a} (..., n, n); {@code out} as {@link Decomposition.Determinant} says. 1 for a 0 x 0 matrix. */
    void determinant(Lane lane, Decomposition.Determinant op, View view, View[] out) {
        Stack a = Stack.of(view);
        if (a.count() == 0) {
            return;
        }
        long first = address(out, 0);
        long second = address(out, 1);
        if (a.rows() == 0) {
            kernels.identity(lane, op.name(), a.dtype(), 1, 1, a.count(), first);
            if (op.log()) {
                MatrixKernels.zero(lane, second, a.count() * a.width(), op.name());
            }
            return;
        }
        Limits limits = Limits.of(context);
        if (BlockMatrices.takesLu(limits, a)) {
            blocks.determinant(lane, op.name(), a, first, second);
            return;
        }
        try (Temporaries t = new Temporaries(lane, op.name())) {
            Infos infos = new Infos(lane, t, kernels, op.name(), a, 1);
            large.determinant(lane, t, op.name(), a, first, second, infos);
            infos.check(null);
        }
    }

    /** {@code a} (..., n, n); {@code out} as {@link Decomposition.Eigh} says. */
    void eigh(Lane lane, Decomposition.Eigh op, View view, View[] out) {
        if (out[0].shape().size() == 0) {
            return;
        }
        Stack a = Stack.of(view);
        Limits limits = Limits.of(context);
        try (Temporaries t = new Temporaries(lane, op.name())) {
            Infos infos = new Infos(lane, t, kernels, op.name(), a, 1);
            if (BlockMatrices.takesEigh(limits, a)) {
                blocks.eigh(lane, t, limits, op.name(), a, address(out, 0), address(out, 1), infos);
            } else {
                large.eigh(lane, t, op.name(), a, address(out, 0), address(out, 1), infos);
            }
            infos.check((where, info) -> "eigh: no convergence; x [" + a.rows() + ", " + a.rows() + "], info " + info
                    + "; check the matrix for extreme values");
        }
    }

    /** cuSOLVER has had the general eigenproblem since 12.6, JCuda has not. */
    DeviceException noEig(String device, Decomposition.Eig op, View a) {
        return new DeviceException(op.name() + ": not computed on CUDA; x " + a.dtype() + " " + a.shape() + " on "
                + device + "; move it first with x.to(Device.cpu())");
    }

    /** {@code a} (..., m, n); {@code out} as {@link Decomposition.Qr} says. */
    void qr(Lane lane, Decomposition.Qr op, View view, View[] out) {
        Stack a = Stack.of(view);
        if (a.rows() == 0 || a.columns() == 0) {
            if (op.full()) {
                identities(lane, "qr", out[0]);
            }
            return;
        }
        if (a.count() == 0) {
            return;
        }
        Limits limits = Limits.of(context);
        try (Temporaries t = new Temporaries(lane, "qr")) {
            if (BlockMatrices.takesQr(limits, a)) {
                blocks.qr(lane, t, limits, op.full(), a, address(out, 0), address(out, 1));
            } else {
                Infos infos = new Infos(lane, t, kernels, "qr", a, 2);
                large.qr(lane, t, op.full(), a, address(out, 0), address(out, 1), infos);
                infos.check(null);
            }
        }
    }

    /** {@code a} and {@code out} (..., n, n). */
    void cholesky(Lane lane, View view, View out) {
        if (out.shape().size() == 0) {
            return;
        }
        Stack a = Stack.of(view);
        Limits limits = Limits.of(context);
        try (Temporaries t = new Temporaries(lane, "cholesky")) {
            Infos infos = new Infos(lane, t, kernels, "cholesky", a, 1);
            if (BlockMatrices.takesCholesky(limits, a)) {
                blocks.cholesky(lane, a, CudaStorage.address(out), infos);
            } else {
                large.cholesky(lane, t, a, CudaStorage.address(out), infos);
            }
            infos.check((where, minor) -> "cholesky: matrix is not positive definite; x " + where
                    + ", leading minor of order " + minor + "; add to the diagonal, or use eigh");
        }
    }

    /** {@code a} (..., m, n); {@code out} as {@link Decomposition.Lu} says. */
    void lu(Lane lane, View view, View[] out) {
        Stack a = Stack.of(view);
        if (a.rows() == 0 || a.count() == 0) {
            return;
        }
        if (a.columns() == 0) {
            large.permutation(lane, a.f64(), a.count(), a.rows(), 0, 0, address(out, 0));
            return;
        }
        Limits limits = Limits.of(context);
        if (BlockMatrices.takesLu(limits, a)) {
            blocks.lu(lane, a, address(out, 0), address(out, 1), address(out, 2));
            return;
        }
        try (Temporaries t = new Temporaries(lane, "lu")) {
            Infos infos = new Infos(lane, t, kernels, "lu", a, 1);
            large.lu(lane, t, a, address(out, 0), address(out, 1), address(out, 2), infos);
            infos.check(null);
        }
    }

    /** {@code a} (..., n, n), {@code b} and {@code x} (..., n, r). */
    void solveTriangular(Lane lane, Decomposition.TriangularSolve op, View viewA, View viewB, View x) {
        if (x.shape().size() == 0) {
            return;
        }
        Stack a = Stack.of(viewA);
        Stack b = Stack.of(viewB);
        Limits limits = Limits.of(context);
        long to = CudaStorage.address(x);
        try (Temporaries t = new Temporaries(lane, op.name())) {
            Infos infos = new Infos(lane, t, kernels, op.name(), a, 1);
            if (BlockMatrices.takesTriangular(limits, a)) {
                blocks.solveTriangular(lane, limits, op.lower(), op.transpose(), op.unit(), a, b, to, infos);
                infos.check(zeroDiagonal());
                return;
            }
            if (!op.unit()) {
                kernels.diagonal(lane, op.name(), a, infos.at(0, 0));
            }
            large.solveTriangular(lane, t,
                    new LargeMatrices.Triangle(op.lower(), op.transpose(), op.unit()), a, b, to);
            int[] found = op.unit() ? null : infos.failures();
            if (found == null) {
                return;
            }
            // trsm multiplies by inverses, which are infinite for subnormal elements: once more, by division
            blocks.solveTriangular(lane, limits, op.lower(), op.transpose(), op.unit(), a, b, to, infos);
            infos.check(zeroDiagonal());
        }
    }

    private static Infos.Message zeroDiagonal() {
        return (where, info) -> "solveTriangular: matrix is singular; a " + where + ", diagonal element " + (info - 1)
                + " is zero; use Linalg.lstsq or check the rank";
    }
}
