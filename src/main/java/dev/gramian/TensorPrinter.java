package dev.gramian;

import dev.gramian.core.DType;
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
        String[] cells = format(t.dtype(), t.rank() == 0, edges(t, summarise));
        StringBuilder text = new StringBuilder(head).append('\n');
        new Writer(t, summarise, cells, text).write(0);
        return text.toString();
    }

    /** Parts with the elements that will be shown, row-major. */
    private static Tensor[] edges(Tensor t, boolean summarise) {
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
        return parts.toArray(Tensor[]::new);
    }

    private static String[] format(DType dtype, boolean scalar, Tensor[] parts) {
        if (dtype.isFloat()) {
            double[] values = new double[0];
            for (Tensor p : parts) {
                double[] more = p.toDoubleArray();
                values = Arrays.copyOf(values, values.length + more.length);
                System.arraycopy(more, 0, values, values.length - more.length, more.length);
            }
            return scalar ? new String[] {FloatText.scalar(dtype, values[0])} : FloatText.cells(dtype, values);
        }
        List<String> cells = new ArrayList<>();
        int width = dtype == DType.BOOL && !scalar ? 5 : 0;
        for (Tensor p : parts) {
            for (long v : p.toLongArray()) {
                String c = dtype != DType.BOOL ? Long.toString(v) : v != 0 ? "True" : "False";
                cells.add(c);
                width = Math.max(width, c.length());
            }
        }
        for (int i = 0; i < cells.size(); i++) {
            cells.set(i, " ".repeat(width - cells.get(i).length()) + cells.get(i));
        }
        return cells.toArray(String[]::new);
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

        void write(int axis) {
            int rank = t.rank();
            if (axis == rank) {
                text.append(cells[next++]);
            } else if (axis == rank - 1) {
                row(axis);
            } else {
                text.append('[');
                String gap = "\n".repeat(rank - 1 - axis) + " ".repeat(axis + 1);
                boolean cut = cut(axis);
                for (long i = 0; i < (cut ? 2 * EDGE : t.shape().at(axis)); i++) {
                    text.append(i > 0 ? gap : "").append(cut && i == EDGE ? "..." + gap : "");
                    write(axis + 1);
                }
                text.append(']');
            }
        }

        private boolean cut(int axis) {
            return summarise && t.shape().at(axis) > 2 * EDGE;
        }

        /** The last axis, in lines that leave room for the brackets that close here. */
        private void row(int axis) {
            boolean cut = cut(axis);
            long n = cut ? 2 * EDGE + 1 : t.shape().at(axis);
            int room = WIDTH - axis - 1;
            StringBuilder line = new StringBuilder();
            text.append('[');
            for (long i = 0; i < n; i++) {
                String word = cut && i == EDGE ? "..." : cells[next++];
                if (!line.isEmpty() && axis + 1 + line.length() + word.length() > room) {
                    text.append(line.toString().stripTrailing()).append('\n').append(" ".repeat(axis + 1));
                    line.setLength(0);
                }
                line.append(word).append(i < n - 1 ? " " : "");
            }
            text.append(line).append(']');
        }
    }
}
