package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.core.SvdMode;

/**
 * Truncated singular value decompositions of one large matrix (m, n), F32 or F64 (half types in F32), by random sampling of its
 * range (Halko, Martinsson, Tropp 2011): far cheaper than {@link Linalg#svd(Tensor)} where the rank is far below min(m, n). The same seed
 * gives the same numbers on a device.
 *
 * @param oversampling directions beyond the rank; 10 is usual
 * @param powerIterations passes over the matrix that sharpen a slowly falling spectrum, re-orthonormalised by QR after
 *     each product; 2 is usual, 0 is fastest
 * @param seed of the sampling
 */
public record RandomizedSvd(int oversampling, int powerIterations, long seed) {
    /** Elements of a block of the residual. */
    private static final long BLOCK = 4 << 20;

    /** First number of directions tried where a tolerance is given. */
    private static final long FIRST = 16;

    public RandomizedSvd {
        if (oversampling < 0 || powerIterations < 0) {
            throw new GramianException("randomizedSvd: oversampling and power iterations count from 0; oversampling "
                    + oversampling + ", powerIterations " + powerIterations + "; use for example 10 and 2");
        }
    }

    /** Oversampling 10, 2 power iterations. */
    public RandomizedSvd(long seed) {
        this(10, 2, seed);
    }

    /** The leading {@code rank} singular values and vectors, rank from 0 to min(m, n). */
    public TruncatedSvd ofRank(Tensor a, long rank) {
        long k = check(a);
        if (rank < 0 || rank > k) {
            throw new ShapeException("randomizedSvd: rank is " + rank + "; x " + a.shape() + " has " + k
                    + " singular values; use 0 to " + k);
        }
        Finite.check("randomizedSvd", a);
        try (Scope s = Scope.inner("randomizedSvd", a.device())) {
            Tensor wide = Halves.wide(a);
            Sample sample = sample(s, wide, Math.min(k, rank + oversampling));
            return sample.truncate(s, rank, Linalg.norm(wide).item());
        }
    }

    /**
     * As few singular values and vectors as leave an error of at most {@code relative} times a's Frobenius norm. Tries 16
     * directions, twice as many as long as they do not suffice, in the end the full decomposition.
     */
    public TruncatedSvd ofTolerance(Tensor a, double relative) {
        long k = check(a);
        if (!(relative >= 0)) {
            throw new GramianException("randomizedSvd: tolerance is " + relative + "; x " + a.shape()
                    + "; use a share of the norm such as 1e-3");
        }
        Finite.check("randomizedSvd", a);
        for (long size = FIRST + oversampling;; size *= 2) {
            try (Scope s = Scope.inner("randomizedSvd", a.device())) {
                Tensor wide = Halves.wide(a);
                double norm = Linalg.norm(wide).item();
                Sample sample = sample(s, wide, Math.min(k, size));
                double allowed = relative * norm;
                if (size >= k || sample.rest <= allowed) {
                    return sample.truncate(s, sample.rank(allowed), norm);
                }
            }
        }
    }

    private static long check(Tensor a) {
        if (a.rank() != 2) {
            throw new ShapeException(
                    "randomizedSvd: needs one matrix; x " + a.shape() + "; select it from the stack first");
        }
        return Math.min(a.dim(0), a.dim(1));
    }

    /** As many singular triples as directions were sampled; {@code rest} is the error of using them all. */
    private record Sample(Tensor u, Tensor s, Tensor vt, double rest) {
        TruncatedSvd truncate(Scope scope, long rank, double norm) {
            double error = rest;
            double[] values = s.toDoubleArray();
            for (int i = values.length - 1; i >= rank; i--) {
                error = Math.hypot(error, values[i]);
            }
            boolean all = rank == values.length;
            Svd svd = new Svd(
                    scope.keep(all ? u : u.slice(-1, 0, rank).copy()),
                    scope.keep(all ? s : s.slice(-1, 0, rank).copy()),
                    scope.keep(all ? vt : vt.slice(-2, 0, rank).copy()));
            return new TruncatedSvd(svd, error, norm);
        }

        /** Smallest rank whose error is allowed, or all where none is. */
        long rank(double allowed) {
            double error = rest;
            double[] values = s.toDoubleArray();
            int rank = values.length;
            while (rank > 0 && Math.hypot(error, values[rank - 1]) <= allowed) {
                error = Math.hypot(error, values[--rank]);
            }
            return rank;
        }
    }

    private Sample sample(Scope outer, Tensor a, long size) {
        try (Scope s = Scope.inner("randomizedSvd", a.device())) {
            if (size >= Math.min(a.dim(0), a.dim(1))) {
                Tensor[] exact = Linalg.decompose("randomizedSvd", a, SvdMode.THIN);
                return new Sample(s.keep(exact[0]), s.keep(exact[1]), s.keep(exact[2]), 0);
            }
            Tensor q = range(a, size);
            Tensor b = q.transpose(0, 1).matmul(a);
            Tensor[] small = Linalg.decompose("randomizedSvd", b, SvdMode.THIN);
            return new Sample(
                    s.keep(q.matmul(small[0])), s.keep(small[1]), s.keep(small[2]), distance(a, q, b));
        }
    }

    /** Orthonormal columns (m, size) near the leading left singular vectors. */
    private Tensor range(Tensor a, long size) {
        try (Scope s = Scope.inner("randomizedSvd", a.device())) {
            Tensor q = Linalg.qr(a.matmul(s.normal(a.dtype(), seed, a.dim(1), size))).q();
            for (int i = 0; i < powerIterations; i++) {
                try (Scope step = Scope.inner("randomizedSvd", a.device())) {
                    Tensor z = Linalg.qr(a.transpose(0, 1).matmul(q)).q();
                    q = step.keep(Linalg.qr(a.matmul(z)).q());
                }
            }
            return s.keep(q);
        }
    }

    /** ‖a - q b‖ in blocks of rows, so that no second matrix of a's size is needed. */
    private static double distance(Tensor a, Tensor q, Tensor b) {
        long rows = Math.max(1, BLOCK / Math.max(1, a.dim(1)));
        double sum = 0;
        for (long i = 0; i < a.dim(0); i += rows) {
            long end = Math.min(a.dim(0), i + rows);
            try (Scope s = Scope.inner("randomizedSvd", a.device())) {
                sum = Math.hypot(sum, Linalg.norm(a.slice(0, i, end).sub(q.slice(0, i, end).matmul(b))).item());
            }
        }
        return sum;
    }
}
