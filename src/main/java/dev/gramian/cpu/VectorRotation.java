package dev.gramian.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** {@link Rotation} of F32 rows by the Vector API, bit for bit as the plain loops: products round before they are added. */
final class VectorRotation {
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final int L = F.length();

    /** Neighbours exchanged. */
    private static final VectorShuffle<Float> SWAP = VectorShuffle.fromOp(F, i -> i ^ 1);
    /** Each of the first, or last, half's elements twice. */
    private static final VectorShuffle<Float> LOW = VectorShuffle.fromOp(F, i -> i >> 1);
    private static final VectorShuffle<Float> HIGH = VectorShuffle.fromOp(F, i -> L / 2 + (i >> 1));
    private static final FloatVector SIGN = sign();

    private VectorRotation() {}

    private static FloatVector sign() {
        float[] s = new float[L];
        for (int i = 0; i < L; i++) {
            s[i] = i % 2 == 0 ? -1 : 1;
        }
        return FloatVector.fromArray(F, s, 0);
    }

    private static FloatVector load(long a) {
        return FloatVector.fromMemorySegment(F, Mem.ALL, a, LE);
    }

    static void halves(long x, long cos, long sin, long y, long n) {
        long i = 0;
        for (; i <= n - L; i += L) {
            FloatVector c = load(cos + 4 * i);
            FloatVector s = load(sin + 4 * i);
            FloatVector a = load(x + 4 * i);
            FloatVector b = load(x + 4 * (i + n));
            a.mul(c).sub(b.mul(s)).intoMemorySegment(Mem.ALL, y + 4 * i, LE);
            b.mul(c).add(a.mul(s)).intoMemorySegment(Mem.ALL, y + 4 * (i + n), LE);
        }
        Rotation.halvesF32(x, cos, sin, y, i, n, n);
    }

    static void interleaved(long x, long cos, long sin, long y, long n) {
        long i = 0;
        for (; i <= n - L; i += L) {
            FloatVector c = load(cos + 4 * i);
            FloatVector s = load(sin + 4 * i);
            FloatVector p = load(x + 8 * i);
            FloatVector q = load(x + 8 * i + 4 * L);
            // (-b, a) times (sin, sin): a sign changes nothing about rounding
            p.mul(c.rearrange(LOW)).add(p.rearrange(SWAP).mul(s.rearrange(LOW)).mul(SIGN))
                    .intoMemorySegment(Mem.ALL, y + 8 * i, LE);
            q.mul(c.rearrange(HIGH)).add(q.rearrange(SWAP).mul(s.rearrange(HIGH)).mul(SIGN))
                    .intoMemorySegment(Mem.ALL, y + 8 * i + 4 * L, LE);
        }
        Rotation.interleavedF32(x, cos, sin, y, i, n);
    }
}
