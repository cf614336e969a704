package dev.gramian.analysis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.Device;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GramianException;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;

class SteeringTest {
    @DeviceSpec
    void directions(Device device) {
        try (Scope s = device.open()) {
            Tensor with = s.tensor(new double[] {3, 4, 1, 5, 4, 1}, 2, 3);
            Tensor without = s.tensor(new double[] {1, 0, 1, 0, 0, 1, 2, 0, 1}, 3, 3);
            assertArrayEquals(new double[] {3, 4, 0}, Steering.meanDifference(with, without).toDoubleArray(), 1e-14);

            // differences 2 t, -1 t, 5 t: most point along t
            Tensor t = s.tensor(new double[] {0.6, 0, -0.8}, 1, 3);
            Tensor pairs = s.tensor(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, 3, 3);
            Tensor moved = pairs.add(s.tensor(new double[] {2, -1, 5}, 3, 1).mul(t));
            assertArrayEquals(new double[] {0.6, 0, -0.8},
                    Steering.principalDifference(moved, pairs).toDoubleArray(), 1e-13);
            assertArrayEquals(new double[] {-0.6, 0, 0.8},
                    Steering.principalDifference(pairs, moved).toDoubleArray(), 1e-13);

            Tensor layers = Steering.principalDifference(
                    Join.stack(0, moved, pairs), Join.stack(0, pairs, moved));
            assertArrayEquals(new double[] {0.6, 0, -0.8, -0.6, 0, 0.8}, layers.toDoubleArray(), 1e-13);
            assertEquals("[2, 3]", Steering.meanDifference(
                    Join.stack(0, with, with), Join.stack(0, without, without)).shape().toString());
        }
    }

    @DeviceSpec
    void addingAndProjectingOut(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.tensor(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
            Tensor d = s.tensor(new double[] {0, 3, 4}, 3);
            assertArrayEquals(new double[] {1, 0.5, 1, 4, 3.5, 4}, Steering.add(x, d, -0.5).toDoubleArray(), 1e-14);
            // parts along (0, 0.6, 0.8): 3.6 and 7.8
            double[] without = {1, 2 - 3.6 * 0.6, 3 - 3.6 * 0.8, 4, 5 - 7.8 * 0.6, 6 - 7.8 * 0.8};
            assertArrayEquals(without, Steering.projectOut(x, d, 1).toDoubleArray(), 1e-14);
            assertArrayEquals(without, Steering.projectOut(x, d.mul(1e-300), 1).toDoubleArray(), 1e-14);
            Tensor mirrored = Steering.projectOut(x, d, 2);
            assertArrayEquals(x.toDoubleArray(), Steering.projectOut(mirrored, d, 2).toDoubleArray(), 1e-14);
            assertArrayEquals(x.toDoubleArray(), Steering.projectOut(x, s.zeros(DType.F64, 3), 1).toDoubleArray());

            // a direction for every layer, and one for all of them
            Tensor layers = Join.stack(0, x, x.neg());
            Tensor each = Join.stack(0, d, s.zeros(DType.F64, 3));
            Tensor y = Steering.projectOut(layers, each, 1);
            assertArrayEquals(without, y.select(0, 0).toDoubleArray(), 1e-14);
            assertArrayEquals(x.neg().toDoubleArray(), y.select(0, 1).toDoubleArray());
            assertEquals("[2, 2, 3]", Steering.add(layers, d, 1).shape().toString());
            assertEquals("[2, 0, 3]", Steering.projectOut(s.zeros(DType.F64, 2, 0, 3), d, 1).shape().toString());

            Tensor half = Steering.add(x.to(DType.F16), d.to(DType.F32), 1);
            assertEquals(DType.F16, half.dtype());
            assertArrayEquals(new double[] {1, 5, 7, 4, 8, 10}, half.toDoubleArray());
        }
    }

    private static void refused(Class<? extends GramianException> type, String text, Runnable what) {
        assertEquals(text, assertThrows(type, what::run).getMessage());
    }

    @DeviceSpec
    void refusals(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.zeros(4, 3);
            refused(ShapeException.class,
                    "meanDifference: examples differ off the rows; with [4, 3], without [4, 2]; all"
                            + " other axes must be equal",
                    () -> Steering.meanDifference(x, s.zeros(4, 2)));
            refused(ShapeException.class, "meanDifference: no examples; with [4, 3], without [0, 3]; give at least one"
                    + " row of each", () -> Steering.meanDifference(x, s.zeros(0, 3)));
            refused(ShapeException.class, "principalDifference: rows do not pair; with [4, 3], without [5, 3]; give as"
                    + " many of one as of the other, at least one",
                    () -> Steering.principalDifference(x, s.zeros(5, 3)));
            refused(DTypeException.class,
                    "principalDifference: element types differ; with F32 [4, 3], without F64 [4, 3];"
                            + " cast one with .to(DType.F32)",
                    () -> Steering.principalDifference(x, s.zeros(DType.F64, 4, 3)));
            refused(ShapeException.class, "steer: direction does not fit; x [4, 3], direction [4]; give (..., channels)"
                    + " for x (..., tokens, channels)", () -> Steering.add(x, s.zeros(4), 1));
            refused(ShapeException.class, "projectOut: direction does not fit; x [4, 3], direction [2, 3]; give (...,"
                    + " channels) for x (..., tokens, channels)", () -> Steering.projectOut(x, s.zeros(2, 3), 1));
            refused(DTypeException.class, "steer: element types differ; x F32 [4, 3], direction F64 [3]; cast with"
                    + " .to(DType.F32)", () -> Steering.add(x, s.zeros(DType.F64, 3), 1));
            refused(GramianException.class, "steer: strength is NaN; x [4, 3]; use a finite number",
                    () -> Steering.add(x, s.zeros(3), Double.NaN));
            refused(DTypeException.class, "steer: needs a float type; x I64 [4, 3]; cast with .to(DType.F32)",
                    () -> Steering.add(s.zeros(DType.I64, 4, 3), s.zeros(3), 1));
        }
    }
}
