package dev.gramian;

import dev.gramian.EinsumRun.Labelled;
import dev.gramian.core.DType;
import dev.gramian.core.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A pair of labelled tensors with summed labels, as one batched matrix product. Labels of both and of the result are
 * batch axes, of both alone k, of a alone m, of b alone n. The labels of k become one axis, and so do those of m and
 * of n where they step evenly in memory; an m that does not may leave some of its labels as further batch axes, along
 * which b is broadcast, so that nothing is copied.
 *
 * <p>GEMM reads both orientations of a matrix alike, so the choice of left and right operand is free; it is made so
 * that the result lies in the wanted order where it can.
 */
record EinsumGemm(Labelled a, Labelled b, List<Integer> batch, List<Integer> k, Side m, Side n) {
    /**
     * Fewest rows or columns worth a product of their own rather than a copy of the operand: of 256 columns, a batch of
     * products of 4 to 32 rows took as long as a copy and one product of all rows.
     */
    private static final long LEAST_EDGE = 8;

    /** How an operand's own labels are used: merged into rows (or columns), or as batch axes. */
    private record Side(List<Integer> edge, List<Integer> loose, boolean copy) {}

    /** {@code out}: the result's labels; {@code order}: those labels as the result is wanted, or null. */
    static EinsumGemm of(Labelled a, Labelled b, long out, int[] order) {
        boolean swap = order != null && order.length > 0 && !b.has(order[order.length - 1]);
        Labelled x = swap ? b : a;
        Labelled y = swap ? a : b;
        List<Integer> batch = new ArrayList<>();
        List<Integer> k = new ArrayList<>();
        List<Integer> m = new ArrayList<>();
        List<Integer> n = new ArrayList<>();
        for (int l : x.labels()) {
            (!y.has(l) ? m : (out >> l & 1) != 0 ? batch : k).add(l);
        }
        for (int l : y.labels()) {
            if (!x.has(l)) {
                n.add(l);
            }
        }
        if (order != null) {
            List<Integer> wanted = Arrays.stream(order).boxed().toList();
            batch.sort((p, q) -> Integer.compare(wanted.indexOf(p), wanted.indexOf(q)));
            m.sort((p, q) -> Integer.compare(wanted.indexOf(p), wanted.indexOf(q)));
            n.sort((p, q) -> Integer.compare(wanted.indexOf(p), wanted.indexOf(q)));
        }
        EinsumGemm byX = new EinsumGemm(x, y, batch, byStride(x, k), m, n);
        if (byX.copied() == 0) {
            return byX;
        }
        EinsumGemm byY = new EinsumGemm(x, y, batch, byStride(y, k), m, n);
        return byY.copied() < byX.copied() ? byY : byX;
    }

    private EinsumGemm(
            Labelled a, Labelled b, List<Integer> batch, List<Integer> k, List<Integer> m, List<Integer> n) {
        this(a, b, batch, k, side(a, m, k), side(b, n, k));
    }

    /** Elements that must be copied. */
    private long copied() {
        return (m.copy ? a.tensor().size() : 0) + (n.copy ? b.tensor().size() : 0);
    }

    private static List<Integer> byStride(Labelled x, List<Integer> labels) {
        List<Integer> r = new ArrayList<>(labels);
        r.sort((p, q) -> Long.compare(x.stride(q), x.stride(p)));
        return r;
    }

    /** Stride of the single axis that the labels make in this order, 0 for none, or -1 if they do not step evenly. */
    private static long stride(Labelled x, List<Integer> labels) {
        if (labels.isEmpty()) {
            return 0;
        }
        long unit = x.stride(labels.getLast());
        long step = unit;
        for (int i = labels.size() - 1; i >= 0; i--) {
            if (x.stride(labels.get(i)) != step) {
                return -1;
            }
            step *= x.size(labels.get(i));
        }
        return unit > 0 ? unit : -1;
    }

    private static long size(Labelled x, List<Integer> labels) {
        long s = 1;
        for (int l : labels) {
            s *= x.size(l);
        }
        return s;
    }

    private static Side side(Labelled x, List<Integer> own, List<Integer> k) {
        long kStride = stride(x, k);
        long kSize = size(x, k);
        List<Integer> best = null;
        if (kStride > 0) {
            List<Integer> sorted = byStride(x, own);
            for (int i = 0; i <= sorted.size(); i++) {
                for (int j = i; j <= sorted.size(); j++) {
                    List<Integer> run = sorted.subList(i, j);
                    if (fits(stride(x, run), size(x, run), kStride, kSize)
                            && (best == null || size(x, run) > size(x, best))) {
                        best = run;
                    }
                }
            }
        }
        if (best == null || best.size() < own.size() && size(x, best) < LEAST_EDGE) {
            return new Side(own, List.of(), true);
        }
        List<Integer> loose = new ArrayList<>(own);
        loose.removeAll(best);
        return new Side(List.copyOf(best), loose, false);
    }

    /** True if GEMM reads the matrix of edge and k in place: one has stride 1, the other does not overlap it. */
    private static boolean fits(long edgeStride, long edge, long kStride, long k) {
        if (edge == 1) {
            return true;
        }
        return edgeStride > 0 && (kStride == 1 && edgeStride >= k || edgeStride == 1 && kStride >= edge);
    }

    Labelled run(Scope scope, DType out) {
        List<Integer> outer = new ArrayList<>(batch);
        outer.addAll(m.loose);
        outer.addAll(n.loose);
        Tensor x = matrix(a, m, outer, true);
        Tensor y = matrix(b, n, outer, false);
        Tensor c = scope.run(new Op.Gemm(scope.mathMode(), 1, out, false), x, y);
        List<Integer> labels = new ArrayList<>(outer);
        labels.addAll(m.edge);
        labels.addAll(n.edge);
        long[] shape = new long[labels.size()];
        for (int i = 0; i < shape.length; i++) {
            int l = labels.get(i);
            shape[i] = a.has(l) ? a.size(l) : b.size(l);
        }
        return new Labelled(c.reshape(shape), EinsumRun.ints(labels));
    }

    /** (outer..., edge, k) or, on the right, (outer..., k, edge); outer axes that x does not have are of size 1. */
    private Tensor matrix(Labelled x, Side side, List<Integer> outer, boolean left) {
        List<Integer> order = new ArrayList<>(outer);
        order.addAll(left ? side.edge : k);
        order.addAll(left ? k : side.edge);
        Tensor t = x.along(EinsumRun.ints(order));
        if (side.copy) {
            Labelled other = left ? b : a;
            for (int i = 0; i < batch.size(); i++) {
                // an expanded batch axis need not be copied out: GEMM broadcasts it, where the other operand spans it
                if (x.stride(batch.get(i)) == 0 && other.stride(batch.get(i)) != 0) {
                    t = t.slice(i, 0, 1);
                }
            }
            t = t.copy();
        }
        long[] shape = new long[outer.size() + 2];
        for (int i = 0; i < outer.size(); i++) {
            shape[i] = t.shape().at(i);
        }
        shape[outer.size()] = size(x, left ? side.edge : k);
        shape[outer.size() + 1] = size(x, left ? k : side.edge);
        return t.reshape(shape);
    }
}
