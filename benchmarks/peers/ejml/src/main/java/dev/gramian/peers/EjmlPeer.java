package dev.gramian.peers;

import java.util.List;
import java.util.stream.IntStream;
import org.ejml.concurrency.EjmlConcurrency;
import org.ejml.data.FMatrixRMaj;
import org.ejml.dense.row.CommonOps_FDRM;
import org.ejml.dense.row.CommonOps_MT_FDRM;
import org.ejml.dense.row.factory.DecompositionFactory_FDRM;
import org.ejml.dense.row.factory.DecompositionFactory_MT_FDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F32;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F32;

/** EJML's float32 matrices; the concurrent forms of its procedures on several threads. */
public final class EjmlPeer implements Peer {
    private boolean concurrent;

    @Override
    public String version() {
        return Peer.jar(FMatrixRMaj.class);
    }

    @Override
    public void threads(int count) {
        EjmlConcurrency.setMaxThreads(count);
        concurrent = count > 1;
    }

    private static FMatrixRMaj matrix(Operand o, long batch, int rows, int columns) {
        return FMatrixRMaj.wrap(rows, columns, o.shape().length == 3 ? o.floats(batch) : o.floats());
    }

    private FMatrixRMaj times(FMatrixRMaj a, FMatrixRMaj b) {
        FMatrixRMaj c = new FMatrixRMaj(a.numRows, b.numCols);
        return concurrent ? CommonOps_MT_FDRM.mult(a, b, c) : CommonOps_FDRM.mult(a, b, c);
    }

    private SingularValueDecomposition_F32<FMatrixRMaj> svd(FMatrixRMaj a) {
        SingularValueDecomposition_F32<FMatrixRMaj> d = concurrent
                ? DecompositionFactory_MT_FDRM.svd(a.numRows, a.numCols, true, true, true)
                : DecompositionFactory_FDRM.svd(a.numRows, a.numCols, true, true, true);
        if (!d.decompose(d.inputModified() ? a.copy() : a)) {
            throw new IllegalStateException("svd: did not converge");
        }
        return d;
    }

    /** Its values are in no order. */
    private static float[][] values(SingularValueDecomposition_F32<FMatrixRMaj> d, int rank) {
        FMatrixRMaj u = d.getU(null, false);
        FMatrixRMaj vt = d.getV(null, true);
        float[] s = d.getSingularValues();
        int[] order = IntStream.range(0, d.numberOfSingularValues()).boxed()
                .sorted((i, j) -> Float.compare(s[j], s[i])).limit(rank).mapToInt(Integer::intValue).toArray();
        return new float[][] {Peer.floats(u.numRows, order.length, (i, j) -> u.get(i, order[j])),
            Peer.floats(1, order.length, (i, j) -> s[order[j]]),
            Peer.floats(order.length, vt.numCols, (i, j) -> vt.get(order[i], j))};
    }

    @Override
    public Task task(Work w) {
        List<Operand> in = w.operands();
        return switch (w.kind()) {
            case GEMM -> {
                FMatrixRMaj a = matrix(in.get(0), 0, w.size(0), w.size(2));
                FMatrixRMaj b = matrix(in.get(1), 0, w.size(2), w.size(1));
                yield Task.of(() -> times(a, b), c -> new float[][] {c.data});
            }
            case BGEMM -> {
                List<FMatrixRMaj> a = IntStream.range(0, w.size(0))
                        .mapToObj(i -> matrix(in.get(0), i, w.size(1), w.size(3))).toList();
                List<FMatrixRMaj> b = IntStream.range(0, w.size(0))
                        .mapToObj(i -> matrix(in.get(1), i, w.size(3), w.size(2))).toList();
                yield Task.of(() -> IntStream.range(0, a.size()).mapToObj(i -> times(a.get(i), b.get(i))).toList(),
                        all -> new float[][] {Peer.joined(all.stream().map(c -> c.data).toList())});
            }
            case SVD -> {
                List<FMatrixRMaj> a = IntStream.range(0, w.size(0))
                        .mapToObj(i -> matrix(in.getFirst(), i, w.size(1), w.size(2))).toList();
                yield Task.of(() -> a.stream().map(this::svd).toList(),
                        all -> Peer.joinedEach(all.stream().map(d -> values(d, Integer.MAX_VALUE)).toList()));
            }
            case RANK -> {
                FMatrixRMaj a = matrix(in.getFirst(), 0, w.size(0), w.size(1));
                yield Task.of(() -> svd(a), d -> values(d, w.size(2)));
            }
            case EIGH -> {
                int n = w.size(0);
                FMatrixRMaj a = matrix(in.getFirst(), 0, n, n);
                yield Task.of(() -> eigh(a), d -> {
                    int[] order = IntStream.range(0, n).boxed()
                            .sorted((i, j) -> Float.compare(d.getEigenvalue(i).real, d.getEigenvalue(j).real))
                            .mapToInt(Integer::intValue).toArray();
                    return new float[][] {Peer.floats(1, n, (i, j) -> d.getEigenvalue(order[j]).real),
                        Peer.floats(n, n, (i, j) -> d.getEigenVector(order[j]).get(i, 0))};
                });
            }
            case ADD -> {
                FMatrixRMaj a = matrix(in.get(0), 0, 1, w.size(0));
                FMatrixRMaj b = matrix(in.get(1), 0, 1, w.size(0));
                yield Task.of(() -> CommonOps_FDRM.add(a, b, new FMatrixRMaj(1, w.size(0))),
                        c -> new float[][] {c.data});
            }
            case EXP -> {
                FMatrixRMaj a = matrix(in.getFirst(), 0, w.size(0), w.size(1));
                yield Task.of(() -> CommonOps_FDRM.elementExp(a, new FMatrixRMaj(a.numRows, a.numCols)),
                        c -> new float[][] {c.data});
            }
            case TRANSPOSE -> {
                FMatrixRMaj a = matrix(in.getFirst(), 0, w.size(0), w.size(1));
                yield Task.of(() -> concurrent
                        ? CommonOps_MT_FDRM.transpose(a, null)
                        : CommonOps_FDRM.transpose(a, null), c -> new float[][] {c.data});
            }
            case ATTENTION, CAUSAL, DECODE, SOFTMAX, LAYERNORM, TANH -> null;
        };
    }

    private EigenDecomposition_F32<FMatrixRMaj> eigh(FMatrixRMaj a) {
        EigenDecomposition_F32<FMatrixRMaj> d = concurrent
                ? DecompositionFactory_MT_FDRM.eig(a.numRows, true, true)
                : DecompositionFactory_FDRM.eig(a.numRows, true, true);
        if (!d.decompose(d.inputModified() ? a.copy() : a)) {
            throw new IllegalStateException("eig: did not converge");
        }
        return d;
    }
}
