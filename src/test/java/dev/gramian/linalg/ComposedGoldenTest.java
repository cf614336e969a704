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

/** Results of NumPy, from golden/linalg2/make.py, in F64 and in F32. */
class ComposedGoldenTest {
    private static final JsonNode CASES;

    static {
        try (var in = ComposedGoldenTest.class.getResourceAsStream("/golden/linalg2/values.json")) {
            CASES = new ObjectMapper().readTree(in).get("cases");
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static double[] values(JsonNode tensor) {
        double[] v = new double[tensor.get("values").size()];
        for (int i = 0; i < v.length; i++) {
            JsonNode x = tensor.get("values").get(i);
            v[i] = x.isTextual() ? Double.POSITIVE_INFINITY : x.asDouble();
        }
        return v;
    }

    private static long[] shape(JsonNode tensor) {
        long[] v = new long[tensor.get("shape").size()];
        for (int i = 0; i < v.length; i++) {
            v[i] = tensor.get("shape").get(i).asLong();
        }
        return v;
    }

    private static List<Tensor> call(String op, List<Tensor> in, JsonNode options) {
        Tensor x = in.get(0);
        return switch (op) {
            case "eigvalsh" -> List.of(Linalg.eigvalsh(x));
            case "eigvalshLower" -> List.of(Linalg.eigh(x).w());
            case "cholesky" -> List.of(Linalg.cholesky(x));
            case "qrPositive" -> {
                Qr qr = Linalg.qr(x);
                Tensor q = x.dim(-2) >= x.dim(-1) ? Linalg.orthonormalise(x) : positive(qr).q();
                yield List.of(q, positive(qr).r());
            }
            case "polar" -> {
                Polar p = Linalg.polar(x);
                yield List.of(p.u(), p.p());
            }
            case "trace" -> List.of(Linalg.trace(x));
            case "cond" -> List.of(Linalg.cond(x));
            case "matrixPower" -> List.of(Linalg.matrixPower(x, options.get("p").asLong()));
            case "lstsq" -> {
                LeastSquares r = Linalg.lstsq(x, in.get(1), options.get("rcond").asDouble());
                yield List.of(r.x(), r.residual(), r.rank(), r.s());
            }
            case "outer" -> List.of(Linalg.outer(x, in.get(1)));
            case "kron" -> List.of(Linalg.kron(x, in.get(1)));
            case "expm" -> List.of(Linalg.expm(x));
            default -> throw new AssertionError(op);
        };
    }

    private static Qr positive(Qr qr) {
        Tensor sign = qr.r().diagonal(0, -2, -1).lt(0).to(qr.q().dtype()).mul(-2).add(1);
        return new Qr(qr.q().mul(sign.unsqueeze(-2)), qr.r().mul(sign.unsqueeze(-1)));
    }

    private static void check(Device device, DType type) {
        for (int n = 0; n < CASES.size(); n++) {
            JsonNode c = CASES.get(n);
            String what = type + " case " + n + " " + c.get("op").asText() + " " + c.get("options");
            try (Scope s = device.open()) {
                List<Tensor> in = new ArrayList<>();
                double largest = 0;
                for (JsonNode a : c.get("args")) {
                    in.add(s.tensor(values(a), a.get("values").size()).reshape(shape(a)).to(type));
                    what += " " + Shape.of(shape(a));
                    largest = Math.max(largest, Reals.max(values(a)));
                }
                List<Tensor> out = call(c.get("op").asText(), in, c.get("options"));
                for (int i = 0; i < out.size(); i++) {
                    JsonNode expected = c.get("result").get(i);
                    assertEquals(Shape.of(shape(expected)), out.get(i).shape(), what);
                    double unit = type == DType.F64 ? 1e-11 : 2e-3;
                    close(what + ", result " + i, values(expected), out.get(i).toDoubleArray(), unit,
                            c.get("op").asText().equals("lstsq") ? largest : 0);
                }
            }
        }
        assertTrue(CASES.size() > 100, CASES.size() + " cases");
    }

    /** Within {@code unit} of the largest element expected, or of {@code floor} where that is larger. */
    private static void close(String what, double[] expected, double[] actual, double unit, double floor) {
        double size = floor;
        for (double v : expected) {
            size = Double.isFinite(v) ? Math.max(size, Math.abs(v)) : size;
        }
        for (int i = 0; i < expected.length; i++) {
            boolean same = expected[i] == actual[i] || Math.abs(expected[i] - actual[i]) <= unit * size;
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
