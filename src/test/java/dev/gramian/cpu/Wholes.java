package dev.gramian.cpu;

import dev.gramian.core.DType;
import dev.gramian.core.MapFn;
import dev.gramian.core.ZipFn;
import java.math.BigInteger;

/** The elementwise functions of integers in unbounded arithmetic, cut to the type at the end. */
final class Wholes {
    private Wholes() {}

    private static long cut(BigInteger v, DType t) {
        return switch (t) {
            case I64 -> v.longValue();
            case I32 -> v.intValue();
            case U8 -> v.intValue() & 255;
            default -> v.testBit(0) ? 1 : 0;
        };
    }

    static long map(MapFn fn, long a, DType t) {
        BigInteger x = BigInteger.valueOf(a);
        return switch (fn) {
            case NEG -> cut(x.negate(), t);
            case ABS -> cut(x.abs(), t);
            case SIGN -> x.signum();
            case SQUARE -> cut(x.multiply(x), t);
            case CLAMP -> a < -1 ? -1 : a > 40 ? 40 : a;
            case NOT -> cut(x.not(), t);
            case IS_NAN, IS_INF -> 0;
            case IS_FINITE -> 1;
            default -> throw new AssertionError(fn);
        };
    }

    static long zip(ZipFn fn, long a, long b, DType t) {
        BigInteger x = BigInteger.valueOf(a);
        BigInteger y = BigInteger.valueOf(b);
        int order = x.compareTo(y);
        return switch (fn) {
            case ADD -> cut(x.add(y), t);
            case SUB -> cut(x.subtract(y), t);
            case MUL -> cut(x.multiply(y), t);
            case MAXIMUM -> cut(x.max(y), t);
            case MINIMUM -> cut(x.min(y), t);
            case REMAINDER -> {
                if (b == 0) {
                    yield 0;
                }
                BigInteger r = x.mod(y.abs());
                yield cut(b < 0 && r.signum() != 0 ? r.add(y) : r, t);
            }
            case EQ -> order == 0 ? 1 : 0;
            case NE -> order != 0 ? 1 : 0;
            case LT -> order < 0 ? 1 : 0;
            case LE -> order <= 0 ? 1 : 0;
            case GT -> order > 0 ? 1 : 0;
            case GE -> order >= 0 ? 1 : 0;
            case AND -> cut(x.and(y), t);
            case OR -> cut(x.or(y), t);
            case XOR -> cut(x.xor(y), t);
            case DIV, POW, ATAN2 -> throw new AssertionError(fn);
        };
    }
}
