package dev.gramian;

import dev.gramian.core.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * In which order an einsum multiplies its operands: a binary tree of pairwise contractions, of the least multiply-adds
 * for up to {@link #EXACT} operands (dynamic programming over all subsets), else the best of two greedy orders and
 * left to right. Sets of labels are bit masks; labels of size 1 are left out everywhere, which is also what makes axes
 * of size 1 broadcast: an operand whose axis has size 1 does not depend on that label.
 */
final class EinsumPlan {
    /** 3^8 splits are 6561; every further operand triples that. */
    static final int EXACT = 8;

    /** Longest dot products that are faster multiplied out and summed than as a batch of 1 x 1 matrix products. */
    private static final int SHORT_DOT = 512;

    private final EinsumSpec spec;
    private final EinsumSpec.Bound bound;
    private final Node root;
    private final boolean empty;

    /** A tensor on the way: {@code labels} are its axes once computed. */
    sealed interface Node {
        long labels();
    }

    /** Operand {@code index}; {@code given} are its labels before those that it alone has are summed. */
    record Leaf(int index, long given, long labels) implements Node {}

    record Pair(Node left, Node right, long labels) implements Node {}

    EinsumPlan(EinsumSpec spec, Shape... shapes) {
        this.spec = spec;
        this.bound = spec.bind(shapes);
        boolean none = false;
        for (long d : bound.sizes()) {
            none |= d == 0;
        }
        empty = none;
        long out = 0;
        for (int l : bound.output()) {
            out |= bit(l);
        }
        int n = shapes.length;
        long[] given = new long[n];
        for (int o = 0; o < n; o++) {
            for (int axis = 0; axis < shapes[o].rank(); axis++) {
                given[o] |= shapes[o].at(axis) == 1 ? 0 : bit(bound.operands()[o][axis]);
            }
        }
        Leaf[] leaves = new Leaf[n];
        for (int o = 0; o < n; o++) {
            long needed = out;
            for (int p = 0; p < n; p++) {
                needed |= p == o ? 0 : given[p];
            }
            leaves[o] = new Leaf(o, given[o], given[o] & needed);
        }
        if (n <= EXACT) {
            root = exact(leaves, out);
        } else {
            Node best = leftToRight(leaves, out);
            for (boolean flops : new boolean[] {false, true}) {
                Node greedy = greedy(leaves, out, flops);
                best = cost(greedy) < cost(best) ? greedy : best;
            }
            root = best;
        }
    }

    Node root() {
        return root;
    }

    EinsumSpec.Bound bound() {
        return bound;
    }

    /** True if some axis is empty: every result is a sum of nothing. */
    boolean isEmpty() {
        return empty;
    }

    private long bit(int label) {
        return bound.sizes()[label] == 1 ? 0 : 1L << label;
    }

    /** Number of elements of a tensor of these labels; a double, because it may be beyond a long. */
    double size(long labels) {
        double s = 1;
        for (long rest = labels; rest != 0; rest &= rest - 1) {
            s *= bound.sizes()[Long.numberOfTrailingZeros(rest)];
        }
        return s;
    }

    /** True for a batch of short dot products: every label is in both operands, some are summed, some are not. */
    boolean isShortDots(Pair p) {
        long both = p.left.labels();
        return both == p.right.labels() && p.labels != 0 && p.labels != both && size(both & ~p.labels) <= SHORT_DOT;
    }

    // ---- order -----------------------------------------------------------------------------------------------------

    private Node exact(Leaf[] leaves, long out) {
        int n = leaves.length;
        int all = (1 << n) - 1;
        long[] union = new long[all + 1];
        for (int s = 1; s <= all; s++) {
            union[s] = union[s & (s - 1)] | leaves[Integer.numberOfTrailingZeros(s)].labels;
        }
        Node[] best = new Node[all + 1];
        double[] flops = new double[all + 1];
        double[] elements = new double[all + 1];
        for (int s = 1; s <= all; s++) {
            if ((s & (s - 1)) == 0) {
                best[s] = leaves[Integer.numberOfTrailingZeros(s)];
                continue;
            }
            long labels = union[s] & (out | union[all & ~s]);
            int first = Integer.lowestOneBit(s);
            int split = 0;
            for (int l = s & (s - 1); l != 0; l = (l - 1) & s & ~first) {
                int rest = s & ~l;
                double f = flops[l] + flops[rest] + size(best[l].labels() | best[rest].labels());
                double e = elements[l] + elements[rest];
                if (split == 0 || f < flops[s] || f == flops[s] && e < elements[s]) {
                    split = l;
                    flops[s] = f;
                    elements[s] = e;
                }
            }
            elements[s] += size(labels);
            best[s] = new Pair(best[s & ~split], best[split], labels);
        }
        return best[all];
    }

    private static Node leftToRight(Leaf[] leaves, long out) {
        Node r = leaves[0];
        for (int i = 1; i < leaves.length; i++) {
            long needed = out;
            for (int j = i + 1; j < leaves.length; j++) {
                needed |= leaves[j].labels;
            }
            r = new Pair(r, leaves[i], (r.labels() | leaves[i].labels) & needed);
        }
        return r;
    }

    /** Takes the cheapest pair first: by multiply-adds, or by how much larger the result is than both operands. */
    private Node greedy(Leaf[] leaves, long out, boolean flops) {
        List<Node> open = new ArrayList<>(List.of(leaves));
        while (open.size() > 1) {
            Pair best = null;
            double least = 0;
            for (int i = 0; i < open.size(); i++) {
                for (int j = i + 1; j < open.size(); j++) {
                    Node a = open.get(i);
                    Node b = open.get(j);
                    long needed = out;
                    for (Node c : open) {
                        needed |= c == a || c == b ? 0 : c.labels();
                    }
                    Pair p = new Pair(a, b, (a.labels() | b.labels()) & needed);
                    double c = flops
                            ? size(a.labels() | b.labels())
                            : size(p.labels) - size(a.labels()) - size(b.labels());
                    if (best == null || c < least) {
                        best = p;
                        least = c;
                    }
                }
            }
            open.remove(best.left);
            open.remove(best.right);
            open.add(best);
        }
        return open.get(0);
    }

    /** Multiply-adds of all pairs below a node. */
    double cost(Node node) {
        return node instanceof Pair p
                ? cost(p.left) + cost(p.right) + size(p.left.labels() | p.right.labels())
                : 0;
    }

    // ---- text ------------------------------------------------------------------------------------------------------

    /** The steps in the order they run, one a line, under a line of totals. */
    String explain() {
        int n = spec.operands();
        StringBuilder head = new StringBuilder("einsum ").append(spec).append(": ").append(n)
                .append(n == 1 ? " operand, " : " operands, ");
        if (empty) {
            return head + "no steps: an axis is empty, zeros " + bound.shape();
        }
        List<String> steps = new ArrayList<>();
        double[] totals = new double[2];
        explain(root, steps, totals);
        if (steps.isEmpty()) {
            return head + "no steps: a view " + bound.shape();
        }
        head.append(steps.size()).append(steps.size() == 1 ? " step, " : " steps, ").append(number(totals[0]))
                .append(" flops, ");
        head.append(totals[1] == 0 ? "no intermediate" : "largest intermediate " + number(totals[1]) + " elements");
        for (int i = 0; i < steps.size(); i++) {
            head.append("\n  ").append(i + 1).append("  ").append(steps.get(i));
        }
        return head.toString();
    }

    private void explain(Node node, List<String> steps, double[] totals) {
        switch (node) {
            case Leaf l -> {
                if (l.given != l.labels) {
                    steps.add("sum     " + text(l.given) + " -> " + text(l.labels) + "  " + number(size(l.given))
                            + " flops");
                    add(node, size(l.given), totals);
                }
            }
            case Pair p -> {
                explain(p.left, steps, totals);
                explain(p.right, steps, totals);
                long a = p.left.labels();
                long b = p.right.labels();
                long k = a & b & ~p.labels;
                double flops = size(a | b) * (k == 0 ? 1 : 2);
                StringBuilder s = new StringBuilder(
                        k == 0 ? "mul     " : isShortDots(p) ? "mulsum  " : "matmul  ");
                s.append(text(a)).append(", ").append(text(b)).append(" -> ").append(text(p.labels)).append("  ");
                if (k != 0) {
                    s.append("batch ").append(number(size(a & b & p.labels))).append(", m ")
                            .append(number(size(a & ~b)))
                            .append(", n ").append(number(size(b & ~a))).append(", k ").append(number(size(k)))
                            .append(", ");
                }
                steps.add(s.append(number(flops)).append(" flops").toString());
                add(node, flops, totals);
            }
        }
    }

    private void add(Node node, double flops, double[] totals) {
        totals[0] += flops;
        if (node != root) {
            totals[1] = Math.max(totals[1], size(node.labels()));
        }
    }

    private String text(long labels) {
        int[] l = new int[Long.bitCount(labels)];
        long[] d = new long[l.length];
        int n = 0;
        long ellipsis = labels & -1L << EinsumSpec.FIRST_ELLIPSIS;
        for (long rest = ellipsis; rest != 0; rest &= ~Long.highestOneBit(rest)) {
            l[n++] = 63 - Long.numberOfLeadingZeros(rest);
        }
        for (long rest = labels & ~ellipsis; rest != 0; rest &= rest - 1) {
            l[n++] = Long.numberOfTrailingZeros(rest);
        }
        for (int i = 0; i < n; i++) {
            d[i] = bound.sizes()[l[i]];
        }
        return EinsumSpec.text(l) + " " + Shape.of(d);
    }

    private static String number(double x) {
        return x < 1e6 ? Long.toString((long) x) : String.format(Locale.ROOT, "%.3g", x);
    }
}
