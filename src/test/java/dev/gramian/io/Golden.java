package dev.gramian.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The files {@code make.py} wrote, and what it says is in them. */
final class Golden {
    record Stated(DType dtype, Shape shape, double[] values) {}

    static final Path HERE;
    static final Map<String, Stated> STATED = new LinkedHashMap<>();

    static {
        try {
            HERE = Path.of(Golden.class.getResource("/golden/npy/values.json").toURI()).getParent();
            JsonNode all = new ObjectMapper().readTree(HERE.resolve("values.json").toFile());
            all.properties().forEach(e -> {
                JsonNode v = e.getValue();
                long[] shape = new long[v.get("shape").size()];
                for (int i = 0; i < shape.length; i++) {
                    shape[i] = v.get("shape").get(i).asLong();
                }
                List<Double> values = new ArrayList<>();
                v.get("values").forEach(x -> values.add(
                        x.isTextual()
                                ? switch (x.asText()) {
                                    case "nan" -> Double.NaN;
                                    case "inf" -> Double.POSITIVE_INFINITY;
                                    default -> Double.NEGATIVE_INFINITY;
                                }
                                : x.asDouble()));
                STATED.put(e.getKey(), new Stated(DType.valueOf(v.get("dtype").asText()), Shape.of(shape),
                        values.stream().mapToDouble(Double::doubleValue).toArray()));
            });
        } catch (IOException | URISyntaxException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Golden() {}

    static Path file(String name) {
        return HERE.resolve(name);
    }

    /** All elements in C order, by the layout's strides. */
    static double[] values(HostTensor t) {
        Layout l = t.layout();
        double[] v = new double[Math.toIntExact(l.size())];
        long[] at = new long[l.rank()];
        for (int i = 0; i < v.length; i++) {
            long rest = i;
            for (int a = l.rank() - 1; a >= 0; a--) {
                at[a] = rest % l.shape().at(a);
                rest /= l.shape().at(a);
            }
            v[i] = value(t.data().bytes(), t.dtype(), l.index(at));
        }
        return v;
    }

    static double value(MemorySegment m, DType dtype, long i) {
        long b = i * dtype.bytes();
        return switch (dtype) {
            case F64 -> m.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, b);
            case F32 -> m.get(ValueLayout.JAVA_FLOAT_UNALIGNED, b);
            case F16, BF16 -> Half.toFloat(dtype, m.get(ValueLayout.JAVA_SHORT_UNALIGNED, b));
            case I64 -> m.get(ValueLayout.JAVA_LONG_UNALIGNED, b);
            case I32 -> m.get(ValueLayout.JAVA_INT_UNALIGNED, b);
            case U8, BOOL -> m.get(ValueLayout.JAVA_BYTE, b) & 0xFF;
        };
    }
}
