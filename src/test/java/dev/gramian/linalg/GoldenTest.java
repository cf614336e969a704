package dev.gramian.linalg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import dev.gramian.spec.DeviceSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Results of NumPy, from golden/linalg/make.py, in F64 and in F32. */
class GoldenTest {
    private static final JsonNode CASES;

    static {
        try (var in = GoldenTest.class.getResourceAsStream("/golden/linalg/values.json")) {
            CASES = new ObjectMapper().readTree(in).get("cases");
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static double[] values(JsonNode tensor) {
        double[] v = new double[tensor.get("values").size()];
        for (int i = 0; i < v.length; i++) {
            JsonNode x = tensor.get("values").get(i);
            v[i] = !x.isTextual() ? x.asDouble() : switch (x.asText()) {
                case "nan" -> Double.NaN;
                case "inf" -> Double.POSITIVE_INFINITY;
                default -> Double.NEGATIVE_INFINITY;
            };
        }
        return v;
    }

    private static long[] longs(JsonNode list) {
        long[] v = new long[list.size()];
        for (int i = 0; i < v.length; i++) {
            v[i] = list.get(i).asLong();
        }
        return v;
    }

    private static Tensor tensor(Scope s, JsonNode t) {
        return s.tensor(values(t), t.get("values").size()).reshape(longs(t.get("shape")));
    }

    private static List<Tensor> call(String op, List<Tensor> in, JsonNode options) {
        Tensor x = in.get(0);
        return switch (op) {
            case "det" -> List.of(Linalg.det(x));
            case "slogdet" -> {
                Linalg.LogDet r = Linalg.slogdet(x);
                yield List.of(r.sign(), r.logAbs());
            }
            case "inv" -> List.of(Linalg.inv(x));
            case "solve" -> List.of(Linalg.solve(x, in.get(1)));
            case "norm" -> List.of(Linalg.norm(x));
            case "vectorNorm" -> {
                long[] axes = longs(options.get("axes"));
                int[] a = new int[axes.length];
                for (int i = 0; i < a.length; i++) {
                    a[i] = (int) axes[i];
                }
                yield List.of(Linalg.norm(x, VectorNorm.valueOf(options.get("norm").asText()),
                        options.get("keepDims").asBoolean(), a));
            }
            case "matrixNorm" -> List.of(Linalg.norm(x, MatrixNorm.valueOf(options.get("norm").asText()),
                    options.get("keepDims").asBoolean(), options.get("axes").get(0).asInt(),
                    options.get("axes").get(1).asInt()));
            case "pinv" -> List.of(Linalg.pinv(x, x.dtype() == DType.F64 ? 1e-12 : 1e-5));
            case "rank" -> List.of(Linalg.rank(x, x.dtype() == DType.F64 ? 1e-12 : 1e-5));
            case "dot" -> List.of(Linalg.dot(x, in.get(1), options.get("axis").asInt()));
            case "cosineSimilarity" -> List.of(Linalg.cosineSimilarity(x, in.get(1), options.get("axis").asInt()));
            default -> throw new AssertionError(op);
        };
    }

    private static boolean fitsF32(JsonNode tensors) {
        for (JsonNode t : tensors) {
            for (double v : values(t)) {
                if (Double.isFinite(v) && v != 0 && (Math.abs(v) > 1e30 || Math.abs(v) < 1e-30)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void check(Device device, DType type) {
        int done = 0;
        for (int n = 0; n < CASES.size(); n++) {
            JsonNode c = CASES.get(n);
            if (type == DType.F32 && !(fitsF32(c.get("args")) && fitsF32(c.get("result")))) {
                continue;
            }
            done++;
            String what = "case " + n + " " + c.get("op").asText() + " " + c.get("options");
            try (Scope s = device.open()) {
                List<Tensor> in = new ArrayList<>();
                for (JsonNode a : c.get("args")) {
                    in.add(tensor(s, a).to(type));
                    what += " " + Shape.of(longs(a.get("shape")));
                }
                List<Tensor> out = call(c.get("op").asText(), in, c.get("options"));
                for (int i = 0; i < out.size(); i++) {
                    JsonNode expected = c.get("result").get(i);
                    assertEquals(Shape.of(longs(expected.get("shape"))), out.get(i).shape(), what);
                    close(what, values(expected), out.get(i).toDoubleArray(), type == DType.F64 ? 1e-11 : 2e-3);
                }
            }
        }
        assertTrue(done > 100, done + " cases");
    }

    private static void close(String what, double[] expected, double[] actual, double tolerance) {
        double size = 0;
        for (double v : expected) {
            size = Double.isFinite(v) ? Math.max(size, Math.abs(v)) : size;
        }
        for (int i = 0; i < expected.length; i++) {
            boolean same = Double.compare(expected[i], actual[i]) == 0
                    || Math.abs(expected[i] - actual[i]) <= tolerance * size;
            assertTrue(same, what + " at " + i + ": expected " + expected[i] + ", got " + actual[i]);
        }
    }

    @DeviceSpec
    void f64(Device device) {
        check(device, DType.F64);
    }

    @DeviceSpec
    void f32(Device device) {
        check(device, DType.F32);
    }
}
