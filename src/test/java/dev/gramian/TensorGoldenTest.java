package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The tensor API against NumPy's answers, each case with its operands row-major, column-major and spread backwards. */
final class TensorGoldenTest {
    private static final Map<String, Goldens> FILES = new ConcurrentHashMap<>();

    static void check(Device device, String file) {
        Goldens goldens = FILES.computeIfAbsent(file, Goldens::new);
        List<String> wrong = new ArrayList<>();
        for (JsonNode c : goldens.cases) {
            for (Goldens.Lie lie : Goldens.Lie.values()) {
                try (Scope s = device.open()) {
                    String m = c.has("text") ? printed(goldens, s, c, lie) : computed(goldens, s, c, lie);
                    if (m != null) {
                        wrong.add(lie + " " + c + "\n    " + m);
                    }
                } catch (RuntimeException | AssertionError e) {
                    wrong.add(lie + " " + c + "\n    " + e);
                }
            }
        }
        assertTrue(goldens.cases.size() > 20, "too few cases in " + file);
        if (!wrong.isEmpty()) {
            fail(wrong.size() + " of " + 3 * goldens.cases.size() + " wrong in " + file + ":\n"
                    + String.join("\n", wrong.subList(0, Math.min(12, wrong.size()))));
        }
    }

    private static String computed(Goldens goldens, Scope s, JsonNode c, Goldens.Lie lie) {
        List<Tensor> in = new ArrayList<>();
        c.get("in").forEach(x -> in.add(lie.put(s, goldens.input(x))));
        Tensor[] out;
        try {
            out = GoldenOps.run(s, c, in.toArray(Tensor[]::new));
        } catch (GramianException e) {
            return c.has("error") ? null : e.toString();
        }
        if (c.has("error") || out.length != c.get("out").size()) {
            return "gives " + List.of(out);
        }
        for (int i = 0; i < out.length; i++) {
            String m = Goldens.mismatch(Goldens.stated(c.get("out").get(i)), out[i], c.path("ulp").asDouble(0),
                    c.path("abs").asDouble(0), c.has("zero"));
            if (m != null) {
                return "result " + i + " " + m;
            }
        }
        return null;
    }

    private static String printed(Goldens goldens, Scope s, JsonNode c, Goldens.Lie lie) {
        Tensor x;
        if (c.has("gen")) {
            JsonNode g = c.get("gen");
            long[] shape = Goldens.longs(g.get("s"));
            long n = 1;
            for (long d : shape) {
                n *= d;
            }
            x = s.arange(DType.F64, n).mul(g.get("scale").asDouble()).add(g.get("shift").asDouble())
                    .to(DType.valueOf(g.get("t").asText())).reshape(shape);
        } else {
            x = lie.put(s, goldens.input(c.get("in").get(0)));
        }
        String text = x.toString();
        String body = text.substring(text.indexOf('\n') + 1);
        return body.equals(c.get("text").asText()) ? null : "prints\n" + body + "\n    not\n" + c.get("text").asText();
    }

    @DeviceSpec
    void arithmetic(Device device) {
        check(device, "arithmetic");
    }

    @DeviceSpec
    void comparisonAndLogic(Device device) {
        check(device, "compare");
    }

    @DeviceSpec
    void oneOperandClampAndWhere(Device device) {
        check(device, "unary");
    }

    @DeviceSpec
    void reductionsOverEveryAxes(Device device) {
        check(device, "reduce");
    }

    @DeviceSpec
    void reductionsOfEmptiesNanAndInfinity(Device device) {
        check(device, "reduce_edges");
    }

    @DeviceSpec
    void reductionsOfIntegersAndRunningSums(Device device) {
        check(device, "reduce_types");
    }

    @DeviceSpec
    void casts(Device device) {
        check(device, "casts");
    }

    @DeviceSpec
    void softmaxAndNorms(Device device) {
        check(device, "rows");
    }

    @DeviceSpec
    void joiningAndGathering(Device device) {
        check(device, "join");
    }

    @DeviceSpec
    void sortingAndTriangles(Device device) {
        check(device, "sort");
    }

    @DeviceSpec
    void views(Device device) {
        check(device, "views");
    }

    @DeviceSpec
    void products(Device device) {
        check(device, "matmul");
    }

    @DeviceSpec
    void creation(Device device) {
        check(device, "create");
    }

    @DeviceSpec
    void printsF64(Device device) {
        check(device, "print_F64");
    }

    @DeviceSpec
    void printsF32(Device device) {
        check(device, "print_F32");
    }

    @DeviceSpec
    void printsF16(Device device) {
        check(device, "print_F16");
    }

    @DeviceSpec
    void printsIntegersAndBooleans(Device device) {
        check(device, "print_whole");
    }
}
