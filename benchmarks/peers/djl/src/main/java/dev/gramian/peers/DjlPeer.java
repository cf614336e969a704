package dev.gramian.peers;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.pytorch.jni.JniUtils;
import java.util.List;
import java.util.function.Supplier;

/** Deep Java Library's NDArray on its PyTorch engine. It has no attention and no decompositions. */
public final class DjlPeer implements Peer {
    private static final long MOST_SCORES = 1L << 30;

    private final NDManager base = NDManager.newBaseManager();

    @Override
    public String version() {
        return Peer.jar(Engine.class) + ", " + Engine.getInstance().getEngineName() + " " + Engine.getInstance().getVersion();
    }

    @Override
    public void threads(int count) {
        JniUtils.setNumThreads(count);
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
        if (w.kind() == Kind.SVD || w.kind() == Kind.RANK || w.kind() == Kind.EIGH) {
            return null;
        }
        NDManager owner = base.newSubManager();
        List<NDArray> in = w.operands().stream().map(o -> owner.create(o.floats(), new Shape(o.shape()))).toList();
        NDArray x = in.getFirst();
        NDArray y = in.size() > 1 ? in.get(1) : null;
        NDArray z = in.size() > 2 ? in.get(2) : null;
        NDArray blocked = w.kind() == Kind.CAUSAL ? blocked(owner, w.size(2)) : null;
        Supplier<NDArray> work = switch (w.kind()) {
            case GEMM, BGEMM -> () -> x.matMul(y);
            case ATTENTION, CAUSAL, DECODE -> () -> attention(x, y, z, blocked);
            case SOFTMAX -> () -> x.softmax(-1);
            case LAYERNORM -> () -> LayerNorm.layerNorm(x, new Shape(d[1]), y, z, 1e-5f).singletonOrThrow();
            case ADD -> () -> x.add(y);
            case EXP -> x::exp;
            case TANH -> x::tanh;
            // the transpose is a view, which cannot be flattened without the copy that is asked for
            case TRANSPOSE -> () -> x.transpose().flatten();
            case SVD, RANK, EIGH -> throw new AssertionError();
        };
        return new Task() {
            private NDArray run(NDManager s) {
                in.forEach(a -> a.attach(s));
                if (blocked != null) {
                    blocked.attach(s);
                }
                try {
                    return work.get();
                } finally {
                    in.forEach(a -> a.attach(owner));
                    if (blocked != null) {
                        blocked.attach(owner);
                    }
                }
            }

            @Override
            public void run() {
                try (NDManager s = base.newSubManager()) {
                    run(s);
                }
            }

            @Override
            public float[][] result() {
                try (NDManager s = base.newSubManager()) {
                    return new float[][] {run(s).toFloatArray()};
                }
            }

            @Override
            public void close() {
                owner.close();
            }
        };
    }

    private static NDArray attention(NDArray q, NDArray k, NDArray v, NDArray blocked) {
        double scale = 1 / Math.sqrt(q.getShape().get(3));
        NDArray scores = q.matMul(k.swapAxes(2, 3)).mul(scale);
        return (blocked == null ? scores : scores.add(blocked)).softmax(-1).matMul(v);
    }

    /** Zeros, and minus infinity where a position must not look. */
    private static NDArray blocked(NDManager m, int length) {
        return m.create(Peer.floats(length, length, (i, j) -> j <= i ? 0 : Double.NEGATIVE_INFINITY),
                new Shape(length, length));
    }
}
