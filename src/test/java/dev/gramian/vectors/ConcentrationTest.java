package dev.gramian.vectors;

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
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.Arrays;

class ConcentrationTest {
    @DeviceSpec
    void asByPlainLoops(Device device) {
        int n = 60;
        int d = 5;
        int k = 4;
        try (Scope s = device.open()) {
            Tensor x = s.normal(DType.F64, Seed.VALUE, n, d).add(0.5);
            double[] a = x.toDoubleArray();
            double nearest = 0;
            double farthest = 0;
            double ratio = 0;
            double mean = 0;
            double likelihood = 0;
            double two = 0;
            double cosine = 0;
            double square = 0;
            int[] occurrences = new int[n];
            for (int i = 0; i < n; i++) {
                int[] order = Plain.order(Metric.EUCLIDEAN, a, i, a, n, d);
                double[] distance = new double[n];
                for (int j = 0; j < n; j++) {
                    distance[j] = Plain.score(Metric.EUCLIDEAN, a, i, a, order[j], d);
                    double c = j == i ? 0 : Plain.score(Metric.COSINE, a, i, a, j, d);
                    cosine += c / n / (n - 1);
                    square += c * c / n / (n - 1);
                }
                nearest += distance[1] / n;
                farthest += distance[n - 1] / n;
                ratio += distance[n - 1] / distance[1] / n;
                mean += Arrays.stream(distance).sum() / n / (n - 1);
                two += Math.log(distance[2] / distance[1]);
                for (int j = 1; j <= k; j++) {
                    occurrences[order[j]]++;
                    likelihood += Math.log(distance[k] / distance[j]) / (k - 1);
                }
            }
            double second = 0;
            double third = 0;
            for (int o : occurrences) {
                second += Math.pow(o - k, 2) / n;
                third += Math.pow(o - k, 3) / n;
            }
            for (DType t : new DType[] {DType.F64, DType.F32}) {
                Concentration c = Concentration.of(x.to(t), k);
                double tolerance = t == DType.F64 ? 1e-9 : 1e-4;
                assertEquals(nearest, c.nearest(), tolerance);
                assertEquals(farthest, c.farthest(), tolerance);
                assertEquals(ratio, c.ratio(), 10 * tolerance);
                assertEquals(mean / nearest, c.contrast(), tolerance);
                assertEquals(n / likelihood, c.likelihoodDimension(), 10 * tolerance);
                assertEquals(n / two, c.twoNearestDimension(), 10 * tolerance);
                assertEquals(third / Math.pow(second, 1.5), c.hubness(), tolerance);
                assertEquals(cosine, c.meanCosine(), tolerance);
                assertEquals(Math.sqrt(square - cosine * cosine), c.cosineSpread(), tolerance);
            }
        }
    }

    @DeviceSpec
    void distancesBecomeEqualAndTheDimensionIsFound(Device device) {
        try (Scope s = device.open()) {
            double before = Double.POSITIVE_INFINITY;
            for (long d : new long[] {2, 16, 128}) {
                Concentration c = Concentration.of(s.normal(DType.F32, d, 150, d), 5);
                assertTrue(c.ratio() - 1 < before / 2 && c.ratio() > 1, d + ": " + c);
                assertEquals(1 / Math.sqrt(d), c.cosineSpread(), 0.15 / Math.sqrt(d));
                before = c.ratio() - 1;
            }
            // a plane in a space of 40 dimensions
            Tensor plane = s.uniform(DType.F64, 1, 0, 1, 200, 2).matmul(s.normal(DType.F64, 2, 2, 40));
            Concentration c = Concentration.of(plane, 8);
            assertEquals(2, c.likelihoodDimension(), 0.4);
            assertEquals(2, c.twoNearestDimension(), 0.4);
        }
    }

    @DeviceSpec
    void copies(Device device) {
        try (Scope s = device.open()) {
            Concentration same = Concentration.of(s.ones(6, 3), 2);
            assertTrue(Double.isNaN(same.ratio()) && Double.isNaN(same.twoNearestDimension())
                    && Double.isNaN(same.likelihoodDimension()), same.toString());
            assertEquals(1, same.meanCosine(), 1e-6);
            Tensor x = s.tensor(new double[] {0, 0, 1, 3, 7}, 5, 1);
            Concentration c = Concentration.of(x, 2);
            assertEquals((0 + 0 + 1 + 2 + 4) / 5.0, c.nearest(), 1e-12);
            assertEquals((6 / 1.0 + 4 / 2.0 + 7 / 4.0) / 3, c.ratio(), 1e-12);
            assertTrue(Concentration.of(Join.concat(0, x, x.slice(0, 2, 3)), 2).ratio() > 1);
            // whose products do not cancel exactly
            Tensor y = s.normal(DType.F64, Seed.VALUE, 40, 7).add(3);
            Concentration twice = Concentration.of(Join.concat(0, y, y.slice(0, 0, 20)), 3);
            assertTrue(twice.ratio() < 100 && twice.twoNearestDimension() > 1, twice.toString());
        }
    }

    private static void refused(Class<? extends GramianException> type, String text, Runnable what) {
        assertEquals(text, assertThrows(type, what::run).getMessage());
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            refused(GramianException.class,
                    "concentration: 4 neighbours; x [4, 3] has 4 vectors; use 2 or more, fewer than"
                            + " there are vectors",
                    () -> Concentration.of(s.zeros(4, 3), 4));
            refused(GramianException.class,
                    "concentration: 1 neighbours; x [4, 3] has 4 vectors; use 2 or more, fewer than"
                            + " there are vectors",
                    () -> Concentration.of(s.zeros(4, 3), 1));
            refused(ShapeException.class,
                    "concentration: needs one matrix; x [2, 4, 3]; select it from the stack first",
                    () -> Concentration.of(s.zeros(2, 4, 3), 2));
            refused(DTypeException.class,
                    "concentration: needs one float type; x I64 [4, 3], x I64 [4, 3]; cast with .to(DType.F32)",
                    () -> Concentration.of(s.zeros(DType.I64, 4, 3), 2));
            refused(GramianException.class, "concentration: x is not finite: NaN at [0, 0]; x F32 [4, 1]; replace such"
                    + " values first, e.g. x.isFinite().where(x, ...)",
                    () -> Concentration.of(s.full(DType.F32, Double.NaN, 4, 1), 2));
        }
    }
}
