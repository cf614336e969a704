package dev.gramian.peers;

import java.util.List;
import java.util.stream.IntStream;
import org.ojalgo.OjAlgoUtils;
import org.ojalgo.function.PrimitiveFunction;
import org.ojalgo.function.constant.PrimitiveMath;
import org.ojalgo.matrix.decomposition.Eigenvalue;
import org.ojalgo.matrix.decomposition.SingularValue;
import org.ojalgo.matrix.store.MatrixStore;
import org.ojalgo.matrix.store.R032Store;

/** ojAlgo's float32 matrices; it decomposes in float64 only, which is what its decompositions do here. */
public final class OjalgoPeer implements Peer {
    @Override
    public String version() {
        return Peer.jar(OjAlgoUtils.class) + "; decompositions in float64";
    }

    @Override
    public void threads(int count) {
        OjAlgoUtils.limitThreadsTo(count);
        OjAlgoUtils.limitCoresTo(count);
    }

    private static R032Store matrix(Operand o, long batch, int rows, int columns) {
        float[] x = o.shape().length == 3 ? o.floats(batch) : o.floats();
        R032Store m = R032Store.FACTORY.make(rows, columns);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                m.set(i, j, x[i * columns + j]);
            }
        }
        return m;
    }

    private static float[] floats(MatrixStore<Double> m, int rows, int columns) {
        return Peer.floats(rows, columns, m::doubleValue);
    }

    private static float[][] only(MatrixStore<Double> m) {
        return new float[][] {floats(m, m.getRowDim(), m.getColDim())};
    }

    /** Decomposed by the last call, its parts computed. */
    private record Svd(MatrixStore<Double> u, double[] s, MatrixStore<Double> v) {
        static Svd of(R032Store a) {
            SingularValue<Double> d = SingularValue.R064.make(a);
            if (!d.decompose(a)) {
                throw new IllegalStateException("svd: did not converge");
            }
            double[] s = new double[Math.min(a.getRowDim(), a.getColDim())];
            d.getSingularValues(s);
            return new Svd(d.getU(), s, d.getV());
        }

        float[][] values(int m, int n, int rank) {
            return new float[][] {floats(u, m, rank), Peer.floats(1, rank, (i, j) -> s[j]),
                Peer.floats(rank, n, (i, j) -> v.doubleValue(j, i))};
        }
    }

    @Override
    public Task task(Work w) {
        List<Operand> in = w.operands();
        return switch (w.kind()) {
            case GEMM -> {
                R032Store a = matrix(in.get(0), 0, w.size(0), w.size(2));
                R032Store b = matrix(in.get(1), 0, w.size(2), w.size(1));
                yield Task.of(() -> a.multiply(b), OjalgoPeer::only);
            }
            case BGEMM -> {
                List<R032Store> a = IntStream.range(0, w.size(0))
                        .mapToObj(i -> matrix(in.get(0), i, w.size(1), w.size(3))).toList();
                List<R032Store> b = IntStream.range(0, w.size(0))
                        .mapToObj(i -> matrix(in.get(1), i, w.size(3), w.size(2))).toList();
                yield Task.of(() -> IntStream.range(0, a.size()).mapToObj(i -> a.get(i).multiply(b.get(i))).toList(),
                        all -> Peer.joinedEach(all.stream().map(OjalgoPeer::only).toList()));
            }
            case SVD -> {
                int m = w.size(1);
                int n = w.size(2);
                List<R032Store> a = IntStream.range(0, w.size(0)).mapToObj(i -> matrix(in.getFirst(), i, m, n))
                        .toList();
                yield Task.of(() -> a.stream().map(Svd::of).toList(),
                        all -> Peer.joinedEach(all.stream().map(d -> d.values(m, n, Math.min(m, n))).toList()));
            }
            case RANK -> {
                R032Store a = matrix(in.getFirst(), 0, w.size(0), w.size(1));
                yield Task.of(() -> Svd.of(a), d -> d.values(w.size(0), w.size(1), w.size(2)));
            }
            case EIGH -> {
                int n = w.size(0);
                R032Store a = matrix(in.getFirst(), 0, n, n);
                yield Task.of(() -> {
                    Eigenvalue<Double> d = Eigenvalue.R064.make(n, true);
                    if (!d.decompose(a)) {
                        throw new IllegalStateException("eigenvalue: did not converge");
                    }
                    d.getV();
                    return d;
                }, OjalgoPeer::ascending);
            }
            case ADD -> {
                R032Store a = matrix(in.get(0), 0, 1, w.size(0));
                R032Store b = matrix(in.get(1), 0, 1, w.size(0));
                yield Task.of(() -> a.add(b).copy(), OjalgoPeer::only);
            }
            case EXP -> map(w, PrimitiveMath.EXP);
            case TANH -> map(w, PrimitiveMath.TANH);
            case TRANSPOSE -> {
                R032Store a = matrix(in.getFirst(), 0, w.size(0), w.size(1));
                yield Task.of(() -> a.transpose().copy(), OjalgoPeer::only);
            }
            case ATTENTION, CAUSAL, DECODE, SOFTMAX, LAYERNORM -> null;
        };
    }

    private static Task map(Work w, PrimitiveFunction.Unary f) {
        R032Store a = matrix(w.operands().getFirst(), 0, w.size(0), w.size(1));
        return Task.of(() -> a.onAll(f).collect(R032Store.FACTORY), OjalgoPeer::only);
    }

    private static float[][] ascending(Eigenvalue<Double> d) {
        MatrixStore<Double> v = d.getV();
        int n = v.getColDim();
        double[] values = new double[n];
        d.getEigenvalues(values, java.util.Optional.empty());
        int[] order = IntStream.range(0, n).boxed().sorted((i, j) -> Double.compare(values[i], values[j]))
                .mapToInt(Integer::intValue).toArray();
        return new float[][] {Peer.floats(1, n, (i, j) -> values[order[j]]),
            Peer.floats(n, n, (i, j) -> v.doubleValue(i, order[j]))};
    }
}
