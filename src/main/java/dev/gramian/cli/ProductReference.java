package dev.gramian.cli;

import dev.gramian.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The oracle of {@code matmul --check} and {@code einsum --check}: sums of products in float64 by loops over every
 * index, straight from the definition. Shares no code with the library's own products but reading elements.
 */
final class ProductReference {
    /** Products one check adds up, about a second of plain loops; beyond, evenly spread rows stand for all. */
    private static final long BUDGET = 300_000_000L;

    /** Elements of one operand held in float64 at a time. */
    private static final long SLICE = 1L << 25;

    private final int[][] labels;
    private final int[] output;
    private final List<Tensor> operands;
    private final Map<Integer, Long> sizes = new LinkedHashMap<>();

    private ProductReference(int[][] labels, int[] output, List<Tensor> operands) {
        this.labels = labels;
        this.output = output;
        this.operands = operands;
        for (int i = 0; i < labels.length; i++) {
            for (int axis = 0; axis < labels[i].length; axis++) {
                sizes.merge(labels[i][axis], operands.get(i).dim(axis), (a, b) -> a == 1 ? b : a);
            }
        }
    }

    /** NumPy's matmul, vectors included. */
    static Verdict matmul(Tensor a, Tensor b, Tensor result) {
        String spec = (a.rank() == 1 ? "k" : "...ik") + "," + (b.rank() == 1 ? "k" : "...kj") + "->..."
                + (a.rank() == 1 ? "" : "i") + (b.rank() == 1 ? "" : "j");
        return einsum("product", spec, List.of(a, b), result);
    }

    /** {@code spec} has been accepted by the product it checks, so it is well formed. */
    static Verdict einsum(String what, String spec, List<Tensor> operands, Tensor result) {
        String text = spec.replaceAll("\\s", "");
        int arrow = text.indexOf("->");
        String[] terms = (arrow < 0 ? text : text.substring(0, arrow)).split(",", -1);
        int dots = 0;
        for (int i = 0; i < terms.length; i++) {
            dots = Math.max(dots, operands.get(i).rank() - terms[i].replace("...", "").length());
        }
        int[][] labels = new int[terms.length][];
        for (int i = 0; i < terms.length; i++) {
            int letters = terms[i].replace("...", "").length();
            labels[i] = labels(terms[i], operands.get(i).rank() - letters);
        }
        int[] output = arrow < 0 ? implicit(terms, dots) : labels(text.substring(arrow + 2), dots);
        return new ProductReference(labels, output, operands).check(what, result).verdict();
    }

    /** Letters as themselves; the axes of an ellipsis as -1 for its last, -2 for the one before: they align right. */
    private static int[] labels(String term, int dots) {
        List<Integer> r = new ArrayList<>();
        for (int i = 0; i < term.length(); i++) {
            if (term.charAt(i) == '.') {
                for (int d = dots; d >= 1; d--) {
                    r.add(-d);
                }
                i += 2;
            } else {
                r.add((int) term.charAt(i));
            }
        }
        return r.stream().mapToInt(Integer::intValue).toArray();
    }

    private static int[] implicit(String[] terms, int dots) {
        String all = String.join("", terms).replace("...", "");
        TreeSet<Integer> once = new TreeSet<>();
        all.chars().filter(c -> all.indexOf(c) == all.lastIndexOf(c)).forEach(once::add);
        StringBuilder term = new StringBuilder("...");
        once.forEach(c -> term.append((char) c.intValue()));
        return labels(term.toString(), dots);
    }

    private Check check(String what, Tensor result) {
        int[] summed = sizes.keySet().stream()
                .filter(l -> Arrays.stream(output).noneMatch(o -> o == l))
                .mapToInt(Integer::intValue)
                .toArray();
        int fixed = Math.max(0, output.length - 1);
        while (fixed < output.length && largestSlice(fixed) > SLICE) {
            fixed++;
        }
        int[] free = Arrays.copyOfRange(output, fixed, output.length);
        int[] outer = Arrays.copyOf(output, fixed);
        long rows = product(outer);
        long perRow = Math.max(1, product(free)) * Math.max(1, product(summed));
        long checked = rows == 0 ? 0 : Math.max(1, Math.min(rows, BUDGET / perRow));
        Check check = new Check(what, result.dtype(),
                checked == rows ? "all" : Text.count(checked) + " of " + Text.count(rows) + " rows");
        if (product(output) == 0) {
            return check;
        }
        Fetched[] held = new Fetched[operands.size()];
        double relative = (additions(summed) + 4.0 * operands.size()) * Check.roundoff(result.dtype());
        for (long i = 0; i < checked; i++) {
            long row = checked == 1 ? 0 : Math.round((double) i * (rows - 1) / (checked - 1));
            Map<Integer, Long> at = new LinkedHashMap<>();
            for (int d = outer.length - 1; d >= 0; d--) {
                at.put(outer[d], row % sizes.get(outer[d]));
                row /= sizes.get(outer[d]);
            }
            for (int o = 0; o < held.length; o++) {
                held[o] = fetch(held[o], operands.get(o), labels[o], at);
            }
            double[] actual = values(result, output, at);
            Sum sum = new Sum(summed, held);
            for (int j = 0; j < actual.length; j++) {
                sum.start(free, j);
                sum.add(0);
                check.add(actual[j], sum.value, sum.magnitude, relative * sum.magnitude);
            }
        }
        return check;
    }

    private long product(int[] of) {
        long n = 1;
        for (int l : of) {
            n = n > Long.MAX_VALUE / Math.max(1, sizes.get(l)) ? Long.MAX_VALUE : n * sizes.get(l);
        }
        return n;
    }

    /**
     * Additions that may err on a term's way. Of three operands and more, sums are nested, not joined; and beyond 1024
     * terms only a sum in blocks keeps its digits, whose error grows as the root of their number.
     */
    private double additions(int[] summed) {
        double n = operands.size() < 3
                ? product(summed)
                : Arrays.stream(summed).mapToLong(sizes::get).sum();
        return Math.min(n, 32 * Math.sqrt(n));
    }

    /** Elements of the largest operand once the first {@code fixed} output labels have a value. */
    private long largestSlice(int fixed) {
        long most = 0;
        for (int o = 0; o < labels.length; o++) {
            long n = 1;
            for (int axis = 0; axis < labels[o].length; axis++) {
                int l = labels[o][axis];
                boolean isFixed = Arrays.stream(output, 0, fixed).anyMatch(f -> f == l);
                n *= isFixed ? 1 : operands.get(o).dim(axis);
            }
            most = Math.max(most, n);
        }
        return most;
    }

    /** An operand's elements at fixed values of some labels, and how far a step of each other label leads. */
    private record Fetched(Map<Integer, Long> at, double[] values, Map<Integer, Integer> steps) {}

    private Fetched fetch(Fetched held, Tensor t, int[] labels, Map<Integer, Long> all) {
        Map<Integer, Long> at = new LinkedHashMap<>(all);
        at.keySet().retainAll(Arrays.stream(labels).boxed().toList());
        if (held != null && held.at.equals(at)) {
            return held;
        }
        Map<Integer, Integer> steps = new LinkedHashMap<>();
        int step = 1;
        for (int axis = labels.length - 1; axis >= 0; axis--) {
            if (!at.containsKey(labels[axis])) {
                steps.merge(labels[axis], t.dim(axis) == 1 ? 0 : step, Integer::sum);
                step = Math.toIntExact(step * t.dim(axis));
            }
        }
        return new Fetched(at, values(t, labels, at), steps);
    }

    private static double[] values(Tensor t, int[] labels, Map<Integer, Long> at) {
        Tensor part = t;
        for (int axis = labels.length - 1; axis >= 0; axis--) {
            Long index = at.get(labels[axis]);
            if (index != null) {
                part = part.select(axis, t.dim(axis) == 1 ? 0 : index);
            }
        }
        return part.toDoubleArray();
    }

    /** Adds up the products over all summed labels, for one element of the result. */
    private final class Sum {
        private final int depth;
        private final long[] size;
        private final double[][] x;
        private final int[][] step;
        private final int[] at;
        private final Fetched[] held;
        double value;
        double magnitude;

        Sum(int[] summed, Fetched[] held) {
            this.held = held;
            depth = summed.length;
            size = Arrays.stream(summed).mapToLong(sizes::get).toArray();
            x = new double[held.length][];
            step = new int[depth][held.length];
            at = new int[held.length];
            for (int o = 0; o < held.length; o++) {
                x[o] = held[o].values;
                for (int d = 0; d < depth; d++) {
                    step[d][o] = held[o].steps.getOrDefault(summed[d], 0);
                }
            }
        }

        /** At element {@code index}, row-major, of the output labels that are not fixed. */
        void start(int[] free, long index) {
            value = 0;
            magnitude = 0;
            Arrays.fill(at, 0);
            for (int d = free.length - 1; d >= 0; d--) {
                long i = index % sizes.get(free[d]);
                index /= sizes.get(free[d]);
                for (int o = 0; o < at.length; o++) {
                    at[o] += Math.toIntExact(i * held[o].steps.getOrDefault(free[d], 0));
                }
            }
        }

        void add(int d) {
            if (d == depth) {
                term();
            } else if (d == depth - 1 && at.length == 2) {
                pairs(size[d], step[d]);
            } else {
                for (long i = 0; i < size[d]; i++) {
                    add(d + 1);
                    for (int o = 0; o < at.length; o++) {
                        at[o] += step[d][o];
                    }
                }
                for (int o = 0; o < at.length; o++) {
                    at[o] -= Math.toIntExact(size[d] * step[d][o]);
                }
            }
        }

        private void term() {
            double p = 1;
            for (int o = 0; o < at.length; o++) {
                p *= x[o][at[o]];
            }
            value += p;
            magnitude += Math.abs(p);
        }

        private void pairs(long n, int[] by) {
            double[] a = x[0];
            double[] b = x[1];
            int i = at[0];
            int j = at[1];
            double v = 0;
            double m = 0;
            for (long k = 0; k < n; k++) {
                double p = a[i] * b[j];
                v += p;
                m += Math.abs(p);
                i += by[0];
                j += by[1];
            }
            value += v;
            magnitude += m;
        }
    }
}
