package dev.gramian;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gramian.core.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** The golden files of golden/einsum, and the operands that its make.py describes. */
final class EinsumGolden {
    private EinsumGolden() {}

    static JsonNode read(String name) {
        try (InputStream in = EinsumGolden.class.getResourceAsStream("/golden/einsum/" + name)) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The operand as F64, a view where the description has view steps. */
    static Tensor operand(Scope s, JsonNode description, int number) {
        long[] shape = longs(description.get("shape"));
        double[] values = new double[Math.toIntExact(Shape.of(shape).size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (7L * i + 3L * number) % 11 - 5;
        }
        Tensor t = s.tensor(values, values.length).reshape(shape);
        for (JsonNode step : description.get("views")) {
            t = switch (step.get(0).asText()) {
                case "transpose" -> t.transpose(step.get(1).asInt(), step.get(2).asInt());
                case "slice" -> slice(t, step);
                case "expand" -> {
                    List<Long> to = new ArrayList<>();
                    for (int i = 1; i < step.size(); i++) {
                        to.add(step.get(i).asLong());
                    }
                    yield t.expand(to.stream().mapToLong(Long::longValue).toArray());
                }
                default -> throw new AssertionError(step);
            };
        }
        return t;
    }

    private static Tensor slice(Tensor t, JsonNode step) {
        long by = step.get(4).isNull() ? 1 : step.get(4).asLong();
        long start = step.get(2).isNull() ? by > 0 ? 0 : Long.MAX_VALUE : step.get(2).asLong();
        long stop = step.get(3).isNull() ? by > 0 ? Long.MAX_VALUE : Long.MIN_VALUE : step.get(3).asLong();
        return t.slice(step.get(1).asInt(), start, stop, by);
    }

    static long[] longs(JsonNode array) {
        long[] r = new long[array.size()];
        for (int i = 0; i < r.length; i++) {
            r[i] = array.get(i).asLong();
        }
        return r;
    }

    /** Null if the tensor has the case's shape and exactly its values (-0.0 equals 0.0), else what differs. */
    static String difference(JsonNode expected, Tensor t) {
        Shape shape = Shape.of(longs(expected.get("shape")));
        if (!shape.equals(t.shape())) {
            return "shape " + t.shape() + ", expected " + shape;
        }
        double[] values = t.toDoubleArray();
        for (int i = 0; i < values.length; i++) {
            if (values[i] != expected.get("values").get(i).asDouble()) {
                return "element " + i + " is " + values[i] + ", expected " + expected.get("values").get(i);
            }
        }
        return null;
    }
}
