package dev.gramian;

import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One evaluation of an {@link EinsumPlan}. Every pair has a scope of its own, so that an intermediate lives only until
 * the pair that needs it is done.
 */
final class EinsumRun {
    private final EinsumPlan plan;
    private final Tensor[] operands;
    private final DType type;
    private final int[] wanted;

    /** A tensor and the label of each of its axes, no label twice, no axis of size 1. */
    record Labelled(Tensor tensor, int[] labels) {
        boolean has(int label) {
            return axis(label) >= 0;
        }

        int axis(int label) {
            for (int i = 0; i < labels.length; i++) {
                if (labels[i] == label) {
                    return i;
                }
            }
            return -1;
        }

        long size(int label) {
            return tensor.shape().at(axis(label));
        }

        long stride(int label) {
            return tensor.layout().stride(axis(label));
        }

        Labelled permute(int[] order) {
            int[] axes = new int[order.length];
            for (int i = 0; i < axes.length; i++) {
                axes[i] = axis(order[i]);
            }
            return new Labelled(tensor.permute(axes), order);
        }

        /** A view with an axis for each of {@code order}, of size 1 where this has no such label. */
        Tensor along(int[] order) {
            Tensor t = permute(Arrays.stream(order).filter(this::has).toArray()).tensor;
            for (int i = 0; i < order.length; i++) {
                if (!has(order[i])) {
                    t = t.unsqueeze(i);
                }
            }
            return t;
        }
    }

    EinsumRun(EinsumPlan plan, Tensor... operands) {
        this.plan = plan;
        this.operands = operands;
        this.type = operands[0].dtype();
        this.wanted = Arrays.stream(plan.bound().output())
                .filter(l -> plan.bound().sizes()[l] != 1)
                .toArray();
    }

    Tensor result() {
        if (plan.root() instanceof EinsumPlan.Leaf l && l.given() == l.labels()) {
            return shaped(leaf(l, true));
        }
        if (type == DType.BOOL) {
            throw new DTypeException("einsum: BOOL has no sum or product; operand 0 " + operands[0].shape()
                    + "; cast with .to(DType.I64) or .to(DType.F32)");
        }
        try (Scope s = Scope.inner("einsum", operands[0].device())) {
            if (plan.isEmpty()) {
                return s.keep(s.zeros(type, plan.bound().shape().toArray()));
            }
            Labelled r = node(plan.root(), true);
            s.keep(r.tensor);
            return shaped(r);
        }
    }

    /** Axes in the output's order, those of size 1 put back. */
    private Tensor shaped(Labelled r) {
        Tensor t = r.permute(wanted).tensor;
        int[] output = plan.bound().output();
        for (int i = 0; i < output.length; i++) {
            if (plan.bound().sizes()[output[i]] == 1) {
                t = t.unsqueeze(i);
            }
        }
        return t;
    }

    private Labelled node(EinsumPlan.Node node, boolean last) {
        return switch (node) {
            case EinsumPlan.Leaf l -> leaf(l, last);
            case EinsumPlan.Pair p -> {
                try (Scope s = Scope.inner("einsum", operands[0].device())) {
                    Labelled a = node(p.left(), false);
                    Labelled b = node(p.right(), false);
                    Labelled c = pair(s, p, a, b, last);
                    s.keep(c.tensor);
                    yield c;
                }
            }
        };
    }

    /** The operand without axes of size 1, repeated labels as diagonals, labels of its own summed. */
    private Labelled leaf(EinsumPlan.Leaf leaf, boolean last) {
        Tensor t = operands[leaf.index()];
        List<Integer> labels = new ArrayList<>();
        int[] given = plan.bound().operands()[leaf.index()];
        int axis = 0;
        for (int l : given) {
            if (t.shape().at(axis) == 1) {
                t = t.squeeze(axis);
            } else {
                labels.add(l);
                axis++;
            }
        }
        for (int[] twice = twice(labels); twice != null; twice = twice(labels)) {
            t = t.diagonal(0, twice[0], twice[1]);
            int l = labels.remove(twice[1]);
            labels.remove(twice[0]);
            labels.add(l);
        }
        if (leaf.given() == leaf.labels()) {
            return new Labelled(t, ints(labels));
        }
        return sum(new Labelled(t.to(last ? type : type.compute()), ints(labels)), leaf.labels());
    }

    /** Two axes of one label, the lower first, or null. */
    private static int[] twice(List<Integer> labels) {
        for (int i = 0; i < labels.size(); i++) {
            int j = labels.lastIndexOf(labels.get(i));
            if (j > i) {
                return new int[] {i, j};
            }
        }
        return null;
    }

    private Labelled pair(Scope scope, EinsumPlan.Pair p, Labelled a, Labelled b, boolean last) {
        int[] order = last ? wanted : null;
        boolean summed = (p.left().labels() & p.right().labels() & ~p.labels()) != 0;
        boolean once = a.tensor.dtype() == b.tensor.dtype() && (last || summed);
        DType compute = once ? a.tensor.dtype() : type.compute();
        Labelled x = new Labelled(a.tensor.to(compute), a.labels);
        Labelled y = new Labelled(b.tensor.to(compute), b.labels);
        DType out = last ? type : type.compute();
        Labelled r;
        if (!summed) {
            r = product(x, y, order);
        } else if (plan.isShortDots(p) && !compute.isHalf()) {
            r = sum(product(x, y, byStride(x)), p.labels());
        } else {
            r = EinsumGemm.of(x, y, p.labels(), order).run(scope, compute.isHalf() ? out : compute);
        }
        return new Labelled(r.tensor.to(out), r.labels);
    }

    /** The labels from the widest step in memory to the narrowest. */
    private static int[] byStride(Labelled x) {
        return Arrays.stream(x.labels)
                .boxed()
                .sorted((p, q) -> Long.compare(Math.abs(x.stride(q)), Math.abs(x.stride(p))))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** The sum over all labels but the kept ones, in the tensor's own type. */
    private static Labelled sum(Labelled x, long kept) {
        int[] axes = IntStream.range(0, x.labels.length)
                .filter(i -> (kept >> x.labels[i] & 1) == 0)
                .toArray();
        int[] labels = Arrays.stream(x.labels).filter(l -> (kept >> l & 1) != 0).toArray();
        return new Labelled(x.tensor.sum(axes).to(x.tensor.dtype()), labels);
    }

    /** Elementwise product of broadcast views, axes in {@code order} or, where that is null, a's and then b's. */
    private static Labelled product(Labelled a, Labelled b, int[] order) {
        int[] labels = order;
        if (order == null) {
            List<Integer> all = new ArrayList<>();
            for (int l : a.labels) {
                all.add(l);
            }
            for (int l : b.labels) {
                if (!a.has(l)) {
                    all.add(l);
                }
            }
            labels = ints(all);
        }
        return new Labelled(a.along(labels).mul(b.along(labels)), labels);
    }

    static int[] ints(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }
}
