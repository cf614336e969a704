package dev.gramian.cuda;

import dev.gramian.core.GramianException;
import dev.gramian.cuda.BlockSvd.Target;
import dev.gramian.cuda.DenseSolver.Call;
import dev.gramian.cuda.Limits.Route;
import dev.gramian.cuda.MatrixKernels.Part;

/**
 * Singular values one matrix after the other. W (p, q), p >= q, is A or its transpose: the one that makes it tall, and of square
 * ones the transpose, which is what a row-major matrix is in columns.
 *
 * <p>A tall W is decomposed by QR first and R in its place. gesvdp (polar decomposition) shifts what is nearly singular and says
 * so, gesvdj may not converge: both fall back to gesvd.
 */
final class LargeSvd {
    /** Rows per column from which R is decomposed in place of W. */
    private static final int TALL = 4;

    /** Infos of a matrix: of the decomposition, of geqrf, of ormqr. */
    private static final int INFOS = 3;

    private final MatrixKernels kernels;
    private final LargeMatrices solvers;
    private final BlockSvd blocks;

    LargeSvd(MatrixKernels kernels, LargeMatrices solvers, BlockSvd blocks) {
        this.kernels = kernels;
        this.solvers = solvers;
        this.blocks = blocks;
    }

    /** All of one operation. */
    private final class Run {
        final Lane lane;
        final Limits limits;
        final Call call;
        final DenseSolver solver;
        final Stack w;
        final Target to;
        final Infos infos;
        final long p;
        final long q;
        final int width;
        final long copy;
        final long exponents;
        /** F64 at host addresses, a matrix each: what gesvdp says of itself. */
        final long shifts;

        Run(Lane lane, Temporaries t, Limits limits, Stack w, Target to) {
            this.lane = lane;
            this.limits = limits;
            this.w = w;
            this.to = to;
            call = new Call(t, w.f64(), "svd");
            solver = solvers.solver(lane);
            infos = new Infos(lane, t, kernels, "svd", w, INFOS);
            p = w.rows();
            q = w.columns();
            width = w.width();
            copy = t.device(p * q * width);
            exponents = t.device(4 * w.count());
            shifts = t.host(8 * w.count());
            for (long i = 0; i < w.count(); i++) {
                HostMemory.f64(shifts + 8 * i, 0);
            }
        }

        Target target(long i) {
            return new Target(to.s() + i * q * width, to.u() == 0 ? 0 : to.u() + i * to.uBatch() * width, 0, to.uRow(),
                    to.uColumn(), to.uColumns(), to.v() + i * to.vBatch() * width, 0, to.vRow(), to.vColumn());
        }

        /** Whether gesvdp says that values of matrix i may be wrong by more than rounding, or says nothing. */
        boolean shifted(long i) {
            // largest magnitudes have been brought to [1, 2): no norm is smaller
            double shift = Double.longBitsToDouble(HostMemory.i64(shifts + 8 * i));
            return !(shift <= (w.f64() ? 0x1p-52 : 0x1p-23));
        }

        void one(long i, Route route) {
            Target target = target(i);
            long exponent = exponents + 4 * i;
            kernels.pack(lane, "svd", w.one(i), Part.ALL, copy);
            kernels.normalise(lane, w.f64(), p * q, 1, copy, 1, -1, exponent);
            try (Temporaries own = new Temporaries(lane, "svd")) {
                if (p >= TALL * q) {
                    reduced(own, i, route, target);
                } else {
                    decompose(own, i, route, copy, p, target);
                }
            }
            kernels.rescale(lane, w.f64(), q, 1, target.s(), exponent, true);
        }

        /** Of W in copy by way of R. */
        private void reduced(Temporaries own, long i, Route route, Target target) {
            long tau = own.device(q * width);
            long r = own.device(q * q * width);
            solver.geqrf(call, p, q, copy, tau, infos.at(i, 1));
            kernels.move(lane, "svd", LargeMatrices.columns(w, copy, q, q, p),
                    Part.UPPER, r, 0, 1, q, 0, false);
            if (target.u() == 0) {
                decompose(own, i, route, r, q, target);
                return;
            }
            long x = own.device(q * q * width);
            decompose(own, i, route, r, q, new Target(target.s(), x, 0, 1, q, q, target.v(), 0, target.vRow(),
                    target.vColumn()));
            boolean inPlace = target.uRow() == 1;
            long u = inPlace ? target.u() : own.device(p * target.uColumns() * width);
            kernels.identity(lane, "svd", w.dtype(), p, target.uColumns(), 1, u);
            kernels.move(lane, "svd", LargeMatrices.columns(w, x, q, q, q), Part.ALL, u, 0, 1, p, 0, false);
            solver.ormqr(call, p, target.uColumns(), q, copy, tau, u, infos.at(i, 2));
            if (!inPlace) {
                place(u, p, target.uColumns(), target.u(), target.uRow(), target.uColumn());
            }
        }

        /** Column-major work memory to where results go. */
        private void place(long from, long rows, long columns, long target, long row, long column) {
            kernels.move(lane, "svd", LargeMatrices.columns(w, from, rows, columns, rows), Part.ALL, target, 0, row,
                    column, 0, false);
        }

        /** Of a column-major matrix (rows, q), which is destroyed. */
        private void decompose(Temporaries own, long i, Route route, long a, long rows, Target target) {
            long info = infos.at(i, 0);
            boolean vectors = target.u() != 0;
            boolean full = target.uColumns() > q;
            Route way = route != null ? route : choose(rows);
            if (way == Route.BLOCK) {
                blocks.run(lane, own, limits, "svd", Stack.columnMajor(w.dtype(), a, rows, q, 1), target, info);
                return;
            }
            // of v gesvd makes the transpose
            boolean uInPlace = target.uRow() == 1;
            boolean vInPlace = (target.vRow() == 1) == (way != Route.GESVD);
            boolean work = vectors || way == Route.GESVDJ; // which works in u and v in any case
            long uColumns = vectors ? target.uColumns() : q;
            long u = !work ? 0 : vectors && uInPlace ? target.u() : own.device(rows * uColumns * width);
            long v = !work ? 0 : vectors && vInPlace ? target.v() : own.device(q * q * width);
            switch (way) {
                case GESVD -> solver.gesvd(call, full, rows, q, a, target.s(), u, v, info);
                case GESVDJ -> solver.gesvdj(call, vectors, full, rows, q, a, target.s(), u, v, info);
                case GESVDP -> solver.gesvdp(call, full, rows, q, a, target.s(), u, v, info, shifts + 8 * i);
                case BLOCK -> throw new AssertionError();
            }
            if (vectors && !uInPlace) {
                place(u, rows, uColumns, target.u(), target.uRow(), target.uColumn());
            }
            if (vectors && !vInPlace) {
                boolean transposed = way == Route.GESVD;
                place(v, q, q, target.v(), transposed ? target.vColumn() : target.vRow(),
                        transposed ? target.vRow() : target.vColumn());
            }
        }

        private Route choose(long rows) {
            return rows <= limits.alone() ? Route.BLOCK : q <= limits.jacobi() ? Route.GESVDJ : Route.GESVDP;
        }
    }

    /** The factors of every matrix; waits for them. */
    void run(Lane lane, Temporaries t, Limits limits, Stack w, Target to) {
        Run run = new Run(lane, t, limits, w, to);
        for (long i = 0; i < w.count(); i++) {
            run.one(i, limits.route());
        }
        int[] failures = run.infos.failures();
        boolean again = false;
        for (long i = 0; i < w.count(); i++) {
            boolean failed = failures != null && failures[(int) (i * INFOS)] > 0;
            if (limits.route() != Route.GESVD && (failed || run.shifted(i))) {
                run.infos.clear(i, 0);
                run.one(i, Route.GESVD);
                again = true;
            }
        }
        if (failures != null || again) {
            run.infos.check(noConvergence(w));
        }
    }

    /** Again, by gesvd, for the matrices that are not 0 in {@code failures}; waits for them. */
    void repair(Lane lane, Temporaries t, Limits limits, Stack w, Target to, int[] failures) {
        Run run = new Run(lane, t, limits, w, to);
        for (int i = 0; i < failures.length; i++) {
            if (failures[i] != 0) {
                run.one(i, Route.GESVD);
            }
        }
        run.infos.check(noConvergence(w));
    }

    private static Infos.Message noConvergence(Stack w) {
        long m = w.shape().dim(-2);
        long n = w.shape().dim(-1);
        return (where, info) -> "svd: no convergence; x [" + m + ", " + n + "], " + info
                + " superdiagonals did not vanish; check the matrix for extreme values";
    }
}
