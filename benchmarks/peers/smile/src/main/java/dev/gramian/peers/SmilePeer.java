package dev.gramian.peers;

import java.util.List;
import java.util.stream.IntStream;
import smile.linalg.UPLO;
import smile.tensor.DenseMatrix;
import smile.tensor.EVD;
import smile.tensor.SVD;

/** Smile's float32 matrices, which call the OpenBLAS they find. */
public final class SmilePeer implements Peer {
    @Override
    public String version() {
        return Peer.jar(DenseMatrix.class);
    }

    /** Left to OPENBLAS_NUM_THREADS. */
    @Override
    public void threads(int count) {}

    private static DenseMatrix matrix(Operand o, long batch, int rows, int columns) {
        float[] x = o.shape().length == 3 ? o.floats(batch) : o.floats();
        float[][] m = new float[rows][];
        for (int i = 0; i < rows; i++) {
            m[i] = java.util.Arrays.copyOfRange(x, i * columns, (i + 1) * columns);
        }
        return DenseMatrix.of(m);
    }

    private static float[][] only(DenseMatrix m) {
        return new float[][] {Peer.floats(m.nrow(), m.ncol(), m::get)};
    }

    private static float[][] values(SVD d, int rank) {
        return new float[][] {Peer.floats(d.m(), rank, d.U()::get), Peer.floats(1, rank, (i, j) -> d.s().get(j)),
            Peer.floats(rank, d.n(), d.Vt()::get)};
    }

    @Override
    public Task task(Work w) {
        List<Operand> in = w.operands();
        return switch (w.kind()) {
            case GEMM -> {
                DenseMatrix a = matrix(in.get(0), 0, w.size(0), w.size(2));
                DenseMatrix b = matrix(in.get(1), 0, w.size(2), w.size(1));
                yield Task.of(() -> a.mm(b), SmilePeer::only);
            }
            case BGEMM -> {
                List<DenseMatrix> a = IntStream.range(0, w.size(0))
                        .mapToObj(i -> matrix(in.get(0), i, w.size(1), w.size(3))).toList();
                List<DenseMatrix> b = IntStream.range(0, w.size(0))
                        .mapToObj(i -> matrix(in.get(1), i, w.size(3), w.size(2))).toList();
                yield Task.of(() -> IntStream.range(0, a.size()).mapToObj(i -> a.get(i).mm(b.get(i))).toList(),
                        all -> Peer.joinedEach(all.stream().map(SmilePeer::only).toList()));
            }
            case SVD -> {
                List<DenseMatrix> a = IntStream.range(0, w.size(0))
                        .mapToObj(i -> matrix(in.getFirst(), i, w.size(1), w.size(2))).toList();
                // it overwrites the matrix
                yield Task.of(() -> a.stream().map(x -> x.copy().svd(true)).toList(), all -> Peer.joinedEach(
                        all.stream().map(d -> values(d, Math.min(w.size(1), w.size(2)))).toList()));
            }
            case RANK -> {
                DenseMatrix a = matrix(in.getFirst(), 0, w.size(0), w.size(1));
                yield Task.of(() -> a.copy().svd(true), d -> values(d, w.size(2)));
            }
            case EIGH -> {
                DenseMatrix a = matrix(in.getFirst(), 0, w.size(0), w.size(0));
                yield Task.of(() -> a.copy().withUplo(UPLO.LOWER).eigen(false, true), SmilePeer::ascending);
            }
            case TRANSPOSE -> {
                DenseMatrix a = matrix(in.getFirst(), 0, w.size(0), w.size(1));
                yield Task.of(a::transpose, SmilePeer::only);
            }
            case ATTENTION, CAUSAL, DECODE, SOFTMAX, LAYERNORM, ADD, EXP, TANH -> null;
        };
    }

    private static float[][] ascending(EVD d) {
        int n = d.wr().size();
        int[] order = IntStream.range(0, n).boxed().sorted((i, j) -> Double.compare(d.wr().get(i), d.wr().get(j)))
                .mapToInt(Integer::intValue).toArray();
        return new float[][] {Peer.floats(1, n, (i, j) -> d.wr().get(order[j])),
            Peer.floats(n, n, (i, j) -> d.Vr().get(i, order[j]))};
    }
}
