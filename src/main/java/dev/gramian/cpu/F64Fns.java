package dev.gramian.cpu;

import dev.gramian.core.MapFn;
import dev.gramian.core.ZipFn;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * F64 functions in vector form. The switches have no default, so that a new function does not compile until someone has
 * decided here; null leaves it to the scalar kernel that stands beside its declaration.
 */
final class F64Fns {
    private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
    private static final DoubleVector ONE = DoubleVector.broadcast(SPECIES, 1);

    private F64Fns() {}

    interface Map {
        DoubleVector apply(DoubleVector x, double p, double q);
    }

    interface Zip {
        DoubleVector apply(DoubleVector x, DoubleVector y);
    }

    interface Test {
        VectorMask<Double> apply(DoubleVector x, DoubleVector y);
    }

    static Map map(MapFn fn) {
        return switch (fn) {
            case NEG -> (x, p, q) -> x.neg();
            case ABS -> (x, p, q) -> x.abs();
            case SQRT -> (x, p, q) -> x.sqrt();
            case RSQRT -> (x, p, q) -> ONE.div(x.sqrt());
            case RECIPROCAL -> (x, p, q) -> ONE.div(x);
            case SQUARE -> (x, p, q) -> x.mul(x);
            case RELU -> (x, p, q) -> x.max(0);
            case CLAMP -> (x, p, q) -> x.max(p).min(q);
            case EXP -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.EXP) : null;
            case EXPM1 -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.EXPM1) : null;
            case LOG -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.LOG) : null;
            case LOG1P -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.LOG1P) : null;
            case SIN -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.SIN) : null;
            case COS -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.COS) : null;
            case TAN -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.TAN) : null;
            case TANH -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.TANH) : null;
            case SIGMOID -> VectorLibrary.PRESENT ? (x, p, q) -> sigmoid(x) : null;
            case SILU -> VectorLibrary.PRESENT ? (x, p, q) -> timesSigmoid(x, x) : null;
            case GELU_TANH -> VectorLibrary.PRESENT
                    ? (x, p, q) -> timesSigmoid(
                            x, x.mul(x).mul(0.044715).add(1).mul(x.mul(1.5957691216057308)))
                    : null;
            case SIGN -> (x, p, q) -> x.blend(1, x.compare(VectorOperators.GT, 0)).blend(-1, x.lt(0));
            case LOG2, ERF, GELU, FLOOR, CEIL, ROUND, TRUNC, IS_NAN, IS_INF, IS_FINITE, NOT -> null;
        };
    }

    static Zip zip(ZipFn fn) {
        return switch (fn) {
            case ADD -> (x, y) -> x.add(y);
            case SUB -> (x, y) -> x.sub(y);
            case MUL -> (x, y) -> x.mul(y);
            case DIV -> (x, y) -> x.div(y);
            case MAXIMUM -> (x, y) -> x.max(y);
            case MINIMUM -> (x, y) -> x.min(y);
            case POW -> VectorLibrary.PRESENT ? (x, y) -> pow(x, y) : null;
            case ATAN2 -> VectorLibrary.PRESENT ? (x, y) -> x.lanewise(VectorOperators.ATAN2, y) : null;
            case REMAINDER, EQ, NE, LT, LE, GT, GE, AND, OR, XOR -> null;
        };
    }

    static Test test(ZipFn fn) {
        return switch (fn) {
            case EQ -> (x, y) -> x.eq(y);
            case NE -> (x, y) -> x.compare(VectorOperators.NE, y);
            case LT -> (x, y) -> x.lt(y);
            case LE -> (x, y) -> x.compare(VectorOperators.LE, y);
            case GT -> (x, y) -> x.compare(VectorOperators.GT, y);
            case GE -> (x, y) -> x.compare(VectorOperators.GE, y);
            default -> null;
        };
    }

    /** Tests of one operand, which comes twice. */
    static Test test(MapFn fn) {
        return switch (fn) {
            case IS_NAN -> (x, y) -> x.compare(VectorOperators.NE, y);
            case IS_INF -> (x, y) -> x.abs().eq(Double.POSITIVE_INFINITY);
            case IS_FINITE -> (x, y) -> x.abs().lt(Double.POSITIVE_INFINITY);
            default -> null;
        };
    }

    /** e = exp(-|x|) never overflows; 1/(1+e) for x at or above 0, e/(1+e) below. */
    private static DoubleVector sigmoid(DoubleVector x) {
        DoubleVector e = x.abs().neg().lanewise(VectorOperators.EXP);
        VectorMask<Double> negative = x.lt(0);
        return ONE.blend(e, negative).div(e.add(1));
    }

    /** x sigmoid(u); -0 where u is so small that the product would be -inf times 0. */
    private static DoubleVector timesSigmoid(DoubleVector x, DoubleVector u) {
        return x.mul(sigmoid(u)).blend(-0.0, u.lt(-800));
    }

    /** 1 to any power is 1, and -1 to an infinite one. */
    private static DoubleVector pow(DoubleVector x, DoubleVector y) {
        VectorMask<Double> infinite = y.abs().eq(Double.POSITIVE_INFINITY);
        return x.lanewise(VectorOperators.POW, y).blend(1, x.eq(1).or(x.eq(-1).and(infinite)));
    }
}
