package dev.gramian;

import dev.gramian.core.DType;
import dev.gramian.core.Half;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Tensors as NumPy prints arrays (its defaults: 8 digits, 3 edge items beyond 1000 elements, lines of 75), after a line
 * with shape, strides, element type and device.
 */
final class TensorPrinter {
    private static final int THRESHOLD = 1000;
    private static final int EDGE = 3;
    private static final int DIGITS = 8;
    private static final int WIDTH = 75;

    private TensorPrinter() {}

    static String print(Tensor t) {
        String head = t.shape() + " " + t.dtype() + " strides " + Arrays.toString(t.layout().strides()) + " "
                + t.device().name();
        if (!t.view().storage().lifetime().isOpen()) {
            return head + " (closed)";
        }
        if (t.size() == 0) {
            return head + "\n[]";
        }
        boolean summarise = t.size() > THRESHOLD;
        String[] cells = format(t.dtype(), edges(t, summarise));
        StringBuilder text = new StringBuilder(head).append('\n');
        new Writer(t, summarise, cells, text).write(0, 0);
        return text.toString();
    }

    /** The elements that will be shown, row-major. */
    private static Object[] edges(Tensor t, boolean summarise) {
        List<Tensor> parts = List.of(t);
        for (int axis = 0; summarise && axis < t.rank(); axis++) {
            if (t.shape().at(axis) > 2 * EDGE) {
                List<Tensor> next = new ArrayList<>();
                for (Tensor p : parts) {
                    // axes before this one have been selected away, so it is the first that is left
                    for (Tensor half : List.of(p.slice(0, 0, EDGE), p.slice(0, -EDGE, Long.MAX_VALUE))) {
                        for (long i = 0; i < EDGE; i++) {
                            next.add(half.select(0, i));
                        }
                    }
                }
                parts = next;
            } else {
                List<Tensor> next = new ArrayList<>();
                for (Tensor p : parts) {
                    for (long i = 0; i < t.shape().at(axis); i++) {
                        next.add(p.select(0, i));
                    }
                }
                parts = next;
            }
        }
        List<Object> values = new ArrayList<>();
        for (Tensor p : parts) {
            if (t.dtype().isFloat()) {
                for (double v : p.toDoubleArray()) {
                    values.add(v);
                }
            } else {
                for (long v : p.toLongArray()) {
                    values.add(v);
                }
            }
        }
        return values.toArray();
    }

    private static String[] format(DType dtype, Object[] values) {
        String[] cells = dtype.isFloat() ? floats(dtype, values) : new String[values.length];
        if (!dtype.isFloat()) {
            for (int i = 0; i < cells.length; i++) {
                cells[i] = dtype == DType.BOOL ? ((long) values[i] != 0 ? "True" : "False") : values[i].toString();
            }
        }
        int width = 0;
        for (String c : cells) {
            width = Math.max(width, c.length());
        }
        for (int i = 0; i < cells.length; i++) {
            cells[i] = " ".repeat(width - cells[i].length()) + cells[i];
        }
        return cells;
    }

    private static String[] floats(DType dtype, Object[] values) {
        double max = 0;
        double min = Double.POSITIVE_INFINITY;
        for (Object o : values) {
            double a = Math.abs((double) o);
            if (a > 0 && a < Double.POSITIVE_INFINITY) {
                max = Math.max(max, a);
                min = Math.min(min, a);
            }
        }
        boolean exponent = max > 0 && (max >= 1e8 || min < 1e-4 || max / min > 1000);
        String[] cells = new String[values.length];
        BigDecimal[] digits = new BigDecimal[values.length];
        int decimals = 0;
        for (int i = 0; i < values.length; i++) {
            double v = (double) values[i];
            if (!Double.isNaN(v) && !Double.isInfinite(v)) {
                digits[i] = shortest(dtype, v);
                if (exponent && v != 0) {
                    digits[i] = digits[i].round(new java.math.MathContext(DIGITS + 1, RoundingMode.HALF_EVEN));
                }
                BigDecimal d = digits[i].stripTrailingZeros();
                int here = exponent ? (v == 0 ? 0 : d.precision() - 1) : Math.min(DIGITS, Math.max(0, d.scale()));
                decimals = Math.max(decimals, here);
            }
        }
        for (int i = 0; i < values.length; i++) {
            double v = (double) values[i];
            if (Double.isNaN(v)) {
                cells[i] = "nan";
            } else if (Double.isInfinite(v)) {
                cells[i] = v > 0 ? "inf" : "-inf";
            } else {
                String sign = v < 0 || 1 / v < 0 ? "-" : "";
                BigDecimal d = digits[i].abs();
                cells[i] = sign + (exponent ? scientific(d, decimals) : fixed(d, decimals));
            }
        }
        return cells;
    }

    /** {@code 2.5} among values with three decimals is {@code "2.5  "}: NumPy pads where it trims zeros. */
    private static String fixed(BigDecimal d, int decimals) {
        String s = d.setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
        if (decimals == 0) {
            return s + ".";
        }
        int end = s.length();
        while (s.charAt(end - 1) == '0') {
            end--;
        }
        return s.substring(0, end) + " ".repeat(s.length() - end);
    }

    private static String scientific(BigDecimal d, int decimals) {
        int e = d.signum() == 0 ? 0 : d.precision() - d.scale() - 1;
        String mantissa = d.signum() == 0
                ? BigDecimal.ZERO.setScale(decimals).toPlainString()
                : d.movePointLeft(e).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
        return mantissa + (decimals == 0 ? "." : "") + "e" + (e < 0 ? "-" : "+")
                + (Math.abs(e) < 10 ? "0" : "") + Math.abs(e);
    }

    /** The fewest digits that read back as the same value of the type. */
    private static BigDecimal shortest(DType dtype, double v) {
        if (dtype == DType.F64) {
            return new BigDecimal(Double.toString(v));
        }
        if (dtype == DType.F32) {
            return new BigDecimal(Float.toString((float) v));
        }
        BigDecimal exact = new BigDecimal(v);
        for (int p = 1; p < 6; p++) {
            BigDecimal r = exact.round(new java.math.MathContext(p, RoundingMode.HALF_EVEN));
            if (Half.toFloat(dtype, Half.fromDouble(dtype, r.doubleValue())) == v) {
                return r;
            }
        }
        return exact;
    }

    /** Brackets, ellipses and line breaks around the formatted cells, taken in order. */
    private static final class Writer {
        private final Tensor t;
        private final boolean summarise;
        private final String[] cells;
        private final StringBuilder text;
        private int next;

        Writer(Tensor t, boolean summarise, String[] cells, StringBuilder text) {
            this.t = t;
            this.summarise = summarise;
            this.cells = cells;
            this.text = text;
        }

        void write(int axis, int indent) {
            int rank = t.rank();
            if (axis == rank) {
                text.append(cells[next++]);
                return;
            }
            boolean last = axis == rank - 1;
            long n = t.shape().at(axis);
            boolean cut = summarise && n > 2 * EDGE;
            text.append('[');
            int column = indent + 1;
            String gap = "\n".repeat(rank - 1 - axis) + " ".repeat(indent + 1);
            for (long i = 0; i < (cut ? 2 * EDGE : n); i++) {
                if (cut && i == EDGE) {
                    text.append(last ? " ..." : gap + "...");
                    column += 4;
                }
                if (last) {
                    int w = cells[next].length();
                    if (i > 0 && column + 1 + w >= WIDTH) {
                        text.append('\n').append(" ".repeat(indent + 1));
                        column = indent + 1;
                    } else if (i > 0) {
                        text.append(' ');
                        column++;
                    }
                    column += w;
                    text.append(cells[next++]);
                } else {
                    if (i > 0) {
                        text.append(gap);
                    }
                    write(axis + 1, indent + 1);
                }
            }
            text.append(']');
        }
    }
}
