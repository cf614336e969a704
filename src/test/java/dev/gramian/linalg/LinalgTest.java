package dev.gramian.linalg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.core.SvdMode;
import dev.gramian.spec.DeviceSpec;

/** Decompositions by their residuals, rules of norms and angles, and every refusal's text. */
class LinalgTest {
    private static final long SEED = Seed.VALUE;

    private static double epsilon(DType t) {
        return t == DType.F64 ? 0x1p-52 : 0x1p-23;
    }

    /** LAPACK's test ratios, for a whole stack: residual and orthogonality, each under 30. */
    private static void checkSvd(Tensor a, SvdMode mode) {
        String what = "seed " + SEED + " " + a.dtype() + " " + a.shape() + " " + mode;
        Svd d = Linalg.svd(a, mode);
        long m = a.dim(-2);
        long n = a.dim(-1);
        long k = Math.min(m, n);
        Shape batch = a.shape().slice(0, a.rank() - 2);
        assertEquals(batch.plus(m, mode == SvdMode.FULL ? m : k), d.u().shape(), what);
        assertEquals(batch.plus(k), d.s().shape(), what);
        assertEquals(batch.plus(mode == SvdMode.FULL ? n : k, n), d.vt().shape(), what);
        if (d.u().size() == 0 || d.vt().size() == 0) {
            return;
        }
        double e = epsilon(a.dtype()) * Math.max(m, n);
        orthonormal(what + " u", d.u().transpose(-2, -1), e);
        orthonormal(what + " vt", d.vt(), e);
        if (k == 0) {
            return;
        }
        Tensor back = d.u().slice(-1, 0, k).mul(d.s().unsqueeze(-2)).matmul(d.vt().slice(-2, 0, k)).to(DType.F64);
        double size = Math.max(Double.MIN_NORMAL, Linalg.norm(a.to(DType.F64)).item());
        double residual = Linalg.norm(back.sub(a.to(DType.F64))).item();
        assertTrue(residual <= 30 * e * size, () -> what + ": residual " + residual / size / e);
        double[] s = d.s().flatten().toDoubleArray();
        for (int i = 0; i < s.length; i++) {
            assertTrue(s[i] >= 0 && (i % k == 0 || s[i] <= s[i - 1]), what + ": values do not descend");
        }
        assertArrayEquals(s, Linalg.svdValues(a).flatten().toDoubleArray(), 10 * e * size, what);
    }

    private static void orthonormal(String what, Tensor rows, double e) {
        Tensor wide = rows.to(DType.F64);
        Tensor gram = wide.matmul(wide.transpose(-2, -1));
        double off;
        try (Scope s = Scope.inner("test", rows.device())) {
            off = Linalg.norm(gram.sub(s.eye(DType.F64, gram.dim(-1))), VectorNorm.INF).item();
        }
        assertTrue(off <= 30 * e, () -> what + ": not orthonormal by " + off / e);
    }

    @DeviceSpec
    void svdOfAllShapes(Device device) {
        long[][] shapes = {
            {1, 1}, {5, 3}, {3, 5}, {17, 17}, {2, 3, 6, 4}, {40, 3}, {3, 40}, {0, 3}, {3, 0}, {2, 0, 3},
            {0, 3, 3}, {1, 7}
        };
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            for (long[] shape : shapes) {
                for (SvdMode mode : new SvdMode[] {SvdMode.THIN, SvdMode.FULL}) {
                    try (Scope s = device.open()) {
                        Tensor a = s.normal(t, SEED, shape);
                        checkSvd(a, mode);
                        checkSvd(a.transpose(-2, -1), mode);
                    }
                }
            }
            try (Scope s = device.open()) {
                checkSvd(s.zeros(t, 4, 3), SvdMode.THIN);
                checkSvd(s.ones(t, 5, 5), SvdMode.THIN);
                checkSvd(s.normal(t, SEED, 9, 7).slice(0, 8, Long.MIN_VALUE, -2), SvdMode.THIN);
                checkSvd(s.normal(t, SEED, 1, 4, 3).expand(2, 4, 3), SvdMode.THIN);
            }
        }
    }

    @DeviceSpec
    void lowRank(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.normal(DType.F64, SEED, 2, 7, 5);
            Svd d = Linalg.svd(a);
            for (long r = 0; r <= 5; r++) {
                LowRank low = Linalg.lowRank(a, r);
                assertEquals(Shape.of(2, 7, r), low.left().shape());
                assertEquals(Shape.of(2, r, 5), low.right().shape());
                double[] distance = Linalg.norm(a.sub(low.product()), MatrixNorm.FROBENIUS).toDoubleArray();
                assertArrayEquals(distance, low.error().toDoubleArray(), 1e-13, "rank " + r);
                assertArrayEquals(
                        low.product().toDoubleArray(), d.truncate(r).product().toDoubleArray(), 1e-13, "rank " + r);
            }
            for (long r : new long[] {-1, 6}) {
                assertEquals("lowRank: rank is " + r + "; u [2, 7, 5], vt [2, 5, 5] have 5 singular values; use 0 to 5",
                        assertThrows(ShapeException.class, () -> Linalg.lowRank(a, r)).getMessage());
            }
        }
    }

    @DeviceSpec
    void pinvByItsFourConditions(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            try (Scope s = device.open()) {
                Tensor a = s.normal(t, SEED, 2, 6, 2).matmul(s.normal(t, SEED + 1, 2, 2, 4));
                Tensor p = Linalg.pinv(a);
                assertArrayEquals(new long[] {2, 2}, Linalg.rank(a).toLongArray(), "seed " + SEED);
                double e = 2000 * epsilon(t) * Linalg.norm(p).item() * Linalg.norm(a).item();
                near(a.matmul(p).matmul(a), a, e * Linalg.norm(a).item());
                near(p.matmul(a).matmul(p), p, e * Linalg.norm(p).item());
                near(a.matmul(p).transpose(-2, -1), a.matmul(p), e);
                near(p.matmul(a).transpose(-2, -1), p.matmul(a), e);
            }
        }
    }

    @DeviceSpec
    void singularValuesUpToEpsilonCountAsZero(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            try (Scope s = device.open()) {
                // max(m, n) times epsilon times the largest is twice this
                double cut = 5 * epsilon(t);
                Tensor d = s.tensor(new double[] {2, 3 * cut, 1.5 * cut}, 3, 1).to(t).mul(s.eye(t, 3, 5));
                Tensor a = Join.concat(0, d, s.zeros(t, 1, 5));
                assertEquals(2, Linalg.rank(a).itemLong());
                assertEquals(3, Linalg.rank(a, 0).itemLong());
                double[] inverse = Linalg.pinv(a).diagonal().toDoubleArray();
                inverse[1] *= 3 * cut;
                assertArrayEquals(new double[] {0.5, 1, 0, 0}, inverse, 1e-6);
            }
        }
    }

    @DeviceSpec
    void normsAreOfAllElements(Device device) {
        try (Scope s = device.open()) {
            assertEquals(5, Linalg.norm(s.tensor(new float[] {3, -4})).item(), 1e-6);
            assertEquals(Math.sqrt(6), Linalg.norm(s.ones(2, 3)).item(), 1e-6);
            assertEquals(Math.sqrt(24), Linalg.norm(s.ones(2, 3, 4)).item(), 1e-6);
        }
    }

    private static void near(Tensor x, Tensor y, double tolerance) {
        assertArrayEquals(x.toDoubleArray(), y.toDoubleArray(), tolerance, "seed " + SEED);
    }

    @DeviceSpec
    void angles(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.tensor(new float[][] {{1, 0}, {0, 0}, {3e38f, 3e38f}, {1e-44f, 0}, {Float.NaN, 1}, {-2, -2}});
            float[] c = Linalg.cosineSimilarity(x, s.tensor(new float[] {1, 1}), -1).toFloatArray();
            float half = (float) Math.sqrt(0.5);
            assertArrayEquals(new float[] {half, 0, 1, half, Float.NaN, -1}, c, 2e-7f);
            Tensor many = s.normal(DType.F32, SEED, 500, 3);
            Tensor self = Linalg.cosineSimilarity(many, many.mul(1e20), 1);
            assertTrue(self.max().item() <= 1 && self.min().item() > 1 - 1e-6, "seed " + SEED);
            Tensor h = many.to(DType.F16);
            Tensor halves = Linalg.cosineSimilarity(h, h.neg(), -1);
            assertEquals(DType.F16, halves.dtype());
            assertEquals(-1, halves.max().item());
            assertEquals(Shape.of(3), Linalg.cosineSimilarity(many, many, 0).shape());
            assertEquals(11, Linalg.dot(s.tensor(new float[] {1, 2}), s.tensor(new float[] {3, 4})).item());
            assertEquals(0, Linalg.dot(s.zeros(0), s.zeros(0)).item());
        }
    }

    private static void refused(Class<? extends GramianException> type, String text, Runnable call) {
        assertEquals(text, assertThrows(type, call::run).getMessage());
    }

    @DeviceSpec
    void notFinite(Device device) {
        try (Scope s = device.open()) {
            float[] values = new float[20];
            values[8] = Float.NaN;
            values[9] = Float.NEGATIVE_INFINITY;
            Tensor x = s.tensor(values, 4, 5);
            String hint = "; replace such values first, e.g. x.isFinite().where(x, ...)";
            refused(GramianException.class, "svd: x is not finite: NaN at [1, 3]; x F32 [4, 5]" + hint,
                    () -> Linalg.svd(x));
            float[] deep = new float[12];
            deep[7] = Float.NEGATIVE_INFINITY;
            Tensor y = s.tensor(deep, 2, 2, 3);
            refused(GramianException.class, "svdValues: x is not finite: -inf at [1, 0, 1]; x F32 [2, 2, 3]" + hint,
                    () -> Linalg.svdValues(y));
            long before = s.liveBytes();
            refused(GramianException.class, "lowRank: x is not finite: NaN at [3, 1]; x F32 [5, 4]" + hint,
                    () -> Linalg.lowRank(x.transpose(0, 1), 1));
            refused(GramianException.class, "pinv: x is not finite: NaN at [1, 3]; x F32 [4, 5]" + hint,
                    () -> Linalg.pinv(x));
            refused(GramianException.class, "norm: x is not finite: NaN at [1, 3]; x F32 [4, 5]" + hint,
                    () -> Linalg.norm(x, MatrixNorm.NUCLEAR));
            assertEquals(before, s.liveBytes());
        }
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.ones(3, 3);
            refused(DTypeException.class, "svd: needs F32 or F64; x is U8 [4, 5]; cast with .to(DType.F32)",
                    () -> Linalg.svd(s.ones(DType.U8, 4, 5)));
            refused(ShapeException.class, "svd: needs a matrix; x [4]; give (..., rows, columns)",
                    () -> Linalg.svd(s.ones(4)));
            refused(GramianException.class, "svd: mode VALUES gives no u and vt; a [3, 3]; use svdValues(a)",
                    () -> Linalg.svd(a, SvdMode.VALUES));
            refused(ShapeException.class, "inv: matrix is not square; x [3, 4] has 3 rows and 4 columns; "
                    + "last two axes must be equal", () -> Linalg.inv(s.ones(3, 4)));
            refused(GramianException.class, "inv: matrix is singular; x [2, 2], pivot 1 is zero; "
                    + "use Linalg.pinv or check the rank", () -> Linalg.inv(s.ones(2, 2)));
            refused(GramianException.class, "solve: matrix is singular; a [2, 2], pivot 0 is zero; "
                    + "use Linalg.pinv or check the rank", () -> Linalg.solve(s.zeros(2, 2), s.ones(2)));
            String fit = "; a is (..., n, n) and b (n) or (..., n, r)";
            refused(ShapeException.class, "solve: right side does not fit; a [2, 3, 3], b [2, 3]" + fit,
                    () -> Linalg.solve(s.ones(2, 3, 3), s.ones(2, 3)));
            refused(ShapeException.class, "solve: right side does not fit; a [3, 3], b [4]" + fit,
                    () -> Linalg.solve(a, s.ones(4)));
            refused(ShapeException.class, "solve: batch axes do not broadcast; a [2, 3, 3], b [4, 3, 1]; "
                    + "all axes before the last two must be equal or 1",
                    () -> Linalg.solve(s.ones(2, 3, 3), s.ones(4, 3, 1)));
            refused(ShapeException.class, "solve: matrix is not square; x [4, 3] has 4 rows and 3 columns; "
                    + "last two axes must be equal", () -> Linalg.solve(s.ones(4, 3), s.ones(3)));
            refused(ShapeException.class, "norm: needs a matrix; x [3]; give (..., rows, columns), or a VectorNorm",
                    () -> Linalg.norm(s.ones(3), MatrixNorm.ONE));
            refused(ShapeException.class, "norm: axis 1 is named twice; axes [1, -1] of x [3, 3]; name each axis once",
                    () -> Linalg.norm(a, MatrixNorm.ONE, false, 1, -1));
            refused(ShapeException.class, "dot: needs two vectors of equal length; x [3], y [4]; "
                    + "use dot(x, y, axis) for stacks of vectors, matmul for matrices",
                    () -> Linalg.dot(s.ones(3), s.ones(4)));
            refused(ShapeException.class, "cosineSimilarity: vectors differ in length on axis -1: x [2, 3] has 3, "
                    + "y [2, 1] has 1; products need pairs",
                    () -> Linalg.cosineSimilarity(s.ones(2, 3), s.ones(2, 1), -1));
            refused(ShapeException.class, "cosineSimilarity: x and y do not broadcast; x [2, 3], y [4, 3]; "
                    + "sizes must be equal or 1 from the last axis on",
                    () -> Linalg.cosineSimilarity(s.ones(2, 3), s.ones(4, 3), -1));
            refused(ShapeException.class, "dot: axis 0 does not exist in both; x [2, 3], y [3]; "
                    + "both need the axis, counted from the last", () -> Linalg.dot(s.ones(2, 3), s.ones(3), 0));
        }
    }

    @DeviceSpec
    void onlyResultsStay(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.normal(DType.F64, SEED, 6, 6);
            Tensor b = s.normal(DType.F64, SEED, 4, 6, 2);
            long before = s.liveBytes();
            long expected = 0;
            expected += bytes(Linalg.svdValues(a));
            expected += bytes(Linalg.pinv(a));
            expected += bytes(Linalg.rank(a));
            LowRank low = Linalg.lowRank(a, 2);
            expected += bytes(low.left()) + bytes(low.right()) + bytes(low.error());
            expected += bytes(Linalg.solve(a, b));
            expected += bytes(Linalg.norm(a, MatrixNorm.ONE)) + bytes(Linalg.norm(a, MatrixNorm.SPECTRAL));
            expected += bytes(Linalg.cosineSimilarity(a, b.slice(1, 0, 1).transpose(1, 2).expand(4, 2, 6)
                    .slice(1, 0, 1), -1));
            assertEquals(before + expected, s.liveBytes());
        }
    }

    private static long bytes(Tensor t) {
        return t.size() * t.dtype().bytes();
    }
}
