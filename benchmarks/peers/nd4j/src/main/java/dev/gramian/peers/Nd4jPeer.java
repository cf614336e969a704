package dev.gramian.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.eigen.Eigen;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/** ND4J on its CPU backend; attention is composed, as its own operation wants another layout. */
public final class Nd4jPeer implements Peer {
    private static final long MOST_SCORES = 1L << 30;

    public Nd4jPeer() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    @Override
    public String version() {
        return Peer.jar(Nd4j.class) + ", "
                + Nd4j.getBackend().getClass().getSimpleName() + ", BLAS "
                + Nd4j.factory().blas().getBlasVendor();
    }

    @Override
    public void threads(int count) {
        Nd4j.getEnvironment().setMaxThreads(count);
        Nd4j.getEnvironment().setMaxMasterThreads(count);
        Nd4j.factory().blas().setMaxThreads(count);
    }

    @Override
    public Task task(Work w) {
        long[] d = w.sizes();
        if (w.kind() == Kind.ATTENTION || w.kind() == Kind.CAUSAL) {
            long bytes = Float.BYTES * d[0] * d[1] * d[2] * d[2];
            if (bytes > MOST_SCORES) {
                throw new Declined("left out: the scores take " + (bytes >> 20) + " MiB");
            }
        }
        List<INDArray> in = new ArrayList<>();
        w.operands().forEach(o -> in.add(Nd4j.create(o.floats(), o.shape())));
        INDArray x = in.getFirst();
        INDArray y = in.size() > 1 ? in.get(1) : null;
        INDArray z = in.size() > 2 ? in.get(2) : null;
        if (w.kind() == Kind.CAUSAL) {
            int n = w.size(2);
            in.add(Nd4j.create(Peer.floats(n, n, (i, j) -> j <= i ? 0 : -1e9), 1, 1, n, n));
        }
        INDArray blocked = w.kind() == Kind.CAUSAL ? in.getLast() : null;
        Supplier<INDArray[]> work = switch (w.kind()) {
            case GEMM, BGEMM -> () -> only(Nd4j.matmul(x, y));
            case ATTENTION, CAUSAL, DECODE -> () -> only(attention(x, y, z, blocked));
            case SOFTMAX -> () -> only(Nd4j.nn().softmax(x, -1));
            case LAYERNORM -> () -> only(Nd4j.nn().layerNorm(x, y, z, false, 1));
            case SVD -> {
                if (d[1] != d[2] || d[0] != 1) {
                    yield null;
                }
                INDArray one = x.reshape(d[1], d[2]);
                yield () -> svd(one, w.size(1));
            }
            case RANK -> d[0] == d[1] ? () -> svd(x, w.size(2)) : null;
            case EIGH -> () -> {
                INDArray v = x.dup('f');
                INDArray values = Eigen.symmetricGeneralizedEigenvalues(v, true);
                return new INDArray[] {values, v};
            };
            case ADD -> () -> only(x.add(y));
            case EXP -> () -> only(Transforms.exp(x));
            case TANH -> () -> only(Transforms.tanh(x));
            case TRANSPOSE -> () -> only(x.transpose().dup('c'));
        };
        if (work == null) {
            return null;
        }
        return new Task() {
            @Override
            public void run() {
                for (INDArray a : work.get()) {
                    a.close();
                }
            }

            @Override
            public float[][] result() {
                INDArray[] out = work.get();
                float[][] values = new float[out.length][];
                for (int i = 0; i < out.length; i++) {
                    values[i] = out[i].dup('c').data().asFloat();
                }
                return values;
            }

            @Override
            public void close() {
                in.forEach(INDArray::close);
            }
        };
    }

    private static INDArray[] only(INDArray a) {
        return new INDArray[] {a};
    }

    private static INDArray attention(INDArray q, INDArray k, INDArray v, INDArray blocked) {
        INDArray scores = Nd4j.matmul(q, k, false, true, false).muli(1 / Math.sqrt(q.size(3)));
        if (blocked != null) {
            scores.addi(blocked);
        }
        INDArray weights = Nd4j.nn().softmax(scores, -1);
        INDArray out = Nd4j.matmul(weights, v);
        scores.close();
        weights.close();
        return out;
    }

    /** gesvd of a square matrix, whose thin and full decompositions are the same. */
    private static INDArray[] svd(INDArray a, int rank) {
        int n = Math.toIntExact(a.rows());
        INDArray u = Nd4j.create(DataType.FLOAT, new long[] {n, n}, 'f');
        INDArray s = Nd4j.create(DataType.FLOAT, n);
        INDArray vt = Nd4j.create(DataType.FLOAT, new long[] {n, n}, 'f');
        INDArray x = a.dup('f');
        Nd4j.getBlasWrapper().lapack().gesvd(x, s, u, vt);
        x.close();
        if (rank == n) {
            return new INDArray[] {u, s, vt};
        }
        INDArray[] first = {u.get(NDArrayIndex.all(),
                NDArrayIndex.interval(0, rank)).dup(),
            s.get(NDArrayIndex.interval(0, rank)).dup(),
            vt.get(NDArrayIndex.interval(0, rank),
                    NDArrayIndex.all()).dup()};
        u.close();
        s.close();
        vt.close();
        return first;
    }
}
