package dev.gramian.vectors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.Device;
import dev.gramian.Indexing;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.io.TensorFiles;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NeighborsTest {
    /** Whole numbers of small size: every product is exact in every type, and many scores are equal. */
    private static double[] whole(Random random, int count) {
        return random.ints(count, -2, 3).asDoubleStream().toArray();
    }

    private static void asBruteForce(Scope s, DType t, Metric metric, int n, int q, int d, int k) {
        Random random = new Random(Seed.VALUE + n + 7 * d);
        double[] x = whole(random, n * d);
        double[] queries = whole(random, q * d);
        Neighbors found = Neighbors.of(s.tensor(x, n, d).to(t), s.tensor(queries, q, d).to(t), k, metric);
        long[] indices = found.indices().toLongArray();
        double[] scores = found.scores().toDoubleArray();
        assertEquals(q * k, indices.length);
        assertEquals(t.compute(), found.scores().dtype());
        for (int i = 0; i < q; i += 1 + q / 10) {
            int[] order = Plain.order(metric, queries, i, x, n, d);
            for (int j = 0; j < k; j++) {
                String what = metric + " " + t + " n " + n + " d " + d + " query " + i + " place " + j;
                double expected = Plain.score(metric, queries, i, x, order[j], d);
                assertEquals(expected, scores[i * k + j], t == DType.F64 ? 1e-14 : 1e-6, what);
                if (metric != Metric.COSINE) { // whose plain scores round: equal ones may differ in the last bit
                    assertEquals(order[j], indices[i * k + j], what);
                }
            }
        }
    }

    @DeviceSpec
    void asBruteForceWithTies(Device device) {
        for (Metric metric : Metric.values()) {
            for (DType t : new DType[] {DType.F32, DType.F64, DType.BF16}) {
                try (Scope s = device.open()) {
                    asBruteForce(s, t, metric, 300, 5, 3, 12);
                    asBruteForce(s, t, metric, 17, 4, 6, 17);
                    asBruteForce(s, t, metric, 1, 2, 4, 1);
                    asBruteForce(s, t, metric, 6, 1, 1, 0);
                }
            }
        }
    }

    /** Several blocks, and several chunks of queries. */
    @DeviceSpec
    void blocksAreMerged(Device device) {
        assumeTrue(!device.name().startsWith("cuda"), "the device's blocks are larger");
        try (Scope s = device.open()) {
            asBruteForce(s, DType.F32, Metric.DOT, 9000, 300, 4, 3);
            asBruteForce(s, DType.F32, Metric.EUCLIDEAN, 9000, 300, 4, 40);
            Tensor x = s.normal(DType.F32, Seed.VALUE, 5000, 3);
            long[] nearest = Neighbors.of(x, x, 1, Metric.EUCLIDEAN).indices().toLongArray();
            for (int i = 0; i < nearest.length; i++) {
                assertEquals(i, nearest[i]);
            }
        }
    }

    /** Equal vectors have equal scores wherever they lie: the first wins. */
    @DeviceSpec
    void copiesKeepTheirOrder(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, Seed.VALUE, 50, 33);
            Tensor three = x.expand(3, 50, 33).reshape(150, 33);
            for (Metric metric : new Metric[] {Metric.COSINE, Metric.EUCLIDEAN}) {
                long[] found = Neighbors.of(three, x, 3, metric).indices().toLongArray();
                for (int i = 0; i < 50; i++) {
                    assertArrayEquals(new long[] {i, i + 50, i + 100}, Arrays.copyOfRange(found, 3 * i, 3 * i + 3));
                }
            }
        }
    }

    @DeviceSpec
    void zeroVectorsHaveCosineZero(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.tensor(new double[] {-1, 0, 0, 0, 0, 5, 1e-200, 0}, 4, 2);
            Neighbors n = Neighbors.of(x, s.tensor(new double[] {2, 0, 0, 0}, 2, 2), 4, Metric.COSINE);
            assertArrayEquals(new long[] {3, 1, 2, 0, 0, 1, 2, 3}, n.indices().toLongArray());
            assertArrayEquals(new double[] {1, 0, 0, -1, 0, 0, 0, 0}, n.scores().toDoubleArray(), 1e-15);
        }
    }

    @DeviceSpec
    void nothingToCompare(Device device) {
        try (Scope s = device.open()) {
            for (Metric metric : Metric.values()) {
                Neighbors n = Neighbors.of(s.zeros(5, 0), s.zeros(2, 0), 3, metric);
                assertArrayEquals(new long[] {0, 1, 2, 0, 1, 2}, n.indices().toLongArray());
                assertArrayEquals(new double[6], n.scores().toDoubleArray());
                assertEquals("[0, 3]",
                        Neighbors.of(s.ones(5, 2), s.ones(0, 2), 3, metric).indices().shape().toString());
                assertEquals("[2, 0]", Neighbors.of(s.ones(0, 2), s.ones(2, 2), 0, metric).scores().shape().toString());
            }
        }
    }

    /** Where products in F32 cannot tell one vector from another. */
    @DeviceSpec
    void farFromTheOriginAndCloseTogether(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F32, Seed.VALUE, 200, 4).mul(0.1).add(100);
            double[] a = x.toDoubleArray();
            Neighbors n = Neighbors.of(x, x, 5, Metric.EUCLIDEAN);
            long[] found = n.indices().toLongArray();
            for (int i = 0; i < 200; i++) {
                int[] order = Plain.order(Metric.EUCLIDEAN, a, i, a, 200, 4);
                for (int j = 0; j < 5; j++) {
                    assertEquals(order[j], found[5 * i + j]);
                }
            }
            assertEquals(0, n.scores().select(1, 0).max().item());
        }
    }

    @DeviceSpec
    void vectorsInAMappedFile(Device device, @TempDir Path dir) {
        Path file = dir.resolve("x.npy");
        Device host = Device.of("cpu:scalar");
        try (Scope h = host.open()) {
            TensorFiles.write(file.toString(), h.normal(DType.F32, Seed.VALUE, 400, 6));
        }
        try (Scope h = host.open(); Scope s = device.open()) {
            Tensor x = TensorFiles.read(h, file.toString());
            Tensor q = s.normal(DType.F32, 3, 10, 6);
            Neighbors far = Neighbors.of(x, q, 7, Metric.COSINE);
            Neighbors near = Neighbors.of(x.to(device), q, 7, Metric.COSINE);
            assertArrayEquals(near.indices().toLongArray(), far.indices().toLongArray());
            assertArrayEquals(near.scores().toDoubleArray(), far.scores().toDoubleArray());
        }
    }

    /**
     * Memory is for blocks: a million vectors of 256 F32 (1 GB) stay below 2 GB with
     * {@code -Dtest.jvm.flags="-Dgramian.test.vectors=1000000"}; by default fewer, under the same bound on what is added.
     */
    @Test
    void manyVectorsTakeLittleMemory() {
        long n = Long.getLong("gramian.test.vectors", 60_000);
        Device device = Device.of("cpu:native");
        assumeTrue(device.isAvailable(), device.reason());
        try (Scope s = device.open()) {
            Tensor x = s.uniform(DType.F32, Seed.VALUE, -1, 1, n, 256);
            long[] rows = {n - 1, 5, n / 2};
            Tensor q = Indexing.gather(x, 0, rows);
            long before = device.liveBytes();
            device.resetPeak();
            Neighbors found = Neighbors.of(x, q, 10, Metric.COSINE);
            assertArrayEquals(rows, found.indices().select(1, 0).toLongArray());
            assertArrayEquals(new double[] {1, 1, 1}, found.scores().select(1, 0).toDoubleArray(), 1e-6);
            assertTrue(device.peakBytes() - before < 32 << 20, device.peakBytes() - before + " bytes more");
        }
    }

    private static void refused(Class<? extends GramianException> type, String text, Runnable what) {
        assertEquals(text, assertThrows(type, what::run).getMessage());
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.zeros(4, 3);
            refused(ShapeException.class, "neighbors: k is 5; x [4, 3] has 4 vectors; use 0 to 4",
                    () -> Neighbors.of(x, x, 5, Metric.DOT));
            refused(ShapeException.class, "neighbors: k is -1; x [4, 3] has 4 vectors; use 0 to 4",
                    () -> Neighbors.of(x, x, -1, Metric.DOT));
            refused(ShapeException.class,
                    "neighbors: needs two matrices; x [4, 3], queries [2, 4, 3]; select them from the stack first",
                    () -> Neighbors.of(x, s.zeros(2, 4, 3), 1, Metric.DOT));
            refused(ShapeException.class,
                    "neighbors: vectors differ in length, or are no rows; x [4, 3], queries [4, 2];"
                            + " give (..., vectors, length) twice with one length",
                    () -> Neighbors.of(x, s.zeros(4, 2), 1, Metric.DOT));
            refused(DTypeException.class,
                    "neighbors: needs one float type; x F32 [4, 3], queries F64 [1, 3]; cast with .to(DType.F32)",
                    () -> Neighbors.of(x, s.zeros(DType.F64, 1, 3), 1, Metric.DOT));
            Tensor nan = s.tensor(new float[] {1, 2, Float.NaN, 3, 4, 5}, 3, 2);
            for (Metric metric : Metric.values()) {
                refused(GramianException.class, "neighbors: a score is NaN; x [3, 2], queries [2, 2]; replace NaN and"
                        + " infinities first, e.g. x.isFinite().where(x, ...)",
                        () -> Neighbors.of(nan, s.ones(2, 2), 1, metric));
            }
        }
    }
}
