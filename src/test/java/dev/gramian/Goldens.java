package dev.gramian;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.core.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The files that {@code golden/tensor/make.py} wrote: tensors, cases and how near a result must come. */
final class Goldens {
    /** A tensor as written down: floats as doubles, all other types as longs. */
    record Stated(DType dtype, Shape shape, double[] reals, long[] wholes) {
        int size() {
            return dtype.isFloat() ? reals.length : wholes.length;
        }
    }

    /** How operands lie in memory; every case runs with each. */
    enum Lie {
        ROW_MAJOR {
            @Override
            Tensor put(Scope s, Stated x) {
                return flat(s, x).reshape(x.shape.toArray());
            }
        },
        COLUMN_MAJOR {
            @Override
            Tensor put(Scope s, Stated x) {
                int rank = x.shape.rank();
                int[] reversed = new int[rank];
                for (int i = 0; i < rank; i++) {
                    reversed[i] = rank - 1 - i;
                }
                return ROW_MAJOR.put(s, x).permute(reversed).contiguous().permute(reversed);
            }
        },
        /** Backwards along every axis, with strangers between the elements. */
        SPREAD_BACKWARDS {
            @Override
            Tensor put(Scope s, Stated x) {
                Tensor t = ROW_MAJOR.put(s, x);
                for (int axis = 0; axis < t.rank(); axis++) {
                    Tensor wide = Join.stack(axis + 1, t, s.ones(t.dtype(), t.shape().toArray()));
                    long[] doubled = x.shape.toArray();
                    doubled[axis] *= 2;
                    t = wide.reshape(doubled).flip(axis).contiguous().flip(axis).slice(axis, 0, Long.MAX_VALUE, 2);
                }
                return t;
            }
        };

        abstract Tensor put(Scope s, Stated x);
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    final List<JsonNode> cases = new ArrayList<>();
    private final Map<String, Stated> inputs = new HashMap<>();

    Goldens(String name) {
        try (InputStream in = Goldens.class.getResourceAsStream("/golden/tensor/" + name + ".json")) {
            JsonNode all = JSON.readTree(in);
            all.get("inputs").properties().forEach(e -> inputs.put(e.getKey(), stated(e.getValue())));
            all.get("cases").forEach(cases::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A tensor by name or written in place. */
    Stated input(JsonNode x) {
        return x.isTextual() ? inputs.get(x.asText()) : stated(x);
    }

    static double number(JsonNode x) {
        return !x.isTextual()
                ? x.asDouble()
                : switch (x.asText()) {
                    case "nan" -> Double.NaN;
                    case "inf" -> Double.POSITIVE_INFINITY;
                    case "-inf" -> Double.NEGATIVE_INFINITY;
                    default -> throw new IllegalArgumentException(x.asText());
                };
    }

    static long[] longs(JsonNode x) {
        long[] r = new long[x.size()];
        for (int i = 0; i < r.length; i++) {
            r[i] = x.get(i).asLong();
        }
        return r;
    }

    static Stated stated(JsonNode x) {
        DType t = DType.valueOf(x.get("t").asText());
        JsonNode v = x.get("v");
        double[] reals = t.isFloat() ? new double[v.size()] : null;
        for (int i = 0; reals != null && i < reals.length; i++) {
            double d = number(v.get(i));
            // shortest digits of a float name it only after rounding to float
            reals[i] = t == DType.F64 ? d : (float) d;
        }
        return new Stated(t, Shape.of(longs(x.get("s"))), reals, t.isFloat() ? null : longs(v));
    }

    /** All values on one axis; none of the library's casts is used but for half types, from F64. */
    private static Tensor flat(Scope s, Stated x) {
        int n = x.size();
        switch (x.dtype) {
            case F64 -> {
                return s.tensor(x.reals);
            }
            case F32 -> {
                float[] f = new float[n];
                for (int i = 0; i < n; i++) {
                    f[i] = (float) x.reals[i];
                }
                return s.tensor(f);
            }
            case F16, BF16 -> {
                short[] h = new short[n];
                for (int i = 0; i < n; i++) {
                    h[i] = Half.fromDouble(x.dtype, x.reals[i]);
                }
                return s.tensor(java.lang.foreign.MemorySegment.ofArray(h), x.dtype);
            }
            case I64 -> {
                return s.tensor(x.wholes);
            }
            case I32 -> {
                return s.tensor(Arrays.stream(x.wholes).mapToInt(v -> (int) v).toArray());
            }
            case U8, BOOL -> {
                byte[] b = new byte[n];
                for (int i = 0; i < n; i++) {
                    b[i] = (byte) x.wholes[i];
                }
                return s.tensor(java.lang.foreign.MemorySegment.ofArray(b), x.dtype);
            }
        }
        throw new AssertionError(x.dtype);
    }

    /** What is wrong with a result, or null: its type, its shape, or the first element that is too far off. */
    static String mismatch(Stated want, Tensor got, double ulps, double bound, boolean signOfZero) {
        if (got.dtype() != want.dtype || !got.shape().equals(want.shape)) {
            return "is " + got.dtype() + " " + got.shape() + ", not " + want.dtype + " " + want.shape;
        }
        if (!want.dtype.isFloat()) {
            long[] g = got.toLongArray();
            int i = Arrays.mismatch(g, want.wholes);
            return i < 0 ? null : "element " + i + " is " + g[i] + ", not " + want.wholes[i];
        }
        double[] g = got.toDoubleArray();
        for (int i = 0; i < g.length; i++) {
            double w = want.reals[i];
            boolean same = Double.isNaN(w)
                    ? Double.isNaN(g[i])
                    : Double.isInfinite(w)
                            ? g[i] == w
                            : Math.abs(g[i] - w) <= Math.max(bound, ulps * ulp(want.dtype, w));
            if (!same || signOfZero && w == 0 && g[i] == 0 && 1 / g[i] != 1 / w) {
                return "element " + i + " is " + g[i] + ", not " + w + " (" + Math.abs(g[i] - w) / ulp(want.dtype, w)
                        + " ulp)";
            }
        }
        return null;
    }

    static double ulp(DType t, double v) {
        int e = Math.getExponent(v);
        return switch (t) {
            case F64 -> Math.ulp(v);
            case F32 -> Math.ulp((float) v);
            case F16 -> Math.scalb(1.0, Math.max(e, -14) - 10);
            case BF16 -> Math.scalb(1.0, Math.max(e, -126) - 7);
            case I64, I32, U8, BOOL -> 0;
        };
    }
}
