package dev.gramian.linalg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Indexing;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.SvdMode;
import dev.gramian.spec.DeviceSpec;
import java.util.function.Supplier;
import org.junit.jupiter.api.function.Executable;

/** What is composed from decompositions: properties, difficult matrices, what stays live, refusals. */
class ComposedTest {
    private static final DType[] TYPES = {DType.F32, DType.F64};

    private static double eps(DType t) {
        return t == DType.F64 ? 0x1p-52 : 0x1p-23;
    }

    private static void small(String what, Tensor error, double scale, long size) {
        double ratio = Linalg.norm(error).item() / (scale * size * eps(error.dtype()));
        assertTrue(ratio < 30, what + ": ratio " + ratio);
    }

    @DeviceSpec
    void leastSquaresOfDifficultMatrices(Device device) {
        for (DType t : TYPES) {
            for (long[] mn : new long[][] {{40, 7}, {7, 40}, {20, 20}, {1, 5}, {5, 1}}) {
                for (double scale : t == DType.F64 ? new double[] {1, 1e-290, 1e290} : new double[] {1, 1e-30, 1e30}) {
                    try (Scope s = device.open()) {
                        Tensor a = s.normal(DType.F64, 1, mn[0], mn[1]).mul(scale).to(t);
                        Tensor b = s.normal(DType.F64, 2, mn[0], 3).to(t);
                        LeastSquares r = Linalg.lstsq(a, b);
                        assertEquals(Math.min(mn[0], mn[1]), r.rank().itemLong());
                        // what is left is orthogonal to the columns; the solution lies in the space of the rows
                        Tensor unit = a.div(scale);
                        Tensor x = r.x().mul(scale);
                        Tensor rest = b.sub(unit.matmul(x));
                        double size = Linalg.norm(unit).item();
                        double cond = Linalg.cond(a).item();
                        small("rest of " + t + " " + scale, unit.transpose(0, 1).matmul(rest),
                                size * cond * Linalg.norm(b).item(), mn[0] + mn[1]);
                        Tensor back = Linalg.pinv(unit).matmul(unit.matmul(x));
                        small("shortest", back.sub(x), cond * Linalg.norm(x).item(), mn[0] + mn[1]);
                        for (int j = 0; j < 3; j++) {
                            assertEquals(Linalg.norm(rest.select(1, j)).item(), r.residual().get(j),
                                    100 * eps(t) * cond);
                        }
                    }
                }
            }
            try (Scope s = device.open()) {
                LeastSquares zero = Linalg.lstsq(s.zeros(t, 4, 3), s.ones(t, 4));
                assertArrayEquals(new double[3], zero.x().toDoubleArray());
                assertEquals(2, zero.residual().item());
                assertEquals(0, zero.rank().itemLong());
                assertArrayEquals(new double[3], Linalg.lstsq(s.zeros(t, 0, 3), s.zeros(t, 0)).x().toDoubleArray());
                assertEquals("[0, 2]", Linalg.lstsq(s.zeros(t, 3, 0), s.ones(t, 3, 2)).x().shape().toString());
            }
        }
    }

    @DeviceSpec
    void polarAndOrthonormal(Device device) {
        for (DType t : TYPES) {
            for (long[] mn : new long[][] {{40, 7}, {20, 20}, {7, 40}, {1, 1}}) {
                for (boolean deficient : new boolean[] {false, true}) {
                    try (Scope s = device.open()) {
                        long k = Math.min(mn[0], mn[1]);
                        Tensor a = s.normal(t, 1, 3, mn[0], mn[1]);
                        if (deficient) {
                            a = s.normal(t, 1, mn[0], 1).matmul(s.normal(t, 2, 1, mn[1])).expand(3, mn[0], mn[1]);
                        }
                        double size = Linalg.norm(a).item();
                        Polar p = Linalg.polar(a);
                        small("polar", p.u().matmul(p.p()).sub(a), size, mn[0] + mn[1]);
                        Tensor u = mn[0] >= mn[1] ? p.u() : p.u().transpose(-2, -1);
                        small("polar's u", u.transpose(-2, -1).matmul(u).sub(s.eye(t, k)), 1, mn[0] + mn[1]);
                        assertEquals(0, Linalg.norm(p.p().sub(p.p().transpose(-2, -1))).item());
                        assertTrue(Linalg.eigvalsh(p.p()).min().item() >= -30 * size * eps(t) * mn[1]);
                        if (mn[0] >= mn[1]) {
                            Tensor q = Linalg.orthonormalise(a);
                            small("orthonormal", q.transpose(-2, -1).matmul(q).sub(s.eye(t, k)), 1, mn[0]);
                            Tensor r = q.transpose(-2, -1).matmul(a);
                            small("first columns", Indexing.tril(r, -1), size, mn[0]);
                            assertTrue(r.diagonal().min().item() >= -30 * size * eps(t) * mn[0]);
                        }
                    }
                }
            }
        }
    }

    @DeviceSpec
    void signsByTheRule(Device device) {
        for (DType t : TYPES) {
            for (SvdMode mode : new SvdMode[] {SvdMode.THIN, SvdMode.FULL}) {
                for (long[] mn : new long[][] {{6, 4}, {4, 6}, {5, 5}, {1, 3}, {3, 1}, {0, 3}, {3, 0}}) {
                    try (Scope s = device.open()) {
                        Tensor a = s.normal(t, 8, 2, mn[0], mn[1]);
                        Svd svd = Linalg.svd(a, mode).withSigns();
                        Svd other = Linalg.svd(a.neg(), mode).withSigns();
                        long k = Math.min(mn[0], mn[1]);
                        Tensor back = svd.u().slice(-1, 0, k).mul(svd.s().unsqueeze(-2))
                                .matmul(svd.vt().slice(-2, 0, k));
                        small("signed svd", back.sub(a), Math.max(1, Linalg.norm(a).item()), 10);
                        if (k > 0) {
                            Tensor top = svd.u().max(-2).sub(svd.u().abs().max(-2));
                            assertEquals(0, Linalg.norm(top).item(), "largest elements are positive");
                            Tensor same = svd.u().slice(-1, 0, k).sub(other.u().slice(-1, 0, k));
                            small("u whatever the sign", same, 1, 1000);
                        }
                    }
                }
            }
            try (Scope s = device.open()) {
                Tensor a = s.normal(t, 9, 3, 5, 5);
                Eigh e = Linalg.eigh(a).withSigns();
                assertEquals(0, Linalg.norm(e.v().max(-2).sub(e.v().abs().max(-2))).item());
            }
        }
    }

    @DeviceSpec
    void powersAndExponentials(Device device) {
        for (DType t : TYPES) {
            try (Scope s = device.open()) {
                Tensor a = s.normal(t, 1, 2, 9, 9);
                Tensor one = Linalg.expm(a).matmul(Linalg.expm(a.neg()));
                double size = Linalg.norm(Linalg.expm(a)).item() * Linalg.norm(Linalg.expm(a.neg())).item();
                small("exp(a) exp(-a)", one.sub(s.eye(t, 9)), size, 9);
                double[] det = Linalg.det(Linalg.expm(a)).toDoubleArray();
                double[] trace = Linalg.trace(a).toDoubleArray();
                double rounding = 1000 * eps(t) * Linalg.cond(Linalg.expm(a)).max().item();
                assertEquals(1, det[0] / Math.exp(trace[0]), rounding);
                assertEquals(1, det[1] / Math.exp(trace[1]), rounding);
                // one matrix's scaling is its own, whatever stands beside it
                Tensor mixed = dev.gramian.Join.stack(0, a.select(0, 0), s.eye(t, 9).mul(-80));
                assertArrayEquals(Linalg.expm(a.select(0, 0)).toDoubleArray(),
                        Linalg.expm(mixed).select(0, 0).toDoubleArray(), 20 * eps(t) * size);
                assertEquals(0, Linalg.expm(s.eye(t, 2).mul(-1e30)).max().item());
                Tensor m = s.tensor(new double[] {1, 1, 1, 0}, 2, 2).to(t);
                assertEquals(6765, Linalg.matrixPower(m, 20).get(0, 1)); // a Fibonacci number
                assertEquals(-6765, Linalg.matrixPower(m, -20).get(0, 1), 0.1);
                assertEquals(1, Linalg.matrixPower(s.eye(t, 2), Long.MIN_VALUE).get(1, 1));
            }
        }
    }

    @DeviceSpec
    void onlyResultsStay(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.normal(DType.F64, 1, 6, 6);
            Tensor b = s.normal(DType.F64, 2, 6);
            stays(device, 8 * 36, () -> Linalg.expm(a));
            stays(device, 8 * 36, () -> Linalg.matrixPower(a, 5));
            stays(device, 8 * 36, () -> Linalg.matrixPower(a, 1));
            stays(device, 8 * 36, () -> Linalg.orthonormalise(a));
            stays(device, 8 * 36 * 36, () -> Linalg.kron(a, a));
            stays(device, 8, () -> Linalg.cond(a));
            stays(device, 8 * 72, () -> Linalg.polar(a));
            stays(device, 8 * (6 + 1 + 1 + 6), () -> Linalg.lstsq(a, b));
            Svd svd = Linalg.svd(a);
            stays(device, 8 * 72, svd::withSigns);
            Lu lu = Linalg.lu(a);
            stays(device, 8 * 36, lu::p);
        }
    }

    private static void stays(Device device, long bytes, Supplier<?> call) {
        long before = device.liveBytes();
        call.get();
        assertEquals(bytes, device.liveBytes() - before);
    }

    private static void refused(String text, Executable call) {
        assertEquals(text, assertThrows(GramianException.class, call).getMessage());
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.zeros(3, 5);
            refused("lstsq: right side does not fit; a [3, 5], b [5]; a is (..., m, n) and b (m) or (..., m, r)",
                    () -> Linalg.lstsq(a, s.zeros(5)));
            refused("lstsq: x is not finite: NaN at [1]; x F32 [3]; replace such values first, "
                    + "e.g. x.isFinite().where(x, ...)",
                    () -> Linalg.lstsq(a, s.tensor(new float[] {1, Float.NaN, 2})));
            refused("expm: needs square matrices; x [3, 5]; give (..., n, n)", () -> Linalg.expm(a));
            refused("expm: needs a float type; x is I64 [2, 2]; cast with .to(DType.F32)",
                    () -> Linalg.expm(s.eye(DType.I64, 2)));
            refused("matrixPower: needs square matrices; x [3, 5]; give (..., n, n)", () -> Linalg.matrixPower(a, 2));
            refused("matrixPower: needs a float type; x is I64 [2, 2]; cast with .to(DType.F64)",
                    () -> Linalg.matrixPower(s.eye(DType.I64, 2), 2));
            refused("inv: matrix is singular; x [2, 2], pivot 0 is zero; use Linalg.pinv or check the rank",
                    () -> Linalg.matrixPower(s.zeros(2, 2), -1));
            refused("cond: matrix is empty; x [0, 3]; it has no singular values", () -> Linalg.cond(s.zeros(0, 3)));
            refused("trace: needs a matrix; x [3]; give (..., rows, columns)", () -> Linalg.trace(s.zeros(3)));
            refused("outer: needs two vectors; x [3, 5], y [3]; flatten them, or use "
                    + "x.unsqueeze(-1).mul(y.unsqueeze(-2)) for stacks", () -> Linalg.outer(a, s.zeros(3)));
            refused("orthonormalise: more columns than rows; x [3, 5]; at most 3 columns can be orthonormal, "
                    + "use svd(a).u()", () -> Linalg.orthonormalise(a));
        }
    }
}
