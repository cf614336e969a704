package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Philox;

/** Loops that make elements from numbers, and the choice between two operands. */
final class Fills {
    private static final int BLOCK = Elementwise.BLOCK;

    private Fills() {}

    /** n elements of {@code value}, converted as {@link Casts} does. */
    static void fill(DType type, long out, long n, double value) {
        int w = type.bytes();
        long head = Math.min(n, BLOCK);
        Casts.store(type, out, 0, value);
        long bits = w == 8 ? Mem.i64(out) : w == 4 ? Mem.i32(out) : w == 2 ? Mem.i16(out) : Mem.u8(out);
        for (long i = 1; i < head; i++) {
            switch (w) {
                case 8 -> Mem.i64(out + 8 * i, bits);
                case 4 -> Mem.i32(out + 4 * i, (int) bits);
                case 2 -> Mem.i16(out + 2 * i, (short) bits);
                default -> Mem.u8(out + i, (int) bits);
            }
        }
        for (long i = head; i < n; i += BLOCK) {
            Mem.copy(out, out + i * w, Math.min(BLOCK, n - i) * w);
        }
    }

    /** Elements {@code from} to {@code to} of {@code op}; {@code out} is the address of element 0. */
    static void sequence(Op.Sequence op, long out, long from, long to) {
        DType type = op.dtype();
        boolean real = type.isFloat();
        long start = (long) op.start();
        long step = (long) op.step();
        for (long i = from; i < to; i++) {
            boolean end = i == op.count() - 1;
            if (real) {
                Casts.store(type, out, i, end ? op.last() : op.start() + i * op.step());
            } else {
                Casts.store(type, out, i, end ? (long) op.last() : start + i * step);
            }
        }
    }

    /** Elements {@code from} to {@code to} of {@code op}; {@code out} is the address of element 0. */
    static void random(Op.Random op, long out, long from, long to) {
        DType type = op.dtype();
        double a = op.a();
        double b = op.b();
        long[] bits = new long[BLOCK];
        double[] normal = new double[2];
        // whole pairs, so that a normal pair is never cut by a block's edge
        for (long begin = from & ~1L; begin < to; begin += BLOCK) {
            int n = (int) Math.min(BLOCK, (to - begin + 1) & ~1L);
            Philox.bits(op.seed(), begin, bits, n);
            for (int i = 0; i < n; i += 2) {
                switch (op.distribution()) {
                    case UNIFORM -> {
                        normal[0] = Philox.within(type, Philox.uniform(bits[i], a, b), a, b);
                        normal[1] = Philox.within(type, Philox.uniform(bits[i + 1], a, b), a, b);
                    }
                    case NORMAL -> Philox.normal(bits[i], bits[i + 1], a, b, normal, 0);
                    case INTEGERS -> {
                        long low = (long) Math.ceil(a);
                        long count = (long) Math.ceil(b) - low;
                        for (int k = 0; k < 2; k++) {
                            if (begin + i + k >= from && begin + i + k < to) {
                                Casts.store(type, out, begin + i + k, Philox.integer(bits[i + k], low, count));
                            }
                        }
                        continue;
                    }
                }
                for (int k = 0; k < 2; k++) {
                    if (begin + i + k >= from && begin + i + k < to) {
                        Casts.store(type, out, begin + i + k, normal[k]);
                    }
                }
            }
        }
    }

    /** n elements of x, F32 or F64, whose random numbers are {@code number}, {@code number + step} and so on. */
    static void dropout(Op.Dropout op, DType type, long number, long step, long x, long out, int n) {
        long[] bits = new long[n];
        if (step == 1) {
            Philox.bits(op.seed(), number, bits, n);
        } else {
            long[] one = new long[1];
            for (int i = 0; i < n; i++) {
                Philox.bits(op.seed(), number + i * step, one, 1);
                bits[i] = one[0];
            }
        }
        double factor = 1 / (1 - op.p());
        for (int i = 0; i < n; i++) {
            boolean kept = Philox.within(DType.F32, Philox.uniform(bits[i], 0, 1), 0, 1) >= (float) op.p();
            if (type == DType.F64) {
                Mem.f64(out + 8L * i, kept ? Mem.f64(x + 8L * i) * factor : 0);
            } else {
                Mem.f32(out + 4L * i, kept ? Mem.f32(x + 4L * i) * (float) factor : 0);
            }
        }
    }

    /** x where c is not 0, else y, by bits: no branch that random conditions would mispredict. */
    static void select(int width, long c, long x, long y, long out, long n) {
        switch (width) {
            case 8 -> {
                for (long i = 0; i < n; i++) {
                    long other = Mem.i64(y + 8 * i);
                    Mem.i64(out + 8 * i, other ^ (Mem.i64(x + 8 * i) ^ other) & -(long) Mem.u8(c + i));
                }
            }
            case 4 -> {
                for (long i = 0; i < n; i++) {
                    int other = Mem.i32(y + 4 * i);
                    Mem.i32(out + 4 * i, other ^ (Mem.i32(x + 4 * i) ^ other) & -Mem.u8(c + i));
                }
            }
            case 2 -> {
                for (long i = 0; i < n; i++) {
                    int other = Mem.i16(y + 2 * i);
                    Mem.i16(out + 2 * i, (short) (other ^ (Mem.i16(x + 2 * i) ^ other) & -Mem.u8(c + i)));
                }
            }
            default -> {
                for (long i = 0; i < n; i++) {
                    int other = Mem.u8(y + i);
                    Mem.u8(out + i, other ^ (Mem.u8(x + i) ^ other) & -Mem.u8(c + i));
                }
            }
        }
    }
}
