package dev.gramian.peers;

import dev.gramian.Device;
import dev.gramian.Norms;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.core.DType;
import dev.gramian.linalg.Eigh;
import dev.gramian.linalg.Linalg;
import dev.gramian.linalg.RandomizedSvd;
import dev.gramian.linalg.Svd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Supplier;

/** Gramian on the device that the property peers.device names, on -Dgramian.threads; each call in a scope of its own. */
public final class GramianPeer implements Peer {
    private final Device device = Device.of(System.getProperty("peers.device"));

    @Override
    public String version() {
        return device.name() + ", " + device.description();
    }

    @Override
    public void threads(int count) {
        if (count != Integer.getInteger("gramian.threads")) {
            throw new IllegalStateException("gramian.threads differs from " + count);
        }
    }

    @Override
    public Task task(Work w) {
        Scope scope = device.open();
        List<Tensor> in = w.operands().stream().map(o -> tensor(scope, o)).toList();
        Tensor x = in.getFirst();
        Tensor y = in.size() > 1 ? in.get(1) : null;
        Tensor z = in.size() > 2 ? in.get(2) : null;
        Attention plain = Attention.scaled();
        Attention causal = plain.causal();

        Tensor one = w.kind() == Kind.SVD && w.size(0) == 1 ? x.select(0, 0) : x;
        RandomizedSvd sampler = new RandomizedSvd(1);
        Supplier<Tensor[]> work = switch (w.kind()) {
            case GEMM, BGEMM -> () -> only(x.matmul(y));
            case ATTENTION, DECODE -> () -> only(plain.apply(x, y, z).output());
            case CAUSAL -> () -> only(causal.apply(x, y, z).output());
            case SOFTMAX -> () -> only(x.softmax(-1));
            case LAYERNORM -> () -> only(Norms.layerNorm(x, y, z, 1e-5));
            case SVD -> () -> parts(Linalg.svd(one));
            case RANK -> () -> parts(sampler.ofRank(x, w.size(2)).svd());
            case EIGH -> () -> {
                Eigh e = Linalg.eigh(x);
                return new Tensor[] {e.w(), e.v()};
            };
            case ADD -> () -> only(x.add(y));
            case EXP -> () -> only(x.exp());
            case TANH -> () -> only(x.tanh());
            case TRANSPOSE -> () -> only(x.transpose(0, 1).contiguous());
        };
        return new Task() {
            @Override
            public void run() {
                try (Scope s = device.open()) {
                    work.get();
                }
            }

            @Override
            public float[][] result() {
                try (Scope s = device.open()) {
                    Tensor[] out = work.get();
                    float[][] values = new float[out.length][];
                    for (int i = 0; i < out.length; i++) {
                        values[i] = out[i].toFloatArray();
                    }
                    return values;
                }
            }

            @Override
            public void close() {
                scope.close();
            }
        };
    }

    private static Tensor[] only(Tensor t) {
        return new Tensor[] {t};
    }

    private static Tensor[] parts(Svd svd) {
        return new Tensor[] {svd.u(), svd.s(), svd.vt()};
    }

    private static Tensor tensor(Scope scope, Operand o) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(o.size() * Float.BYTES, 64);
            o.pieces((from, values, count) -> MemorySegment.copy(values, 0, bytes, ValueLayout.JAVA_FLOAT,
                    from * Float.BYTES, count));
            return scope.tensor(bytes, DType.F32, o.shape());
        }
    }
}
