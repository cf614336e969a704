package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.ShapeException;

/** Powers and the exponential of square matrices (..., n, n). */
final class MatrixFunctions {
    /** Largest 1-norm for which the approximant's backward error stays below F64's rounding (Higham 2005). */
    private static final double THETA_13 = 5.371920351148152;

    /** Coefficients of the numerator of exp's diagonal Padé approximant of degree 13, by ascending power. */
    private static final double[] PADE_13 = {
        64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
        10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0
    };

    private MatrixFunctions() {}

    private static void square(String op, Tensor a) {
        if (a.rank() < 2 || a.dim(-1) != a.dim(-2)) {
            throw new ShapeException(op + ": needs square matrices; x " + a.shape() + "; give (..., n, n)");
        }
    }

    static Tensor power(Tensor a, long p) {
        square("matrixPower", a);
        if (!a.dtype().isFloat()) {
            throw new DTypeException("matrixPower: needs a float type; x is " + a.dtype() + " " + a.shape()
                    + "; cast with .to(DType.F64)");
        }
        try (Scope s = Scope.inner("matrixPower", a.device())) {
            Tensor wide = Halves.wide(a);
            if (p == 0) {
                return s.keep(s.eye(wide.dtype(), a.dim(-1)).expand(a.shape().toArray()).copy());
            }
            Tensor square = p < 0 ? Linalg.inv(wide) : wide;
            Tensor product = null;
            // unsigned, so that the magnitude of Long.MIN_VALUE counts as what it is
            for (long rest = Math.abs(p);;) {
                if ((rest & 1) != 0) {
                    product = product == null ? square : product.matmul(square);
                }
                rest >>>= 1;
                if (rest == 0) {
                    return s.keep(product == a ? a.copy() : product);
                }
                square = square.matmul(square);
            }
        }
    }

    /**
     * Scaling and squaring with the Padé approximant of degree 13 (Higham, "The scaling and squaring method for the matrix
     * exponential revisited", 2005), in F64 also for others: squaring multiplies errors. Each matrix of a stack has its own
     * number of squarings.
     */
    static Tensor exponential(Tensor a) {
        square("expm", a);
        if (!a.dtype().isFloat()) {
            throw new DTypeException("expm: needs a float type; x is " + a.dtype() + " " + a.shape()
                    + "; cast with .to(DType.F32)");
        }
        Finite.check("expm", a);
        try (Scope s = Scope.inner("expm", a.device())) {
            if (a.size() == 0) {
                return s.keep(s.zeros(a.dtype().compute(), a.shape().toArray()));
            }
            Tensor x = a.to(DType.F64);
            double[] norms = Linalg.norm(x, MatrixNorm.ONE).toDoubleArray();
            double[] squarings = new double[norms.length];
            double[] scales = new double[norms.length];
            double most = 0;
            for (int i = 0; i < norms.length; i++) {
                // a norm that overflowed is below n 2^1024
                double norm = Math.min(norms[i], Double.MAX_VALUE);
                squarings[i] = norm <= THETA_13 ? 0 : Math.getExponent(norm / THETA_13) + 1;
                scales[i] = Math.scalb(1.0, -(int) squarings[i]);
                most = Math.max(most, squarings[i]);
            }
            long[] each = a.shape().toArray();
            each[each.length - 1] = 1;
            each[each.length - 2] = 1;
            Tensor count = s.tensor(squarings, each);
            Tensor r = pade(s, x.mul(s.tensor(scales, each)));
            for (int i = 0; i < most; i++) {
                try (Scope step = Scope.inner("expm", a.device())) {
                    Tensor squared = r.matmul(r);
                    r = step.keep(norms.length == 1 ? squared : count.gt(i).where(squared, r));
                }
            }
            return s.keep(a.dtype() == DType.F64 ? r : r.to(DType.F32));
        }
    }

    private static Tensor pade(Scope outer, Tensor x) {
        double[] b = PADE_13;
        try (Scope s = Scope.inner("expm", outer.device())) {
            Tensor one = s.eye(DType.F64, x.dim(-1));
            Tensor x2 = x.matmul(x);
            Tensor x4 = x2.matmul(x2);
            Tensor x6 = x4.matmul(x2);
            Tensor oddHigh = x6.mul(b[13]).add(x4.mul(b[11])).add(x2.mul(b[9]));
            Tensor oddLow = x6.mul(b[7]).add(x4.mul(b[5])).add(x2.mul(b[3])).add(one.mul(b[1]));
            Tensor odd = x.matmul(x6.matmul(oddHigh).add(oddLow));
            Tensor evenHigh = x6.mul(b[12]).add(x4.mul(b[10])).add(x2.mul(b[8]));
            Tensor evenLow = x6.mul(b[6]).add(x4.mul(b[4])).add(x2.mul(b[2])).add(one.mul(b[0]));
            Tensor even = x6.matmul(evenHigh).add(evenLow);
            return s.keep(Linalg.solve(even.sub(odd), even.add(odd)));
        }
    }
}
