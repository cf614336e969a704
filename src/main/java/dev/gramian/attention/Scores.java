package dev.gramian.attention;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention.Stage;
import dev.gramian.attention.Problem.Operands;
import dev.gramian.core.Band;
import dev.gramian.core.DType;
import dev.gramian.core.Op;

/** Scores of attention step by step, by elementwise operations: what {@link Op.AttentionWeights} does at once. */
final class Scores {
    private final Attention a;
    private final Problem p;

    Scores(Attention a, Problem p) {
        this.a = a;
        this.p = p;
    }

    /** (..., Hkv, G, Lq, Lk). */
    Tensor at(Scope s, Stage stage) {
        Operands o = p.operands();
        Tensor x = s.run(new Op.Gemm(s.mathMode(), 1, p.compute(), false), o.q(), o.k().transpose(-2, -1))
                .mul(p.scale());
        if (stage == Stage.RAW) {
            return x;
        }
        if (a.softcap > 0) {
            x = x.div(a.softcap).tanh().mul(a.softcap);
        }
        if (stage == Stage.SOFTCAP) {
            return x;
        }
        Tensor blocked = s.scalar(p.compute(), Double.NEGATIVE_INFINITY);
        if (o.bias() != null) {
            Tensor bias = o.bias().to(p.compute());
            x = bias.eq(blocked).where(blocked, x.add(bias));
        }
        if (o.slopes() != null) {
            Tensor distance = keys(s).sub(places(s, o).add(o.center())).abs().to(p.compute());
            x = x.sub(o.slopes().unsqueeze(-1).unsqueeze(-1).mul(distance));
        }
        Tensor allowed = allowed(s, o);
        if (allowed != null) {
            x = allowed.where(x, blocked);
        }
        if (stage == Stage.MASKED || p.keys() == 0) {
            return x;
        }
        Tensor top = x.max(true, -1);
        if (o.sinks() != null) {
            top = top.maximum(o.sinks().unsqueeze(-1).unsqueeze(-1));
        }
        Tensor none = top.eq(blocked);
        Tensor e = x.sub(none.where(s.scalar(p.compute(), 0), top)).exp();
        Tensor sum = e.sum(true, -1);
        if (o.sinks() != null) {
            sum = sum.add(o.sinks().unsqueeze(-1).unsqueeze(-1).sub(top).exp());
        }
        return none.where(s.scalar(p.compute(), 0), e.div(sum));
    }

    private Tensor keys(Scope s) {
        return s.arange(DType.I64, p.keys());
    }

    /** (Lq, 1), or (..., 1, 1, Lq, 1) where sequences differ: where queries stand, but for the centre. */
    private Tensor places(Scope s, Operands o) {
        Tensor i = s.arange(DType.I64, p.queries()).unsqueeze(-1);
        return o.shifts() == null ? i : i.add(o.shifts().values().unsqueeze(-1).unsqueeze(-1));
    }

    /** Null where every query sees every key. */
    private Tensor allowed(Scope s, Operands o) {
        Tensor all = o.mask();
        Band band = o.band();
        Tensor j = keys(s);
        // bounds beyond any key, so that sums stay in range
        long far = 1L << 52;
        if (band.last() != Long.MAX_VALUE) {
            all = and(all, j.le(places(s, o).add(Math.max(-far, Math.min(far, band.last())))));
        }
        if (band.first() != Long.MIN_VALUE) {
            all = and(all, j.ge(places(s, o).add(Math.max(-far, Math.min(far, band.first())))));
        }
        if (o.lengths() != null) {
            all = and(all, j.lt(o.lengths().values().unsqueeze(-1).unsqueeze(-1)));
        }
        return all;
    }

    private static Tensor and(Tensor x, Tensor y) {
        return x == null ? y : x.and(y);
    }
}
