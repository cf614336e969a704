package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GemmPlan;
import dev.gramian.core.Half;
import dev.gramian.core.Layout;
import dev.gramian.core.MathMode;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Products against a scalar triple loop in F64. */
final class GemmTest {
    private static final long SEED = Seed.VALUE;
    private static final CpuMemory MEMORY = new CpuMemory(4L << 30, 0);
    private static final Workers WORKERS = new Workers(3);

    static Stream<Blas> blas() {
        Stream.Builder<Blas> all = Stream.builder();
        all.add(new ScalarBlas());
        all.add(new VectorBlas());
        if (NativeLibrary.openBlas().isPresent()) {
            all.add(new OpenBlas(NativeLibrary.openBlas(), new ScalarBlas()));
            all.add(NativeBlas.of(NativeLibrary.openBlas(), new VectorBlas()));
        }
        return all.build();
    }

    // ---- single products --------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("blas")
    void everyTransposeSizeAndPadding(Blas blas) {
        Random random = seeded();
        for (DType type : new DType[] {DType.F32, DType.F64}) {
            for (int round = 0; round < 600; round++) {
                one(blas, type, random, 1 + random.nextInt(70), 1 + random.nextInt(70), 1 + random.nextInt(70));
            }
            for (int n = 1; n <= 70; n++) {
                one(blas, type, random, 1, n, 71 - n);
                one(blas, type, random, n, 1, 71 - n);
                one(blas, type, random, n, 71 - n, 1);
                one(blas, type, random, 2, n, 9);
                one(blas, type, random, n, 33, 5);
            }
            one(blas, type, random, 131, 517, 1031);
            one(blas, type, random, 1, 517, 1031);
            one(blas, type, random, 517, 1, 1031);
            one(blas, type, random, 300, 70, 2);
        }
    }

    private static void one(Blas blas, DType type, Random random, int m, int n, int k) {
        boolean ta = random.nextBoolean();
        boolean tb = random.nextBoolean();
        int lda = (ta ? m : k) + random.nextInt(3) * random.nextInt(9);
        int ldb = (tb ? k : n) + random.nextInt(3) * random.nextInt(9);
        int ldc = n + random.nextInt(3) * random.nextInt(9);
        double alpha = random.nextInt(3) == 0 ? random.nextGaussian() : 1;
        double beta = new double[] {0, 0, 1, -0.5}[random.nextInt(4)];
        CpuStorage a = filled(type, random, (ta ? k : m) * lda);
        CpuStorage b = filled(type, random, (tb ? n : k) * ldb);
        CpuStorage c = filled(type, random, m * ldc);
        double[] before = values(type, c, m * ldc);
        if (beta == 0) {
            for (int i = 0; i < m * ldc; i++) {
                set(type, c, i, Double.NaN);
            }
        }
        blas.gemm(type, ta, tb, m, n, k, alpha, a.address, lda, b.address, ldb, beta, c.address, ldc);
        double eps = type == DType.F32 ? 0x1p-24 : 0x1p-53;
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                double size = 0;
                for (int p = 0; p < k; p++) {
                    double v = get(type, a, ta ? p * lda + i : i * lda + p)
                            * get(type, b, tb ? j * ldb + p : p * ldb + j);
                    sum += v;
                    size += Math.abs(v);
                }
                double old = beta == 0 ? 0 : beta * before[i * ldc + j];
                double want = alpha * sum + old;
                double got = get(type, c, i * ldc + j);
                double bound = (k + 4) * eps * (Math.abs(alpha) * size + Math.abs(old));
                if (!(Math.abs(got - want) <= bound)) {
                    throw new AssertionError(
                            blas.name() + " " + type + " " + m + "x" + n + "x" + k + " ta " + ta + " tb " + tb
                                    + " ld " + lda + " " + ldb + " " + ldc + " alpha " + alpha + " beta " + beta
                                    + " at " + i + ","
                                    + j + ": " + got + " instead of " + want + ", bound " + bound + ", seed " + SEED);
                }
            }
            for (int j = n; j < ldc; j++) {
                double pad = get(type, c, i * ldc + j);
                assertTrue(beta == 0 ? Double.isNaN(pad) : pad == before[i * ldc + j], "padding of c was written");
            }
        }
        MEMORY.free(a);
        MEMORY.free(b);
        MEMORY.free(c);
    }

    /** Each result element must be NaN, infinite or finite exactly where the plain sum is. */
    @ParameterizedTest
    @MethodSource("blas")
    void nanAndInfinityTravelAsIeeeSays(Blas blas) {
        Random random = seeded();
        for (DType type : new DType[] {DType.F32, DType.F64}) {
            for (int round = 0; round < 400; round++) {
                int m = 1 + random.nextInt(random.nextBoolean() ? 3 : 40);
                int n = 1 + random.nextInt(random.nextBoolean() ? 3 : 40);
                int k = 1 + random.nextInt(40);
                boolean ta = random.nextBoolean();
                boolean tb = random.nextBoolean();
                CpuStorage a = sparse(type, random, m * k);
                CpuStorage b = sparse(type, random, k * n);
                CpuStorage c = filled(type, random, m * n);
                blas.gemm(
                        type, ta, tb, m, n, k, 1, a.address, ta ? m : k, b.address, tb ? k : n, 0, c.address, n);
                for (int i = 0; i < m; i++) {
                    for (int j = 0; j < n; j++) {
                        double sum = 0;
                        for (int p = 0; p < k; p++) {
                            sum += get(type, a, ta ? p * m + i : i * k + p) * get(type, b, tb ? j * k + p : p * n + j);
                        }
                        assertKind(sum, get(type, c, i * n + j), blas.name() + " " + type + " " + m + "x" + n + "x" + k
                                + " ta " + ta + " tb " + tb);
                    }
                }
            }
        }
    }

    private static void assertKind(double want, double got, String where) {
        boolean same = Double.isFinite(want) ? Double.isFinite(got) : Double.compare(want, got) == 0;
        assertTrue(same, () -> where + ": " + got + " instead of " + want + ", seed " + SEED);
    }

    @ParameterizedTest
    @MethodSource("blas")
    void emptySizes(Blas blas) {
        CpuStorage c = filled(DType.F32, seeded(), 6);
        set(DType.F32, c, 1, Double.NaN);
        blas.gemm(DType.F32, false, false, 0, 3, 2, 1, c.address, 2, c.address, 3, 0, c.address, 3);
        blas.gemm(DType.F32, false, false, 3, 0, 2, 1, c.address, 2, c.address, 1, 0, c.address, 1);
        assertTrue(Double.isNaN(get(DType.F32, c, 1)));
        blas.gemm(DType.F32, false, false, 2, 3, 0, 1, c.address, 1, c.address, 3, 0, c.address, 3);
        assertTrue(Arrays.stream(values(DType.F32, c, 6)).allMatch(v -> v == 0));
    }

    // ---- batches and views --------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("blas")
    void viewsOfEveryTypeAgainstIndexByIndex(Blas blas) {
        Random random = seeded();
        MatMul matMul = new MatMul(blas, WORKERS);
        for (DType type : DType.values()) {
            if (type == DType.BOOL) {
                continue;
            }
            for (int round = 0; round < 120; round++) {
                long m = random.nextInt(12) == 0 ? 0 : 1 + random.nextInt(40);
                long k = random.nextInt(12) == 0 ? 0 : 1 + random.nextInt(40);
                long n = random.nextInt(12) == 0 ? 0 : 1 + random.nextInt(40);
                long[] batch = random.ints(random.nextInt(4), 1, 4).asLongStream().toArray();
                View a = operand(type, random, batch, m, k);
                View b = operand(type, random, batch, k, n);
                DType out = type.isHalf() && random.nextBoolean() ? DType.F32 : type;
                double alpha = random.nextBoolean() ? 1 : type.isInteger() ? 3 : random.nextGaussian();
                check(matMul, type, a, b, alpha, out);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("blas")
    void productsThatAreSplitOverWorkers(Blas blas) {
        Random random = seeded();
        MatMul matMul = new MatMul(blas, WORKERS);
        long[][] sizes = {{1, 333, 257, 211}, {1, 1, 801, 701}, {1, 801, 1, 701}, {3, 129, 97, 250}, {200, 17, 33, 19}};
        for (DType type : new DType[] {DType.F32, DType.F64, DType.F16, DType.BF16, DType.I32}) {
            for (long[] s : sizes) {
                View a = operand(type, random, new long[] {s[0]}, s[1], s[3]);
                View b = operand(type, random, new long[] {s[0]}, s[3], s[2]);
                check(matMul, type, a, b, 1, type);
            }
        }
    }

    private static void check(MatMul matMul, DType type, View a, View b, double alpha, DType out) {
        Op.Gemm op = new Op.Gemm(MathMode.values()[0], alpha, out, false);
        Shape shape = op.results(a, b)[0].shape();
        CpuStorage s = filled(out, new Random(1), (int) shape.size());
        for (int i = 0; i < shape.size() && out.isFloat(); i++) {
            set(out, s, i, Double.NaN);
        }
        View c = new View(s, Layout.contiguous(shape), out);
        matMul.run(op, a, b, c);
        long m = shape.dim(-2);
        long n = shape.dim(-1);
        long k = a.shape().dim(-1);
        Shape batch = shape.slice(0, shape.rank() - 2);
        Layout la = a.layout().expand("test", batch.plus(m, k));
        Layout lb = b.layout().expand("test", batch.plus(k, n));
        double eps = out == DType.F32 ? 0x1p-24 : out == DType.F64 ? 0x1p-53 : out == DType.F16 ? 0x1p-11 : 0x1p-8;
        for (long q = 0; q < batch.size(); q++) {
            long[] at = Arrays.copyOf(coordinates(batch, q), batch.rank() + 2);
            for (long i = 0; i < m; i++) {
                for (long j = 0; j < n; j++) {
                    double sum = 0;
                    double size = 0;
                    long whole = 0;
                    for (long p = 0; p < k; p++) {
                        at[batch.rank()] = i;
                        at[batch.rank() + 1] = p;
                        int x = (int) la.index(at);
                        at[batch.rank()] = p;
                        at[batch.rank() + 1] = j;
                        int y = (int) lb.index(at);
                        if (type.isFloat()) {
                            double v = get(type, (CpuStorage) a.storage(), x) * get(type, (CpuStorage) b.storage(), y);
                            sum += v;
                            size += Math.abs(v);
                        } else {
                            whole += whole(type, (CpuStorage) a.storage(), x)
                                    * whole(type, (CpuStorage) b.storage(), y);
                        }
                    }
                    int to = (int) ((q * m + i) * n + j);
                    String where = matMul.blas().name() + " " + type + " to " + out + ": a " + a.layout() + ", b "
                            + b.layout()
                            + ", alpha " + alpha + " at " + q + "," + i + "," + j + ", seed " + SEED;
                    if (!type.isFloat()) {
                        long want = whole * (long) alpha;
                        want = type == DType.I32 ? (int) want : type == DType.U8 ? want & 0xFF : want;
                        assertEquals(want, whole(type, s, to), where);
                    } else {
                        double want = alpha * sum;
                        double got = get(out, s, to);
                        double bound = (k + 4) * (type == DType.F64 ? 0x1p-53 : 0x1p-24) * size * Math.abs(alpha)
                                + eps * Math.abs(want) + (out == DType.F16 ? 0x1p-25 : 0);
                        assertTrue(Math.abs(got - want) <= bound, () -> where + ": " + got + " instead of " + want);
                    }
                }
            }
        }
        MEMORY.free(s);
        MEMORY.free((CpuStorage) a.storage());
        MEMORY.free((CpuStorage) b.storage());
    }

    /** A view BLAS can read: broadcast batch axes, transposes, slices with gaps, a batch that runs backwards. */
    private static View operand(DType type, Random random, long[] batch, long rows, long cols) {
        while (true) {
            Layout l = layout(random, batch, rows, cols);
            if (GemmPlan.fits(l)) {
                return new View(filled(type, random, (int) l.end()), l, type);
            }
        }
    }

    private static Layout layout(Random random, long[] batch, long rows, long cols) {
        int skip = random.nextInt(batch.length + 1);
        int rank = batch.length - skip;
        long[] d = Arrays.copyOf(Arrays.copyOfRange(batch, skip, batch.length), rank + 2);
        for (int i = 0; i < rank; i++) {
            d[i] = random.nextInt(3) == 0 ? 1 : d[i];
        }
        boolean transposed = random.nextBoolean();
        d[rank] = transposed ? cols : rows;
        d[rank + 1] = transposed ? rows : cols;
        long[] big = d.clone();
        for (int i = 0; i < big.length; i++) {
            big[i] = random.nextInt(3) == 0 ? 2 * big[i] + 1 : big[i];
        }
        Layout l = Layout.contiguous(Shape.of(big));
        for (int i = 0; i < big.length; i++) {
            int step = big[i] >= 2 * d[i] && d[i] > 0 ? 1 + random.nextInt(2) : 1;
            if (random.nextInt(4) == 0) {
                l = l.slice(i, Long.MAX_VALUE, Long.MIN_VALUE, -step).slice(i, 0, d[i], 1);
            } else {
                l = l.slice(i, 0, step * d[i], step);
            }
        }
        return transposed ? l.transpose(-2, -1) : l;
    }

    /** Every layout either does not fit or is planned so that each element is found where the layout says. */
    @Test
    void planAgainstIndexByIndex() {
        Random random = seeded();
        int planned = 0;
        int refused = 0;
        for (int round = 0; round < 4000; round++) {
            long m = 1 + random.nextInt(4);
            long n = 1 + random.nextInt(4);
            long k = 1 + random.nextInt(4);
            long[] batch = random.ints(random.nextInt(4), 1, 4).asLongStream().toArray();
            Layout a = layout(random, batch, m, k);
            Layout b = layout(random, batch, k, n);
            Shape shape = Shape.broadcast(
                    "test", a.shape().slice(0, a.rank() - 2), b.shape().slice(0, b.rank() - 2))
                    .plus(m, n);
            Layout c = Layout.contiguous(shape);
            if (!GemmPlan.fits(a) || !GemmPlan.fits(b)) {
                refused++;
                assertThrows(dev.gramian.core.ShapeException.class, () -> GemmPlan.of(a, b, c));
                continue;
            }
            planned++;
            GemmPlan p = GemmPlan.of(a, b, c);
            Shape outer = shape.slice(0, shape.rank() - 2);
            Layout la = a.expand("test", outer.plus(m, k));
            Layout lb = b.expand("test", outer.plus(k, n));
            for (long q = 0; q < shape.size(); q++) {
                long[] at = coordinates(shape, q);
                for (long i = 0; i < k; i++) {
                    long[] x = at.clone();
                    x[x.length - 1] = i;
                    long[] y = at.clone();
                    y[y.length - 2] = i;
                    long[] found = planned(p, q, i);
                    assertEquals(la.index(x), found[0], () -> "a " + a + ", b " + b + ", seed " + SEED);
                    assertEquals(lb.index(y), found[1], () -> "a " + a + ", b " + b + ", seed " + SEED);
                }
            }
        }
        assertTrue(planned > 500 && refused > 500, planned + " planned, " + refused + " refused");
    }

    /** Where the plan reads a and b for element {@code q} of the contiguous result and inner index {@code i}. */
    private static long[] planned(GemmPlan p, long q, long i) {
        for (long batch = 0; batch < p.batch(); batch++) {
            long x = p.aOffset();
            long y = p.bOffset();
            long z = p.cOffset();
            long rest = batch;
            for (int d = p.batchDims().length - 1; d >= 0; d--) {
                long at = rest % p.batchDims()[d];
                rest /= p.batchDims()[d];
                x += at * p.aStrides()[d];
                y += at * p.bStrides()[d];
                z += at * p.cStrides()[d];
            }
            long row = (q - z) / p.ldc();
            long col = (q - z) % p.ldc();
            if (q >= z && row < p.m() && col < p.n()) {
                return new long[] {
                    x + (p.transA() ? i * p.lda() + row : row * p.lda() + i),
                    y + (p.transB() ? col * p.ldb() + i : i * p.ldb() + col),
                };
            }
        }
        throw new AssertionError("element " + q + " is in no product");
    }

    // ---- special rules --------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("blas")
    void zerosAnnihilate(Blas blas) {
        Random random = seeded();
        MatMul matMul = new MatMul(blas, WORKERS);
        for (DType type : new DType[] {DType.F32, DType.F64, DType.F16, DType.BF16}) {
            for (int round = 0; round < 100; round++) {
                int m = 1 + random.nextInt(20);
                int n = 1 + random.nextInt(20);
                int k = 1 + random.nextInt(20);
                CpuStorage a = sparse(type, random, m * k);
                CpuStorage b = sparse(type, random, k * n);
                CpuStorage c = filled(type, random, m * n);
                boolean tb = random.nextBoolean();
                Layout lb = tb ? Layout.contiguous(Shape.of(n, k)).transpose(0, 1) : Layout.contiguous(Shape.of(k, n));
                matMul.run(
                        new Op.Gemm(MathMode.values()[0], 0.5, type, true),
                        new View(a, Layout.contiguous(Shape.of(m, k)), type),
                        new View(b, lb, type),
                        new View(c, Layout.contiguous(Shape.of(m, n)), type));
                for (int i = 0; i < m; i++) {
                    for (int j = 0; j < n; j++) {
                        double sum = 0;
                        for (int p = 0; p < k; p++) {
                            double x = get(type, a, i * k + p);
                            sum += x == 0 ? 0 : x * get(type, b, tb ? j * k + p : p * n + j);
                        }
                        double got = get(type, c, i * n + j);
                        assertKind(sum, got, blas.name() + " " + type);
                        if (Double.isFinite(sum)) {
                            // values are -1, 0, 1: halves of small whole numbers are exact in every type
                            assertEquals(0.5 * sum, got, 0.0, "seed " + SEED);
                        }
                    }
                }
            }
        }
    }

    @Test
    void alphaZeroGivesZeros() {
        MatMul matMul = new MatMul(new ScalarBlas(), WORKERS);
        for (DType type : new DType[] {DType.F32, DType.BF16, DType.I64}) {
            CpuStorage a = filled(type, seeded(), 4);
            if (type.isFloat()) {
                set(type, a, 0, Double.NaN);
            }
            CpuStorage c = filled(type, seeded(), 4);
            View x = new View(a, Layout.contiguous(Shape.of(2, 2)), type);
            matMul.run(
                    new Op.Gemm(MathMode.values()[0], 0, type, false),
                    x,
                    x,
                    new View(c, Layout.contiguous(Shape.of(2, 2)), type));
            for (int i = 0; i < 4; i++) {
                assertEquals(0, type.isFloat() ? get(type, c, i) : whole(type, c, i));
            }
        }
    }

    @Test
    void integersTakeWholeAlphaOnly() {
        MatMul matMul = new MatMul(new ScalarBlas(), WORKERS);
        View x = new View(filled(DType.I32, seeded(), 4), Layout.contiguous(Shape.of(2, 2)), DType.I32);
        DTypeException e = assertThrows(
                DTypeException.class,
                () -> matMul.run(new Op.Gemm(MathMode.values()[0], 0.5, DType.I32, false), x, x, x));
        assertEquals(
                "matmul: alpha 0.5 is not a whole number; a is I32 [2, 2], b [2, 2]; cast with .to(DType.F64)",
                e.getMessage());
    }

    @ParameterizedTest
    @MethodSource("blas")
    void manyThreadsAtOnce(Blas blas) throws Exception {
        MatMul matMul = new MatMul(blas, WORKERS);
        List<Thread> threads = new ArrayList<>();
        List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
        for (int t = 0; t < 16; t++) {
            int id = t;
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    int n = 64 + 9 * id;
                    CpuStorage a = MEMORY.allocate(4L * n * n);
                    CpuStorage c = MEMORY.allocate(4L * n * n);
                    for (int i = 0; i < n * n; i++) {
                        set(DType.F32, a, i, i % 7 + id);
                    }
                    View x = new View(a, Layout.contiguous(Shape.of(n, n)), DType.F32);
                    View z = new View(c, Layout.contiguous(Shape.of(n, n)), DType.F32);
                    double[] first = null;
                    for (int round = 0; round < 20; round++) {
                        matMul.run(new Op.Gemm(MathMode.values()[0], 1, DType.F32, false), x, x, z);
                        double[] now = values(DType.F32, c, n * n);
                        // whole numbers below 2^24: exact in any order
                        if (first == null) {
                            first = now;
                            for (int q = 0; q < 50; q++) {
                                int i = q * 13 % n;
                                int j = q * 29 % n;
                                long sum = 0;
                                for (int p = 0; p < n; p++) {
                                    sum += (long) ((i * n + p) % 7 + id) * ((p * n + j) % 7 + id);
                                }
                                assertEquals(sum, now[i * n + j]);
                            }
                        }
                        assertTrue(Arrays.equals(first, now));
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            }));
        }
        for (Thread t : threads) {
            t.join();
        }
        assertEquals(List.of(), failures);
    }

    // ---- values -------------------------------------------------------------------------------------------------------

    private static Random seeded() {
        System.out.println("seed " + SEED + " (replay with -Dgramian.seed)");
        return new Random(SEED);
    }

    private static long[] coordinates(Shape shape, long index) {
        long[] at = new long[shape.rank()];
        for (int i = at.length - 1; i >= 0; i--) {
            at[i] = index % shape.at(i);
            index /= shape.at(i);
        }
        return at;
    }

    private static CpuStorage filled(DType type, Random random, int n) {
        CpuStorage s = MEMORY.allocate(Math.max(1, (long) n * type.bytes()));
        for (int i = 0; i < n; i++) {
            if (type.isFloat()) {
                set(type, s, i, random.nextGaussian());
            } else {
                for (int byteIndex = 0; byteIndex < type.bytes(); byteIndex++) {
                    Mem.u8(s.address + (long) i * type.bytes() + byteIndex, random.nextInt());
                }
            }
        }
        return s;
    }

    /** Mostly 0, 1 and -1, now and then NaN or an infinity. */
    private static CpuStorage sparse(DType type, Random random, int n) {
        CpuStorage s = MEMORY.allocate((long) n * type.bytes());
        double[] odd = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
        for (int i = 0; i < n; i++) {
            set(type, s, i, random.nextInt(25) == 0 ? odd[random.nextInt(3)] : random.nextInt(3) - 1);
        }
        return s;
    }

    private static double[] values(DType type, CpuStorage s, int n) {
        double[] v = new double[n];
        for (int i = 0; i < n; i++) {
            v[i] = get(type, s, i);
        }
        return v;
    }

    private static double get(DType type, CpuStorage s, int i) {
        long at = s.address + (long) i * type.bytes();
        return switch (type) {
            case F64 -> Mem.f64(at);
            case F32 -> Mem.f32(at);
            default -> Half.toFloat(type, Mem.i16(at));
        };
    }

    private static long whole(DType type, CpuStorage s, int i) {
        long at = s.address + (long) i * type.bytes();
        return switch (type) {
            case I64 -> Mem.i64(at);
            case I32 -> Mem.i32(at);
            default -> Mem.u8(at);
        };
    }

    private static void set(DType type, CpuStorage s, int i, double v) {
        long at = s.address + (long) i * type.bytes();
        switch (type) {
            case F64 -> Mem.f64(at, v);
            case F32 -> Mem.f32(at, (float) v);
            default -> Mem.i16(at, Half.fromDouble(type, v));
        }
    }
}
