package dev.gramian.analysis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.cuda.StandIns;
import dev.gramian.io.TensorFiles;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.RandomizedSvd;
import dev.gramian.linalg.Reals;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PcaTest {
    /** Samples far from the origin whose variance falls by half from direction to direction. */
    static double[] samples(int n, int d, double offset) {
        Random random = new Random(Seed.VALUE + 31 * n + d);
        double[] z = Reals.uniform(random, n, d);
        for (int i = 0; i < z.length; i++) {
            z[i] *= Math.pow(0.7, i % d);
        }
        double[] x = Reals.product(z, Reals.uniform(random, d, d), n, d, d);
        for (int i = 0; i < x.length; i++) {
            x[i] += offset * (1 + i % d);
        }
        return x;
    }

    private static void near(String what, PlainPca expected, Pca found, int k, double tolerance) {
        assertArrayEquals(expected.mean, found.mean().toDoubleArray(),
                tolerance * (1 + Reals.max(expected.mean)), what + " mean");
        double[] components = found.components().toDoubleArray();
        double[] variance = found.explainedVariance().toDoubleArray();
        double[] ratio = found.explainedVarianceRatio().toDoubleArray();
        double[] singular = found.singularValues().toDoubleArray();
        int d = expected.mean.length;
        assertEquals(k * d, components.length, what);
        for (int i = 0; i < k; i++) {
            double relative = tolerance * expected.variance[0];
            assertEquals(expected.variance[i], variance[i], relative, what + " variance " + i);
            assertEquals(expected.variance[i] / expected.total, ratio[i], tolerance, what + " ratio " + i);
            assertEquals(variance[i] * (found.samples() - 1), singular[i] * singular[i],
                    10 * relative * found.samples());
            double gap = Math.min(i == 0 ? 1e300 : expected.variance[i - 1] - expected.variance[i],
                    i + 1 == d ? 1e300 : expected.variance[i] - expected.variance[i + 1]);
            for (int j = 0; j < d; j++) {
                assertEquals(expected.components[i][j], components[i * d + j], 10 * relative / gap,
                        what + " component " + i + ", " + j);
            }
        }
    }

    @DeviceSpec
    void asByPlainLoops(Device device) {
        for (int[] size : new int[][] {{40, 7}, {9, 9}, {200, 3}, {2, 1}}) {
            int n = size[0];
            int d = size[1];
            double[] x = samples(n, d, 3);
            for (DType t : new DType[] {DType.F64, DType.F32}) {
                try (Scope s = device.open()) {
                    Tensor a = s.tensor(x, n, d).to(t);
                    PlainPca plain = new PlainPca(a.toDoubleArray(), n, d);
                    double tolerance = t == DType.F64 ? 1e-12 : 1e-5;
                    int k = Math.min(d, n - 1);
                    String what = t + " " + a.shape();
                    near(what, plain, Pca.exact(a, k), k, tolerance);
                    near(what + " transposed", plain, Pca.exact(a.transpose(0, 1).copy().transpose(0, 1), k), k,
                            tolerance);
                    near(what + " covariance", plain, Pca.byCovariance(a, k), k, 10 * tolerance);
                    near(what + " random", plain, Pca.randomized(a, k, new RandomizedSvd(1)), k, tolerance);
                    IncrementalPca some = new IncrementalPca(s);
                    some.addAll(a, 11);
                    near(what + " incremental", plain, some.components(k), k, 10 * tolerance);
                }
            }
        }
    }

    @DeviceSpec
    void halfTypesAreComputedInSinglePrecision(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.tensor(samples(30, 4, 0), 30, 4).to(DType.BF16);
            Pca p = Pca.exact(a, 3);
            assertEquals(DType.F32, p.components().dtype());
            near("BF16", new PlainPca(a.toDoubleArray(), 30, 4), p, 3, 1e-5);
            assertEquals(DType.F32, p.transform(a).dtype());
        }
    }

    /** The example of scikit-learn's documentation. */
    @DeviceSpec
    void asScikitLearn(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.tensor(new double[] {-1, -1, -2, -1, -3, -2, 1, 1, 2, 1, 3, 2}, 6, 2);
            Pca p = Pca.exact(x, 2);
            assertArrayEquals(new double[] {6.30061232, 0.54980396}, p.singularValues().toDoubleArray(), 1e-8);
            assertArrayEquals(new double[] {0.99244289, 0.00755711}, p.explainedVarianceRatio().toDoubleArray(), 1e-8);
            assertArrayEquals(new double[] {7.93954312, 0.06045688}, p.explainedVariance().toDoubleArray(), 1e-8);
            assertArrayEquals(new double[] {0.83849224, 0.54491354, -0.54491354, 0.83849224},
                    p.components().toDoubleArray(), 1e-8);
            assertArrayEquals(new double[] {-1.38340578, 0}, p.transform(x).slice(0, 0, 1).flatten().toDoubleArray(),
                    0.3);
            assertEquals(6, p.samples());
        }
    }

    /** What squaring the samples costs: a direction 1e-9 as long as the first is there, or is rounding. */
    @DeviceSpec
    void smallComponentsSurviveWithoutSquaring(Device device) {
        double[] z = new double[200];
        Random random = new Random(Seed.VALUE);
        for (int i = 0; i < 200; i += 2) {
            z[i] = random.nextGaussian();
            z[i + 1] = 1e-9 * random.nextGaussian();
        }
        try (Scope s = device.open()) {
            Tensor turn = s.tensor(new double[] {0.6, 0.8, -0.8, 0.6}, 2, 2);
            Tensor x = s.tensor(z, 100, 2).matmul(turn);
            double small = s.tensor(z, 100, 2).select(1, 1).std(1, false, 0).item();
            assertEquals(small, Math.sqrt(Pca.exact(x, 2).explainedVariance().get(1)), 1e-2 * small);
            assertEquals(0, Pca.byCovariance(x, 2).explainedVariance().get(1));
        }
    }

    @DeviceSpec
    void thereAndBack(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.tensor(samples(50, 6, 2), 50, 6);
            Pca all = Pca.exact(x, 6);
            close(x, all.inverseTransform(all.transform(x)));
            close(x, all.unwhiten(all.whiten(x)));
            close(s.eye(DType.F64, 6), all.components().matmul(all.components().transpose(0, 1)));
            Tensor white = all.whiten(x);
            close(s.eye(DType.F64, 6), white.transpose(0, 1).matmul(white).div(49));
            Tensor y = all.transform(x);
            close(s.zeros(DType.F64, 6), y.mean(0));
            close(all.explainedVariance(), y.var(1, false, 0));
            // fewer components: the rest of the variance is what is lost
            Pca two = Pca.exact(x, 2);
            Tensor rest = x.sub(two.inverseTransform(two.transform(x)));
            double lost = Math.pow(Linalg.norm(rest).item(), 2) / 49;
            double total = all.explainedVariance().sum().item();
            assertEquals(total * (1 - two.explainedVarianceRatio().sum().item()), lost, 1e-10);
            close(two.transform(x), two.transform(x, 7));
            close(two.whiten(x), two.whiten(x, 0));
            assertEquals("[0, 2]", two.transform(x.slice(0, 0, 0), 7).shape().toString());
            assertEquals("[50, 0]", Pca.exact(x, 0).transform(x).shape().toString());
        }
    }

    private static void close(Tensor expected, Tensor found) {
        assertEquals(expected.shape(), found.shape());
        assertArrayEquals(expected.toDoubleArray(), found.toDoubleArray(), 1e-10);
    }

    @DeviceSpec
    void whatDoesNotVaryIsZero(Device device) {
        try (Scope s = device.open()) {
            Tensor constant = s.full(DType.F32, 7, 5, 3);
            Pca p = Pca.exact(constant, 2);
            assertArrayEquals(new double[2], p.explainedVarianceRatio().toDoubleArray());
            assertArrayEquals(new double[10], p.whiten(constant).toDoubleArray());
            assertArrayEquals(constant.toDoubleArray(), p.unwhiten(p.whiten(constant)).toDoubleArray());
            Tensor line = s.tensor(new double[] {1, 2, 2, 4, 3, 6}, 3, 2);
            Tensor white = Pca.exact(line, 2).whiten(line);
            assertArrayEquals(new double[] {-1, 0, 1}, white.select(1, 0).toDoubleArray(), 1e-12);
            assertArrayEquals(new double[3], white.select(1, 1).toDoubleArray());
        }
    }

    @DeviceSpec
    void layersHaveComponentsOfTheirOwn(Device device) {
        try (Scope s = device.open()) {
            Tensor a = s.tensor(samples(20, 5, 1), 20, 5);
            Tensor b = s.tensor(samples(21, 5, 0), 21, 5).slice(0, 0, 20).mul(3);
            Tensor both = Join.stack(0, a, b);
            for (Function<Tensor, Pca> fit : List.<Function<Tensor, Pca>>of(
                    x -> Pca.exact(x, 3), x -> Pca.byCovariance(x, 3))) {
                Pca p = fit.apply(both);
                Tensor y = p.transform(both);
                assertEquals("[2, 20, 3]", y.shape().toString());
                for (int i = 0; i < 2; i++) {
                    Tensor x = both.select(0, i);
                    Pca one = fit.apply(x);
                    close(one.components(), p.components().select(0, i));
                    close(one.mean(), p.mean().select(0, i));
                    close(one.explainedVarianceRatio(), p.explainedVarianceRatio().select(0, i));
                    close(one.transform(x), y.select(0, i));
                    close(one.inverseTransform(one.transform(x)), p.inverseTransform(y).select(0, i));
                    close(one.whiten(x), p.whiten(both).select(0, i));
                }
            }
        }
    }

    @DeviceSpec
    void onlyResultsStay(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.tensor(samples(30, 8, 1), 30, 8);
            long before = device.liveBytes();
            Pca.exact(x, 3);
            assertEquals(before + 8 * (8 + 3 * 8 + 3 * 3), device.liveBytes());
            Pca.byCovariance(x, 3);
            assertEquals(before + 2 * 8 * (8 + 3 * 8 + 3 * 3), device.liveBytes());
            Pca.randomized(x, 3, new RandomizedSvd(1));
            assertEquals(before + 3 * 8 * (8 + 3 * 8 + 3 * 3), device.liveBytes());
        }
    }

    // ---- incremental -------------------------------------------------------------------------------------------------

    @DeviceSpec
    void batchesDoNotMatter(Device device) {
        try (Scope s = device.open()) {
            for (int[] size : new int[][] {{60, 7}, {5, 9}}) {
                Tensor x = s.tensor(samples(size[0], size[1], 1000), size[0], size[1]);
                int k = Math.min(size[0] - 1, size[1]);
                Pca exact = Pca.exact(x, k);
                for (long rows : new long[] {1, 2, 7, 13, 100, 0}) {
                    try (IncrementalPca p = new IncrementalPca(s)) {
                        p.addAll(x, rows);
                        assertEquals(size[0], p.samples());
                        Pca found = p.components(k);
                        assertArrayEquals(exact.mean().toDoubleArray(), found.mean().toDoubleArray(), 1e-9);
                        assertArrayEquals(exact.explainedVariance().toDoubleArray(),
                                found.explainedVariance().toDoubleArray(), 1e-9);
                        assertArrayEquals(exact.components().toDoubleArray(), found.components().toDoubleArray(), 1e-7,
                                rows + " of " + x.shape());
                        close(exact.explainedVarianceRatio(), found.explainedVarianceRatio());
                    }
                }
            }
        }
    }

    @DeviceSpec
    void samplesMayStillBeAddedAfterwards(Device device) {
        try (Scope s = device.open(); IncrementalPca p = new IncrementalPca(s)) {
            Tensor x = s.tensor(samples(30, 4, 1), 30, 4);
            p.add(x.slice(0, 0, 0));
            p.add(x.slice(0, 0, 12));
            close(Pca.exact(x.slice(0, 0, 12), 4).components(), p.components(4).components());
            p.add(x.slice(0, 12, 30));
            close(Pca.exact(x, 4).components(), p.components(4).components());
        }
    }

    /** A mapped file, read in batches: only those and a triangle are ever in the device's memory. */
    @DeviceSpec
    void memoryIsForBatchesAlone(Device device, @TempDir Path dir) {
        int n = 3000;
        int d = 24;
        Path file = dir.resolve("x.npy");
        Device host = device.name().startsWith("cpu") ? device : Device.of("cpu:scalar");
        try (Scope s = host.open()) {
            TensorFiles.write(file.toString(), s.tensor(samples(n, d, 1), n, d));
        }
        try (Scope h = host.open(); Scope s = device.open()) {
            Tensor x = TensorFiles.read(h, file.toString());
            long mapped = host == device ? device.liveBytes() : 0;
            device.resetPeak();
            IncrementalPca p = new IncrementalPca(s);
            p.addAll(x, 50);
            Pca found = p.components(5);
            Tensor y = found.transform(x, 50);
            long most = device.peakBytes() - mapped;
            assertTrue(most < n * d * 8 / 2, most + " bytes for a file of " + n * d * 8);
            Pca exact = Pca.exact(x.to(device), 5);
            assertArrayEquals(exact.components().toDoubleArray(), found.components().toDoubleArray(), 1e-9);
            assertArrayEquals(exact.transform(x.to(device)).toDoubleArray(), y.toDoubleArray(), 1e-9);
        }
    }

    /** {@link #aFileLargerThanMemory}'s process. */
    static final class Child {
        public static void main(String[] args) {
            try (Scope s = Device.cpu().open()) {
                Tensor x = TensorFiles.read(s, args[0]);
                try {
                    Pca.exact(x, 2);
                } catch (GramianException e) {
                    System.out.println(e.getMessage());
                }
                IncrementalPca p = new IncrementalPca(s);
                p.addAll(x, 0);
                System.out.println(List.of(p.components(2).explainedVariance().toFloatArray()[0]));
            }
        }
    }

    @Test
    void aFileLargerThanMemory(@TempDir Path dir) throws Exception {
        Path file = dir.resolve("x.npy");
        float first;
        try (Scope s = Device.of("cpu").open()) {
            Tensor x = s.normal(DType.F32, 1, 50_000, 32).mul(s.arange(DType.F32, 32)).add(5);
            TensorFiles.write(file.toString(), x);
            first = Pca.exact(x, 1).explainedVariance().toFloatArray()[0];
        }
        assertTrue(Files.size(file) > 6_400_000);
        Process p = StandIns.java(List.of("--add-modules", "jdk.incubator.vector", "-Dgramian.memory=6M"), Child.class,
                file.toString()).start();
        String[] lines = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip().split("\n");
        assertEquals(0, p.waitFor(), String.join("\n", lines));
        String last = lines[lines.length - 1];
        String full = lines[lines.length - 2];
        assertTrue(full.contains("out of memory on ") && full.contains("of 6.0 MiB in use"), full);
        assertEquals(first, Float.parseFloat(last.substring(1, last.length() - 1)), 1e-4 * first);
    }

    // ---- refusals ----------------------------------------------------------------------------------------------------

    private static void refused(Class<? extends GramianException> type, String text, Runnable what) {
        assertEquals(text, assertThrows(type, what::run).getMessage());
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.zeros(4, 3);
            refused(ShapeException.class, "pca: 4 components; x [4, 3] has 3; use 0 to 3", () -> Pca.exact(x, 4));
            refused(ShapeException.class, "pca: -1 components; x [4, 3] has 3; use 0 to 3",
                    () -> Pca.byCovariance(x, -1));
            refused(ShapeException.class,
                    "pca: variance needs 2 samples; x [1, 3] has 1; give (..., samples, features)",
                    () -> Pca.exact(s.zeros(1, 3), 1));
            refused(ShapeException.class, "pca: needs a matrix of samples; x [3]; give (..., samples, features)",
                    () -> Pca.exact(s.zeros(3), 1));
            refused(DTypeException.class, "pca: needs a float type; x I64 [4, 3]; cast with .to(DType.F32)",
                    () -> Pca.exact(s.zeros(DType.I64, 4, 3), 1));
            Tensor inf = s.tensor(new float[] {1, 2, 3, Float.POSITIVE_INFINITY}, 2, 2);
            refused(GramianException.class, "pca: x is not finite: inf at [1, 1]; x F32 [2, 2]; replace such values "
                    + "first, e.g. x.isFinite().where(x, ...)", () -> Pca.exact(inf, 1));
            refused(ShapeException.class,
                    "randomizedSvd: needs one matrix; x [2, 4, 3]; select it from the stack first",
                    () -> Pca.randomized(s.zeros(2, 4, 3), 1, new RandomizedSvd(1)));
            Pca p = Pca.exact(x, 2);
            refused(ShapeException.class,
                    "transform: x has 2 features, the components 3; x [4, 2]; give (..., samples, 3)",
                    () -> p.transform(s.zeros(4, 2)));
            refused(ShapeException.class,
                    "inverseTransform: y has 3 coordinates, the components 2; y [4, 3]; give (..., samples, 2)",
                    () -> p.inverseTransform(x));
            refused(ShapeException.class, "whiten: batches of -1 rows; x [4, 3]; use 1 or more, or 0 for a choice",
                    () -> p.whiten(x, -1));
            refused(ShapeException.class,
                    "transform: needs one matrix; x [2, 4, 3]; select it from the stack first",
                    () -> p.transform(s.zeros(2, 4, 3), 1));
        }
    }

    @DeviceSpec
    void refusalsOfBatches(Device device) {
        try (Scope s = device.open(); IncrementalPca p = new IncrementalPca(s)) {
            refused(ShapeException.class, "incrementalPca: variance needs 2 samples; 0 were added; add more",
                    () -> p.components(1));
            refused(ShapeException.class, "incrementalPca: no features; x [4, 0]; give (samples, features)",
                    () -> p.add(s.zeros(4, 0)));
            p.add(s.ones(1, 3));
            refused(ShapeException.class, "incrementalPca: variance needs 2 samples; 1 were added; add more",
                    () -> p.components(1));
            p.add(s.zeros(4, 3));
            refused(ShapeException.class,
                    "incrementalPca: 4 components; there are 5 samples of 3 features; use 0 to 3",
                    () -> p.components(4));
            refused(ShapeException.class,
                    "incrementalPca: batches differ in features; x [4, 2], before 3; give (samples, 3)",
                    () -> p.add(s.zeros(4, 2)));
            refused(DTypeException.class,
                    "incrementalPca: element types differ; x F64 [4, 3], before F32; cast with .to(DType.F32)",
                    () -> p.add(s.zeros(DType.F64, 4, 3)));
            refused(ShapeException.class,
                    "incrementalPca: needs one matrix; x [2, 4, 3]; select it from the stack first",
                    () -> p.addAll(s.zeros(2, 4, 3), 1));
            Tensor nan = s.full(DType.F32, Double.NaN, 1, 3);
            refused(GramianException.class, "incrementalPca: x is not finite: NaN at [0, 0]; x F32 [1, 3]; replace such"
                    + " values first, e.g. x.isFinite().where(x, ...)", () -> p.add(nan));
            assertEquals(5, p.samples());
        }
    }
}
