package dev.gramian.cpu;

import dev.gramian.core.MapFn;
import dev.gramian.core.ZipFn;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * F32 functions in vector form. The switches have no default, so that a new function does not compile until someone has
 * decided here; null leaves it to the scalar kernel that stands beside its declaration.
 */
final class F32Fns {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final FloatVector ONE = FloatVector.broadcast(SPECIES, 1);

    private F32Fns() {}

    interface Map {
        FloatVector apply(FloatVector x, float p, float q);
    }

    interface Zip {
        FloatVector apply(FloatVector x, FloatVector y);
    }

    interface Test {
        VectorMask<Float> apply(FloatVector x, FloatVector y);
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
            case EXP -> (x, p, q) -> VectorMath.exp(x);
            case EXPM1 -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.EXPM1) : null;
            case LOG -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.LOG) : null;
            case LOG1P -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.LOG1P) : null;
            case SIN -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.SIN) : null;
            case COS -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.COS) : null;
            case TAN -> VectorLibrary.PRESENT ? (x, p, q) -> x.lanewise(VectorOperators.TAN) : null;
            case TANH -> (x, p, q) -> VectorMath.tanh(x);
            case SIGMOID -> (x, p, q) -> sigmoid(x);
            case SILU -> (x, p, q) -> timesSigmoid(x, x);
            case GELU_TANH -> (x, p, q) -> timesSigmoid(
                    x, x.mul(x).mul(0.044715f).add(1).mul(x.mul(1.5957691f)));
            case SIGN -> (x, p, q) -> x.blend(1, x.compare(VectorOperators.GT, 0)).blend(-1, x.lt(0));
            case LOG2, ERF, GELU, FLOOR, CEIL, ROUND, TRUNC, IS_NAN, IS_INF, IS_FINITE, NOT -> null;
        };
    }

    /** The first stage of a function in two: the function itself is {@link #second} of x and this. */
    static Map first(MapFn fn) {
        return switch (fn) {
            case ERF -> (x, p, q) -> VectorMath.erfTail(x);
            case GELU -> (x, p, q) -> VectorMath.geluTail(x);
            default -> null;
        };
    }

    static Zip second(MapFn fn) {
        return switch (fn) {
            case ERF -> (x, e) -> VectorMath.erf(x, e);
            case GELU -> (x, e) -> VectorMath.gelu(x, e);
            default -> null;
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
            case IS_INF -> (x, y) -> x.abs().eq(Float.POSITIVE_INFINITY);
            case IS_FINITE -> (x, y) -> x.abs().lt(Float.POSITIVE_INFINITY);
            default -> null;
        };
    }

    /** e = exp(-|x|) never overflows; 1/(1+e) for x at or above 0, e/(1+e) below. */
    private static FloatVector sigmoid(FloatVector x) {
        FloatVector e = VectorMath.expNegative(x.abs().neg());
        VectorMask<Float> negative = x.lt(0);
        return ONE.blend(e, negative).div(e.add(1));
    }

    /** x sigmoid(u); -0 where u is so small that the product would be -inf times 0. */
    private static FloatVector timesSigmoid(FloatVector x, FloatVector u) {
        return x.mul(sigmoid(u)).blend(-0.0f, u.lt(-800f));
    }

    /** 1 to any power is 1, and -1 to an infinite one. */
    private static FloatVector pow(FloatVector x, FloatVector y) {
        VectorMask<Float> infinite = y.abs().eq(Float.POSITIVE_INFINITY);
        return x.lanewise(VectorOperators.POW, y).blend(1, x.eq(1).or(x.eq(-1).and(infinite)));
    }
}
