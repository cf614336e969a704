package dev.gramian.adapt;

import dev.gramian.Indexing;
import dev.gramian.Join;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.ShapeException;
import java.util.ArrayList;
import java.util.List;

/**
 * Several adapters of one layer at work in one batch. The base takes all rows in one product; rows of one adapter are brought
 * together and pass its two thin products, of whatever rank.
 */
public record LoraBatch(List<LoraPair> adapters) {

    public LoraBatch {
        adapters = List.copyOf(adapters);
        for (LoraPair p : adapters) {
            LoraPair first = adapters.get(0);
            if (p.a().dim(1) != first.a().dim(1) || p.b().dim(0) != first.b().dim(0)) {
                throw new ShapeException("lora: adapters of different layers; a " + first.a().shape() + ", b "
                        + first.b().shape() + " and a " + p.a().shape() + ", b " + p.b().shape()
                        + "; only their ranks may differ");
            }
        }
    }

    /** x wᵀ + the side path of adapter index[i] for row i of x (rows, ..., in); -1 is none. */
    public Tensor apply(Tensor x, Tensor w, int... index) {
        if (x.rank() < 2 || index.length != x.dim(0)) {
            throw new ShapeException("lora: needs one index a row; x " + x.shape() + ", " + index.length
                    + " indices; x is (rows, ..., in)");
        }
        for (int i : index) {
            if (i < -1 || i >= adapters.size()) {
                throw new ShapeException("lora: no such adapter; index " + i + " of " + adapters.size()
                        + "; use 0 to " + (adapters.size() - 1) + ", or -1 for none");
            }
        }
        try (Scope s = Scope.inner("lora", x.device())) {
            Tensor y = x.matmul(w.transpose(0, 1));
            long[] order = new long[index.length];
            long[] place = new long[index.length];
            List<Tensor> sides = new ArrayList<>();
            int done = count(index, -1, order, 0);
            if (done == index.length) {
                return s.keep(y);
            }
            if (done > 0) {
                sides.add(s.zeros(y.dtype(), 1).expand(y.slice(0, 0, done).shape().toArray()));
            }
            int first = done;
            for (int k = 0; k < adapters.size(); k++) {
                done = count(index, k, order, done);
            }
            Tensor sorted = Indexing.gather(x, 0, order);
            for (int from = first; from < order.length;) {
                int adapter = index[(int) order[from]];
                int to = from;
                while (to < order.length && index[(int) order[to]] == adapter) {
                    to++;
                }
                sides.add(adapters.get(adapter).side(sorted.slice(0, from, to)));
                from = to;
            }
            for (int i = 0; i < order.length; i++) {
                place[(int) order[i]] = i;
            }
            return s.keep(y.add(Indexing.gather(Join.concat(0, sides.toArray(Tensor[]::new)), 0, place)));
        }
    }

    /** Rows of an adapter, put into {@code order} from {@code at} on; returns where they end. */
    private static int count(int[] index, int adapter, long[] order, int at) {
        for (int i = 0; i < index.length; i++) {
            if (index[i] == adapter) {
                order[at++] = i;
            }
        }
        return at;
    }
}
