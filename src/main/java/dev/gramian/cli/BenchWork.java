package dev.gramian.cli;

import dev.gramian.Norms;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.core.DType;
import dev.gramian.core.SvdMode;
import dev.gramian.linalg.Linalg;
import java.util.List;
import java.util.function.Supplier;

/** The works that {@code gramian bench} times: what they do, at which shapes, and what they cost at least. */
enum BenchWork {
    GEMM("M,N,K", "512,512,512", "1024,1024,1024", "2048,2048,2048", "4096,768,768") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor a = s.normal(t, 1, d[0], d[2]);
            Tensor b = s.normal(t, 2, d[2], d[1]);
            return new Case(() -> a.matmul(b), 2.0 * d[0] * d[1] * d[2],
                    t.bytes() * (double) (d[0] * d[2] + d[2] * d[1] + d[0] * d[1]));
        }
    },
    BGEMM("B,M,N,K", "96,512,512,64", "96,512,64,512", "1024,64,64,64") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor a = s.normal(t, 1, d[0], d[1], d[3]);
            Tensor b = s.normal(t, 2, d[0], d[3], d[2]);
            return new Case(() -> a.matmul(b), 2.0 * d[0] * d[1] * d[2] * d[3],
                    t.bytes() * (double) d[0] * (d[1] * d[3] + d[3] * d[2] + d[1] * d[2]));
        }
    },
    MATVEC("M,N", "4096,4096") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor a = s.normal(t, 1, d);
            Tensor x = s.normal(t, 2, d[1]);
            return new Case(() -> a.matmul(x), 2.0 * d[0] * d[1], t.bytes() * (double) d[0] * d[1]);
        }
    },
    ATTENTION("B,H,L,D", "1,12,512,64", "8,12,512,64", "1,12,2048,64") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            return attention(s, t, d, Attention.scaled(), (double) d[2] * d[2]);
        }
    },
    CAUSAL("B,H,L,D", "1,12,512,64", "8,12,512,64", "1,12,2048,64") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            return attention(s, t, d, Attention.scaled().causal(), 0.5 * d[2] * (d[2] + 1));
        }
    },
    DECODE("B,H,KV_HEADS,L,D", "8,32,8,4096,128") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor q = s.normal(t, 1, d[0], d[1], 1, d[4]);
            Tensor k = s.normal(t, 2, d[0], d[2], d[3], d[4]);
            Tensor v = s.normal(t, 3, d[0], d[2], d[3], d[4]);
            return new Case(() -> Attention.attend(q, k, v), 4.0 * d[0] * d[1] * d[3] * d[4],
                    2.0 * t.bytes() * d[0] * d[2] * d[3] * d[4]);
        }
    },
    SOFTMAX("ROWS,N", "49152,512") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor x = s.normal(t, 1, d);
            return streaming(() -> x.softmax(-1), t, d, 2);
        }
    },
    LAYERNORM("ROWS,N", "4096,768") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor x = s.normal(t, 1, d);
            Tensor w = s.normal(t, 2, d[1]);
            Tensor b = s.normal(t, 3, d[1]);
            return streaming(() -> Norms.layerNorm(x, w, b, 1e-5), t, d, 2);
        }
    },
    ADD("ROWS,N", "16384,1024") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor x = s.normal(t, 1, d);
            Tensor y = s.normal(t, 2, d);
            return streaming(() -> x.add(y), t, d, 3);
        }
    },
    EXP("ROWS,N", "16384,1024") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor x = s.normal(t, 1, d);
            return streaming(x::exp, t, d, 2);
        }
    },
    SUM("ROWS,N", "16384,1024") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor x = s.normal(t, 1, d);
            return streaming(() -> x.sum(-1), t, d, 1);
        }
    },
    TRANSPOSE("ROWS,N", "4096,4096") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor x = s.normal(t, 1, d).transpose(-2, -1);
            return streaming(x::contiguous, t, d, 2);
        }
    },
    SVD("B,M,N", "1,768,768", "256,64,64", "1024,32,32") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor x = s.normal(t, 1, d);
            return new Case(() -> Linalg.svd(x, SvdMode.THIN), 0, 0);
        }
    },
    EIGH("B,N", "1,512", "256,64") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor x = s.normal(t, 1, d[0], d[1], d[1]);
            Tensor y = x.add(x.transpose(-2, -1));
            return new Case(() -> Linalg.eigh(y), 0, 0);
        }
    },
    SOLVE("B,N,R", "1,1024,1", "256,64,1") {
        @Override
        Case of(Scope s, DType t, long[] d) {
            Tensor a = s.normal(t, 1, d[0], d[1], d[1]);
            Tensor b = s.normal(t, 2, d[0], d[1], d[2]);
            double n = d[1];
            return new Case(() -> Linalg.solve(a, b), d[0] * (2 * n * n * n / 3 + 2 * n * n * d[2]), 0);
        }
    };

    /**
     * One work on operands that a scope holds.
     *
     * @param flops least arithmetic, 0 where it depends on the values
     * @param bytes least traffic with memory, 0 where that says nothing of the speed
     */
    record Case(Supplier<?> work, double flops, double bytes) {}

    private final String axes;
    private final List<String> shapes;

    BenchWork(String axes, String... shapes) {
        this.axes = axes;
        this.shapes = List.of(shapes);
    }

    /** Names of the numbers of a shape. */
    String axes() {
        return axes;
    }

    /** The shapes that are timed where none is asked for. */
    List<String> shapes() {
        return shapes;
    }

    int rank() {
        return axes.split(",").length;
    }

    /** Makes operands in {@code s}; {@code d} has {@link #rank} positive numbers. */
    abstract Case of(Scope s, DType t, long[] d);

    private static Case attention(Scope s, DType t, long[] d, Attention attention, double pairs) {
        Tensor q = s.normal(t, 1, d);
        Tensor k = s.normal(t, 2, d);
        Tensor v = s.normal(t, 3, d);
        double heads = (double) d[0] * d[1];
        return new Case(() -> attention.apply(q, k, v), 4 * heads * pairs * d[3],
                4.0 * t.bytes() * heads * d[2] * d[3]);
    }

    /** Work that passes over so many tensors of one shape. */
    private static Case streaming(Supplier<?> work, DType t, long[] d, int tensors) {
        return new Case(work, 0, (double) tensors * t.bytes() * d[0] * d[1]);
    }
}
