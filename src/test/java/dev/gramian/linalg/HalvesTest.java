package dev.gramian.linalg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;

/** Half types in decompositions: what F32 of the same numbers gives, in F32. */
class HalvesTest {
    private static final long SEED = Seed.VALUE;
    private static final DType[] HALVES = {DType.F16, DType.BF16};

    /** Routines of a square matrix a, which is symmetric and positive definite, and of matrices b with as many rows. */
    private static Map<String, BiFunction<Tensor, Tensor, Tensor[]>> routines(boolean general) {
        Map<String, BiFunction<Tensor, Tensor, Tensor[]>> all = new LinkedHashMap<>();
        all.put("svd", (a, b) -> parts(Linalg.svd(b)));
        all.put("svdValues", (a, b) -> new Tensor[] {Linalg.svdValues(b)});
        all.put("withSigns", (a, b) -> parts(Linalg.svd(b).withSigns()));
        all.put("lowRank", (a, b) -> parts(Linalg.lowRank(b, 2)));
        all.put("ofEnergy", (a, b) -> parts(LowRank.ofEnergy(b, 0.9)));
        all.put("ofTolerance", (a, b) -> parts(LowRank.ofTolerance(b, 0.3)));
        all.put("distance", (a, b) -> new Tensor[] {LowRank.ofRank(b, 1).distance(b)});
        all.put("randomizedSvd", (a, b) -> parts(new RandomizedSvd(1, 1, SEED).ofRank(b, 1).svd()));
        all.put("randomizedSvd by tolerance", (a, b) -> parts(new RandomizedSvd(SEED).ofTolerance(b, 0.1).svd()));
        all.put("pinv", (a, b) -> new Tensor[] {Linalg.pinv(b)});
        all.put("rank", (a, b) -> new Tensor[] {Linalg.rank(b)});
        all.put("cond", (a, b) -> new Tensor[] {Linalg.cond(b)});
        all.put("spectral norm", (a, b) -> new Tensor[] {Linalg.norm(b, MatrixNorm.SPECTRAL)});
        all.put("nuclear norm", (a, b) -> new Tensor[] {Linalg.norm(b, MatrixNorm.NUCLEAR, true, 0, 1)});
        all.put("inv", (a, b) -> new Tensor[] {Linalg.inv(a)});
        all.put("det", (a, b) -> new Tensor[] {Linalg.det(a)});
        all.put("slogdet", (a, b) -> {
            Linalg.LogDet d = Linalg.slogdet(a);
            return new Tensor[] {d.sign(), d.logAbs()};
        });
        all.put("solve", (a, b) -> new Tensor[] {Linalg.solve(a, b)});
        all.put("solve a vector", (a, b) -> new Tensor[] {Linalg.solve(a, b.select(1, 0))});
        all.put("solve a stack", (a, b) -> new Tensor[] {Linalg.solve(a, b.expand(2, b.dim(0), b.dim(1)))});
        all.put("solveTriangular", (a, b) -> new Tensor[] {Linalg.solveTriangular(a, b, true, false, false)});
        all.put("solveTriangular a vector",
                (a, b) -> new Tensor[] {Linalg.solveTriangular(a, b.select(1, 0), false, true, true)});
        all.put("lstsq", (a, b) -> parts(Linalg.lstsq(b, a)));
        all.put("lstsq a vector", (a, b) -> parts(Linalg.lstsq(b, a.select(1, 0))));
        all.put("eigh", (a, b) -> new Tensor[] {Linalg.eigh(a).w(), Linalg.eigh(a).withSigns().v()});
        all.put("eigvalsh", (a, b) -> new Tensor[] {Linalg.eigvalsh(a)});
        all.put("qr", (a, b) -> new Tensor[] {Linalg.qr(b).q(), Linalg.qr(b, true).r()});
        all.put("orthonormalise", (a, b) -> new Tensor[] {Linalg.orthonormalise(b)});
        all.put("cholesky", (a, b) -> new Tensor[] {Linalg.cholesky(a)});
        all.put("lu", (a, b) -> new Tensor[] {Linalg.lu(b).p(), Linalg.lu(b).l(), Linalg.lu(b).u()});
        all.put("polar", (a, b) -> new Tensor[] {Linalg.polar(b).u(), Linalg.polar(b).p()});
        all.put("expm", (a, b) -> new Tensor[] {Linalg.expm(a)});
        for (long p : new long[] {-2, 0, 1, 3}) {
            all.put("matrixPower " + p, (a, b) -> new Tensor[] {Linalg.matrixPower(a, p)});
        }
        if (general) {
            all.put("eig", (a, b) -> {
                Eig e = Linalg.eig(a);
                return new Tensor[] {e.w().re(), e.w().im(), e.v().re(), e.v().im()};
            });
            all.put("eigvals", (a, b) -> new Tensor[] {Linalg.eigvals(a).re(), Linalg.eigvals(a).abs()});
        }
        return all;
    }

    private static Tensor[] parts(Svd d) {
        return new Tensor[] {d.u(), d.s(), d.vt()};
    }

    private static Tensor[] parts(LowRank l) {
        return new Tensor[] {l.left(), l.right(), l.error()};
    }

    private static Tensor[] parts(LeastSquares l) {
        return new Tensor[] {l.x(), l.residual(), l.rank(), l.s()};
    }

    @DeviceSpec
    void everyRoutineGivesWhatF32Gives(Device device) {
        for (DType half : HALVES) {
            routines(!device.name().startsWith("cuda")).forEach((name, routine) -> {
                try (Scope s = device.open()) {
                    Tensor x = s.normal(DType.F32, SEED, 5, 5);
                    Tensor a = x.matmul(x.transpose(0, 1)).div(8).add(s.eye(DType.F32, 5)).to(half);
                    Tensor b = s.normal(DType.F32, SEED + 1, 5, 3).to(half);
                    Tensor[] expected = routine.apply(a.to(DType.F32), b.to(DType.F32));
                    long before = s.liveBytes();
                    Tensor[] found = routine.apply(a, b);
                    String what = name + " of " + half;
                    for (int i = 0; i < found.length; i++) {
                        DType t = expected[i].dtype();
                        assertEquals(t == DType.I64 ? t : DType.F32, found[i].dtype(), what);
                        assertEquals(expected[i].shape(), found[i].shape(), what);
                        // a copy may be added up in another order than a view
                        assertArrayEquals(expected[i].toDoubleArray(), found[i].toDoubleArray(), 1e-5, what);
                    }
                    long now = s.liveBytes() - before;
                    routine.apply(a.to(DType.F32), b.to(DType.F32));
                    long casts = 4 * (a.size() + b.size());
                    assertEquals(now, s.liveBytes() - before - now - casts, what + " leaves as much as F32");
                }
            });
        }
    }

    @DeviceSpec
    void emptiesAreF32(Device device) {
        try (Scope s = device.open()) {
            Tensor none = s.zeros(DType.F16, 2, 0, 0);
            assertEquals(DType.F32, Linalg.expm(none).dtype());
            assertEquals(DType.F32, Linalg.svd(none).u().dtype());
            assertArrayEquals(new float[] {1, 1}, Linalg.det(none).toFloatArray());
        }
    }

    private static void refused(Class<? extends GramianException> type, String text, Runnable call) {
        assertEquals(text, assertThrows(type, call::run).getMessage());
    }

    @DeviceSpec
    void mixedTypesAreRefused(Device device) {
        try (Scope s = device.open()) {
            Tensor half = s.eye(DType.F16, 2);
            Tensor other = s.eye(DType.BF16, 2);
            Tensor single = s.eye(DType.F32, 2);
            String types = "; a [2, 2], b [2, 2]; cast one with .to(DType.F32)";
            refused(DTypeException.class, "solve: element types differ: F16 and F32" + types,
                    () -> Linalg.solve(half, single));
            refused(DTypeException.class, "solve: element types differ: F32 and BF16" + types,
                    () -> Linalg.solve(single, other));
            refused(DTypeException.class, "solveTriangular: element types differ: F16 and BF16; a [2, 2], b [2, 2]; "
                    + "cast one with .to(DType.F16)",
                    () -> Linalg.solveTriangular(half, other, true, false, false));
            refused(DTypeException.class, "lstsq: element types differ: BF16 and F32" + types,
                    () -> Linalg.lstsq(other, single));
            refused(GramianException.class, "svd: x is not finite: inf at [0, 0]; x F16 [2, 2]; replace such values "
                    + "first, e.g. x.isFinite().where(x, ...)", () -> Linalg.svd(half.div(0)));
            refused(GramianException.class, "inv: matrix is singular; x [2, 2], pivot 0 is zero; "
                    + "use Linalg.pinv or check the rank", () -> Linalg.inv(s.zeros(DType.BF16, 2, 2)));
        }
    }
}
