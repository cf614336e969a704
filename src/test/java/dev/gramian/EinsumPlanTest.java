package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.core.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The order of contraction, against costs counted here from the spec's text. */
final class EinsumPlanTest {
    private static double size(String labels, long[] sizes) {
        return labels.chars().distinct().mapToDouble(c -> sizes[c - 'a']).reduce(1, (x, y) -> x * y);
    }

    private static String kept(String labels, List<String> others, String out) {
        String needed = String.join("", others) + out;
        return labels.chars().distinct().filter(c -> needed.indexOf(c) >= 0)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
    }

    /** Terms without the labels that they alone have. */
    private static List<String> reduced(List<String> terms, String out) {
        List<String> r = new ArrayList<>();
        for (int i = 0; i < terms.size(); i++) {
            List<String> others = new ArrayList<>(terms);
            others.remove(i);
            r.add(kept(terms.get(i), others, out));
        }
        return r;
    }

    private static double leftToRight(List<String> terms, String out, long[] sizes) {
        String left = terms.get(0);
        double cost = 0;
        for (int i = 1; i < terms.size(); i++) {
            cost += size(left + terms.get(i), sizes);
            left = kept(left + terms.get(i), terms.subList(i + 1, terms.size()), out);
        }
        return cost;
    }

    /** The cheapest of all orders. */
    private static double least(List<String> terms, String out, long[] sizes) {
        if (terms.size() == 1) {
            return 0;
        }
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < terms.size(); i++) {
            for (int j = i + 1; j < terms.size(); j++) {
                List<String> rest = new ArrayList<>(terms);
                rest.remove(j);
                rest.remove(i);
                String both = terms.get(i) + terms.get(j);
                double cost = size(both, sizes);
                rest.add(kept(both, rest, out));
                best = Math.min(best, cost + least(rest, out, sizes));
            }
        }
        return best;
    }

    @Test
    void costIsTheLeastAndNeverAboveLeftToRight() {
        long first = Seed.VALUE;
        int cheaper = 0;
        for (long seed = first; seed < first + 300; seed++) {
            Random random = new Random(seed);
            long[] sizes = new long[10];
            for (int l = 0; l < sizes.length; l++) {
                sizes[l] = 2 + random.nextInt(30);
            }
            int n = 2 + random.nextInt(11);
            List<String> terms = new ArrayList<>();
            Shape[] shapes = new Shape[n];
            for (int o = 0; o < n; o++) {
                StringBuilder term = new StringBuilder();
                for (int i = random.nextInt(4); i >= 0; i--) {
                    char c = (char) ('a' + random.nextInt(sizes.length));
                    term.append(term.indexOf("" + c) < 0 ? "" + c : "");
                }
                terms.add(term.toString());
                shapes[o] = Shape.of(term.chars().mapToLong(c -> sizes[c - 'a']).toArray());
            }
            StringBuilder out = new StringBuilder();
            for (char c = 'a'; c < 'k'; c++) {
                out.append(random.nextInt(3) == 0 && String.join("", terms).indexOf(c) >= 0 ? "" + c : "");
            }
            String spec = String.join(",", terms) + "->" + out;
            EinsumPlan plan = new EinsumPlan(EinsumSpec.parse(spec), shapes);
            List<String> reduced = reduced(terms, out.toString());
            double left = leftToRight(reduced, out.toString(), sizes);
            double cost = plan.cost(plan.root());
            assertTrue(cost <= left, () -> spec + ": " + cost + " against " + left + " from left to right");
            cheaper += cost < left ? 1 : 0;
            if (n <= 5) {
                assertEquals(least(reduced, out.toString(), sizes), cost, "seed " + seed + " " + spec);
            }
        }
        assertTrue(cheaper > 100, "cheaper than left to right: " + cheaper);
    }

    private static void explains(String expected, String spec, Shape... shapes) {
        assertEquals(expected, Einsum.of(spec).explain(shapes));
    }

    @Test
    void explains() {
        explains("""
                einsum ij,jk,kl->il: 3 operands, 2 steps, 460 flops, largest intermediate 10 elements
                  1  matmul  ij [2, 20], jk [20, 5] -> ik [2, 5]  batch 1, m 2, n 5, k 20, 400 flops
                  2  matmul  ik [2, 5], kl [5, 3] -> il [2, 3]  batch 1, m 2, n 3, k 5, 60 flops""",
                "ij,jk,kl->il", Shape.of(2, 20), Shape.of(20, 5), Shape.of(5, 3));
        explains("""
                einsum i,jk->ik: 2 operands, 2 steps, 32 flops, largest intermediate 4 elements
                  1  sum     jk [5, 4] -> k [4]  20 flops
                  2  mul     i [3], k [4] -> ik [3, 4]  12 flops""",
                "i,jk->ik", Shape.of(3), Shape.of(5, 4));
        explains("""
                einsum ...ij,...jk: 2 operands, 1 step, 1.60e+07 flops, no intermediate
                  1  matmul  ...ij [1000, 2, 20], ...jk [1000, 20, 200] -> ...ik [1000, 2, 200]  \
                batch 1000, m 2, n 200, k 20, 1.60e+07 flops""",
                "...ij,...jk", Shape.of(1000, 2, 20), Shape.of(1000, 20, 200));
        explains("""
                einsum ib,ib->b: 2 operands, 1 step, 30 flops, no intermediate
                  1  mulsum  bi [5, 3], bi [5, 3] -> b [5]  batch 5, m 1, n 1, k 3, 30 flops""",
                "ib,ib->b", Shape.of(3, 5), Shape.of(3, 5));
        explains("einsum ij->ji: 1 operand, no steps: a view [3, 2]", "ij->ji", Shape.of(2, 3));
        explains("einsum ij->j: 1 operand, no steps: an axis is empty, zeros [3]", "ij->j", Shape.of(0, 3));
    }
}
