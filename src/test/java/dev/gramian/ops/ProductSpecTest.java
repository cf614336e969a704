package dev.gramian.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.MathMode;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.ops.Laid.Lie;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Supplier;

/** Batched products of every type and layout, those in which zeros annihilate too, against triple loops. */
final class ProductSpecTest {
    private static final long SEED = Seed.VALUE;
    private static final DType[] FLOATS = {DType.F64, DType.F32, DType.F16, DType.BF16};
    private static final DType[] INTEGERS = {DType.I64, DType.I32, DType.U8};

    private static Laid.Source numbers(Random r) {
        return t -> t.isFloat() ? Laid.bits(t, r.nextGaussian()) : Laid.bits(t, r.nextLong());
    }

    /** Many zeros, a few NaN and infinities. */
    private static Laid.Source sparse(Random r, int strangeOneIn) {
        return t -> Laid.bits(t, r.nextInt(strangeOneIn) == 0
                ? new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}[r.nextInt(3)]
                : r.nextInt(3) - 1);
    }

    private static Lie lie(Random r) {
        return Lie.values()[r.nextInt(Lie.values().length)];
    }

    private static void check(Scope s, Laid a, Laid b, double alpha, DType out, boolean zeroAnnihilates) {
        DType t = a.tensor().dtype();
        Tensor y = s.run(new Op.Gemm(MathMode.IEEE, alpha, out, zeroAnnihilates), a.tensor(), b.tensor());
        assertEquals(out, y.dtype());
        Shape sa = a.tensor().shape();
        Shape sb = b.tensor().shape();
        Shape batch = Shape.broadcast("test", sa.slice(0, sa.rank() - 2), sb.slice(0, sb.rank() - 2));
        int m = (int) sa.dim(-2);
        int k = (int) sa.dim(-1);
        int n = (int) sb.dim(-1);
        assertEquals(batch.plus(m, n), y.shape());
        long[] got = Laid.read(y);
        double[] ra = reals(a);
        double[] rb = reals(b);
        double compute = t == DType.F64 ? 0x1p-53 : 0x1p-24;
        for (int q = 0; q < batch.size(); q++) {
            int pa = matrix(batch, sa, q) * m * k;
            int pb = matrix(batch, sb, q) * k * n;
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    int at = (q * m + i) * n + j;
                    Supplier<String> where = () -> t + " to " + out + ", a " + a.tensor().layout() + ", b "
                            + b.tensor().layout() + ", alpha " + alpha + " [" + at + "], replay with -Dgramian.seed="
                            + SEED;
                    if (!t.isFloat()) {
                        long sum = 0;
                        for (int p = 0; p < k; p++) {
                            sum += a.bits()[pa + i * k + p] * b.bits()[pb + p * n + j];
                        }
                        long want = Laid.bits(t, sum * (long) alpha);
                        assertEquals(want, got[at], where);
                        continue;
                    }
                    double sum = 0;
                    double size = 0;
                    for (int p = 0; p < k; p++) {
                        double x = ra[pa + i * k + p];
                        double v = zeroAnnihilates && x == 0 ? 0 : x * rb[pb + p * n + j];
                        sum += v;
                        size += Math.abs(v);
                    }
                    Near.within(out, alpha * sum, Laid.real(out, got[at]), (k + 4) * compute * Math.abs(alpha) * size,
                            where);
                }
            }
        }
    }

    private static double[] reals(Laid x) {
        double[] v = new double[x.bits().length];
        Arrays.setAll(v, x::real);
        return v;
    }

    /** Which of an operand's matrices product {@code q} of the batch takes. */
    private static int matrix(Shape batch, Shape own, int q) {
        int lead = batch.rank() - (own.rank() - 2);
        int place = 0;
        int step = 1;
        for (int a = batch.rank() - 1; a >= lead; a--) {
            int c = q % (int) batch.at(a);
            q /= (int) batch.at(a);
            place += own.at(a - lead) == 1 ? 0 : c * step;
            step *= (int) own.at(a - lead);
        }
        return place;
    }

    /** A shape for one operand: leading batch axes dropped or 1 by chance. */
    private static long[] operand(Random r, long[] batch, long rows, long columns) {
        int skip = r.nextInt(batch.length + 1);
        long[] d = Arrays.copyOf(Arrays.copyOfRange(batch, skip, batch.length), batch.length - skip + 2);
        for (int i = 0; i < batch.length - skip; i++) {
            d[i] = r.nextInt(3) == 0 ? 1 : d[i];
        }
        d[d.length - 2] = rows;
        d[d.length - 1] = columns;
        return d;
    }

    // ---- plain products ----------------------------------------------------------------------------------------------

    @DeviceSpec
    void everyTypeAndLayout(Device device) {
        Random r = new Random(SEED);
        for (DType t : DType.values()) {
            for (int round = 0; t != DType.BOOL && round < 60; round++) {
                long m = r.nextInt(12) == 0 ? 0 : 1 + r.nextInt(40);
                long k = r.nextInt(12) == 0 ? 0 : 1 + r.nextInt(40);
                long n = r.nextInt(12) == 0 ? 0 : 1 + r.nextInt(70);
                long[] batch = r.ints(r.nextInt(4), 1, 4).asLongStream().toArray();
                if (r.nextInt(20) == 0 && batch.length > 0) {
                    batch[0] = 0;
                }
                try (Scope s = device.open()) {
                    Laid a = Laid.of(s, numbers(r), t, lie(r), operand(r, batch, m, k));
                    Laid b = Laid.of(s, numbers(r), t, lie(r), operand(r, batch, k, n));
                    DType out = t.isHalf() && r.nextBoolean() ? DType.F32 : t;
                    double alpha = r.nextBoolean() ? 1 : t.isFloat() ? r.nextGaussian() : r.nextInt(7) - 3;
                    check(s, a, b, alpha, out, false);
                }
            }
        }
    }

    /** Batch axes that do not collapse, aligned and not: one call with the addresses of all matrices, or several. */
    @DeviceSpec
    void batchesOfManyAxes(Device device) {
        Random r = new Random(SEED + 1);
        for (DType t : FLOATS) {
            for (long[] mkn : new long[][] {{16, 8, 24}, {5, 7, 3}, {1, 16, 8}}) {
                try (Scope s = device.open()) {
                    Laid a = Laid.of(s, numbers(r), t, Lie.CONTIGUOUS, 6, 1, 3, mkn[0], mkn[1]);
                    Laid b = Laid.of(s, numbers(r), t, Lie.CONTIGUOUS, 1, 2, 3, mkn[1], mkn[2]);
                    check(s, a, b, 1, t, false);
                    check(s, a, b, 1, t, true);
                }
            }
        }
    }

    /** Integer products of many and few rows, tiles with edges, and sums over so many terms that they are split. */
    @DeviceSpec
    void productsOfIntegers(Device device) {
        Random r = new Random(SEED + 2);
        for (DType t : INTEGERS) {
            for (long[] mkn : new long[][] {{3, 2100, 5}, {70, 1030, 65}, {16, 33, 64}, {17, 31, 129}, {64, 16, 64}}) {
                try (Scope s = device.open()) {
                    Laid a = Laid.of(s, numbers(r), t, r.nextBoolean() ? Lie.CONTIGUOUS : Lie.TRANSPOSED, mkn[0],
                            mkn[1]);
                    Laid b = Laid.of(s, numbers(r), t, r.nextBoolean() ? Lie.CONTIGUOUS : Lie.TRANSPOSED, mkn[1],
                            mkn[2]);
                    check(s, a, b, r.nextInt(5) - 2, t, false);
                }
            }
        }
        try (Scope s = device.open()) {
            Tensor x = s.ones(DType.I32, 2, 3);
            assertEquals("matmul: alpha 0.5 is not a whole number; a is I32 [2, 3], b [3, 2]; cast with .to(DType.F64)",
                    assertThrows(DTypeException.class, () -> s.run(new Op.Gemm(MathMode.IEEE, 0.5, DType.I32, false), x,
                            x.transpose(0, 1))).getMessage());
        }
    }

    /** Nothing to add up gives zeros, and alpha 0 does not look at the operands. */
    @DeviceSpec
    void nothingToAddUp(Device device) {
        for (DType t : DType.values()) {
            if (t == DType.BOOL) {
                continue;
            }
            try (Scope s = device.open()) {
                assertArrayEquals(new long[2 * 3 * 4], Laid.read(s.ones(t, 2, 3, 0).matmul(s.ones(t, 0, 4))));
                Tensor a = t.isFloat() ? s.full(t, Double.NaN, 3, 5) : s.ones(t, 3, 5);
                assertArrayEquals(new long[9],
                        Laid.read(s.run(new Op.Gemm(MathMode.IEEE, 0, t, false), a, a.transpose(0, 1))));
                assertEquals(Shape.of(0, 4), s.ones(t, 0, 5).matmul(s.ones(t, 5, 4)).shape());
                assertEquals(Shape.of(0, 2, 4), s.ones(t, 0, 2, 5).matmul(s.ones(t, 5, 4)).shape());
            }
        }
    }

    /** Results are written over whatever their memory held, never added to it. */
    @DeviceSpec
    void whatMemoryHeldDoesNotCount(Device device) {
        for (DType t : new DType[] {DType.F32, DType.F64, DType.F16, DType.BF16}) {
            try (Scope s = device.open()) {
                for (long n : new long[] {1, 3, 40}) {
                    Tensor a = s.ones(t, 2, n, 5);
                    Tensor b = s.ones(t, 2, 5, n);
                    for (int i = 0; i < 3; i++) {
                        try (Scope inner = Scope.inner("held", device)) {
                            inner.full(t, Double.NaN, 2, n, n);
                        }
                        assertEquals(5, a.matmul(b).min().item());
                        assertEquals(5, a.matmul(b).max().item());
                    }
                }
            }
        }
    }

    /** Only TF32 may round F32 operands, to 10 bits; F16 and BF16 add up in F32 and may give F32 whatever the mode. */
    @DeviceSpec
    void mathModes(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.full(DType.F32, 1 + 0x1p-12, 3, 40);
            Tensor ones = s.ones(DType.F32, 40, 5);
            Tensor exact = s.run(new Op.Gemm(MathMode.IEEE, 1, DType.F32, false), x, ones);
            assertEquals(40 * (1 + 0x1p-12), exact.max().item());
            double fast = s.run(new Op.Gemm(MathMode.TF32, 1, DType.F32, false), x, ones).max().item();
            assertEquals(40, fast, 40 * 0x1p-10);
            if (device.name().startsWith("cuda")) {
                assertEquals(40, fast, "TF32 has 10 bits behind the point");
            }
            for (DType half : new DType[] {DType.F16, DType.BF16}) {
                // 512 + 1 / 4 has more bits than either
                Tensor h = s.ones(half, 2, 513);
                Tensor quarters = Join.concat(0, s.ones(half, 512, 3), s.full(half, 0.25, 1, 3));
                for (MathMode mode : MathMode.values()) {
                    assertEquals(512.25,
                            s.run(new Op.Gemm(mode, 1, DType.F32, false), h, quarters).min().item(), half + " " + mode);
                }
            }
        }
    }

    // ---- products in which zeros annihilate --------------------------------------------------------------------------

    @DeviceSpec
    void zerosAnnihilate(Device device) {
        Random r = new Random(SEED + 3);
        for (DType t : FLOATS) {
            for (int round = 0; round < 25; round++) {
                long m = 1 + r.nextInt(round % 2 == 0 ? 15 : 90);
                long k = 1 + r.nextInt(round == 3 ? 2000 : 40);
                long n = 1 + r.nextInt(70);
                long[] batch = r.ints(r.nextInt(3), 1, 4).asLongStream().toArray();
                try (Scope s = device.open()) {
                    Laid a = Laid.of(s, sparse(r, 400), t, lie(r), operand(r, batch, m, k));
                    Laid b = Laid.of(s, sparse(r, 8), t, lie(r), operand(r, batch, k, n));
                    check(s, a, b, 0.5, t.isHalf() && r.nextBoolean() ? DType.F32 : t, true);
                }
            }
        }
    }

    /** Large enough for the device's own library, around which b is cleaned and the rest settled. */
    @DeviceSpec
    void zerosAnnihilateInLargeProducts(Device device) {
        Random r = new Random(SEED + 4);
        for (DType t : FLOATS) {
            for (Lie lie : t == DType.F32 || t == DType.F16
                    ? new Lie[] {Lie.CONTIGUOUS, Lie.TRANSPOSED}
                    : new Lie[] {Lie.INSET}) {
                try (Scope s = device.open()) {
                    Laid a = Laid.of(s, sparse(r, 20_000), t, r.nextBoolean() ? Lie.CONTIGUOUS : Lie.TRANSPOSED, 70,
                            520);
                    Laid b = Laid.of(s, sparse(r, 500), t, lie, 520, 470);
                    check(s, a, b, 1, t, true);
                }
            }
        }
        try (Scope s = device.open()) {
            Laid a = Laid.of(s, sparse(r, 20_000), DType.BF16, Lie.CONTIGUOUS, 3, 2, 40, 300);
            Laid b = Laid.of(s, sparse(r, 300), DType.BF16, Lie.CONTIGUOUS, 3, 1, 300, 257);
            check(s, a, b, -2, DType.F32, true);
        }
    }

    /** What is annihilated changes no bit: a result is the same with NaN, infinities or ones against zeros. */
    @DeviceSpec
    void annihilatedValuesChangeNoBit(Device device) {
        Random r = new Random(SEED + 5);
        long[][] sizes = {{7, 40, 9}, {70, 520, 470}, {33, 64, 64}};
        for (DType t : FLOATS) {
            for (long[] z : sizes) {
                for (boolean transposed : new boolean[] {false, true}) {
                    try (Scope s = device.open()) {
                        int k = (int) z[1];
                        int n = (int) z[2];
                        Laid a = Laid.of(s, numbers(r), t, Lie.CONTIGUOUS, z[0], k);
                        Laid b = Laid.of(s, numbers(r), t, Lie.CONTIGUOUS, k, n);
                        boolean[] unused = new boolean[k];
                        for (int p = 0; p < k; p++) {
                            unused[p] = r.nextInt(4) == 0;
                        }
                        long[] zeroed = a.bits().clone();
                        for (int i = 0; i < zeroed.length; i++) {
                            zeroed[i] = unused[i % k] ? Laid.bits(t, i % 2 == 0 ? 0.0 : -0.0) : zeroed[i];
                        }
                        Tensor x = s.tensor(Laid.segment(t, zeroed), t).reshape(z[0], k);
                        long[][] results = new long[3][];
                        for (int kind = 0; kind < 3; kind++) {
                            long[] bits = b.bits().clone();
                            for (int i = 0; i < bits.length; i++) {
                                double poison = kind == 0
                                        ? 1
                                        : kind == 1 ? Double.NaN : (i & 1) == 0 ? 1 / 0.0 : -1 / 0.0;
                                bits[i] = unused[i / n] ? Laid.bits(t, poison) : bits[i];
                            }
                            Tensor y = s.tensor(Laid.segment(t, bits), t).reshape(k, n);
                            y = transposed ? y.transpose(0, 1).copy().transpose(0, 1) : y;
                            results[kind] = Laid.read(s.run(new Op.Gemm(MathMode.IEEE, 1, t, true), x, y));
                        }
                        String where = t + " " + Arrays.toString(z) + (transposed ? ", b transposed" : "");
                        assertArrayEquals(results[0], results[1], where);
                        assertArrayEquals(results[0], results[2], where);
                    }
                }
            }
        }
    }
}
