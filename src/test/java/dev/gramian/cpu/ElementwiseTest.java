package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Distribution;
import dev.gramian.core.MapFn;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.View;
import dev.gramian.core.ZipFn;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every function, type and layout on both paths, against a reference in F64 written here. */
final class ElementwiseTest {
    private static final Shape[] SHAPES = {
        Shape.SCALAR, Shape.of(0), Shape.of(1), Shape.of(3, 0, 2), Shape.of(7), Shape.of(16), Shape.of(17),
        Shape.of(67), Shape.of(5, 7), Shape.of(3, 1, 33), Shape.of(2, 9, 5, 3), Shape.of(9, 53)
    };
    private static final Workers WORKERS = new Workers(2);

    @ParameterizedTest
    @EnumSource(value = CpuPath.class, names = {"VECTOR", "SCALAR"})
    void mapsOfEveryTypeAndLayout(CpuPath path) {
        Random random = Samples.random("maps " + path);
        Elementwise e = new Elementwise(path, WORKERS);
        for (MapFn fn : MapFn.values()) {
            for (DType t : DType.values()) {
                if (!fn.accepts(t)) {
                    continue;
                }
                for (Shape s : SHAPES) {
                    Op.Map op = new Op.Map(fn, -1.5, 40.25);
                    for (View x : Samples.layouts(t, s, random)) {
                        View out = Samples.empty(op.results(x)[0].dtype(), s);
                        e.map(op, new View[] {x}, out);
                        for (long i = 0; i < s.size(); i++) {
                            String what = fn + " " + t + " " + x.layout() + " [" + i + "]";
                            if (t.isFloat()) {
                                double v = Samples.real(x, s, i);
                                close(what + " of " + v, out, i, map(fn, v, t), slack(fn, v));
                            } else {
                                long want = Wholes.map(fn, Samples.whole(x, s, i), t);
                                assertEquals(want, Samples.whole(out, s, i), what);
                            }
                        }
                        Samples.free(x, out);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = CpuPath.class, names = {"VECTOR", "SCALAR"})
    void zipsOfEveryTypeAndLayout(CpuPath path) {
        Random random = Samples.random("zips " + path);
        Elementwise e = new Elementwise(path, WORKERS);
        for (ZipFn fn : ZipFn.values()) {
            for (DType t : DType.values()) {
                if (!fn.accepts(t) || fn == ZipFn.POW && t.isInteger()) {
                    continue;
                }
                for (Shape s : SHAPES) {
                    List<View> xs = Samples.layouts(t, s, random);
                    List<View> ys = Samples.layouts(t, s, random);
                    Op.Zip op = new Op.Zip(fn);
                    for (int k = 0; k < xs.size(); k++) {
                        View x = xs.get(k);
                        View y = ys.get(k == 0 ? 0 : random.nextInt(ys.size()));
                        View out = Samples.empty(op.results(x, y)[0].dtype(), s);
                        e.zip(op, new View[] {x, y}, out);
                        for (long i = 0; i < s.size(); i++) {
                            check(fn, t, out, i, x, y, s);
                        }
                        Samples.free(out);
                    }
                    View x = xs.getLast();
                    for (boolean first : new boolean[] {false, true}) {
                        double c = t == DType.BOOL ? 1 : t.isFloat() ? 2.7 : 3;
                        Op.ZipScalar scalar = new Op.ZipScalar(fn, c, first);
                        View filled = Samples.empty(t, s);
                        e.fill(new Op.Fill(s, t, c), filled);
                        for (View v : xs) {
                            View out = Samples.empty(scalar.results(v)[0].dtype(), s);
                            e.zipScalar(scalar, new View[] {v}, out);
                            for (long i = 0; i < s.size(); i++) {
                                check(fn, t, out, i, first ? filled : v, first ? v : filled, s);
                            }
                            Samples.free(out);
                        }
                        Samples.free(filled);
                    }
                    assertTrue(x.shape().equals(s));
                    xs.forEach(Samples::free);
                    ys.forEach(Samples::free);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"I64", "I32", "U8"})
    void integerPowersWrap(DType t) {
        Elementwise e = new Elementwise(CpuPath.VECTOR, WORKERS);
        Random random = Samples.random("powers " + t);
        Shape s = Shape.of(501);
        View x = Samples.layouts(t, s, random).getFirst();
        View y = Samples.empty(t, s);
        View out = Samples.empty(t, s);
        e.random(new Op.Random(s, t, Distribution.INTEGERS, 3, 0, 70), y);
        e.zip(new Op.Zip(ZipFn.POW), new View[] {x, y}, out);
        for (long i = 0; i < s.size(); i++) {
            BigInteger exact = BigInteger.valueOf(Samples.whole(x, s, i)).pow((int) Samples.whole(y, s, i));
            long want = t == DType.I64 ? exact.longValue() : t == DType.I32 ? exact.intValue() : exact.intValue() & 255;
            assertEquals(want, Samples.whole(out, s, i), t + " " + Samples.whole(x, s, i));
        }
        if (t != DType.U8) {
            e.fill(new Op.Fill(s, t, -2), y);
            DTypeException refused = assertThrows(
                    DTypeException.class, () -> e.zip(new Op.Zip(ZipFn.POW), new View[] {x, y}, out));
            assertEquals("pow: negative exponent -2; integers have no such power; cast with .to(DType.F64)",
                    refused.getMessage());
        }
        Samples.free(x, y, out);
    }

    /** Large enough for several threads, with odd ends, in place and gathered: the same bits as on one thread. */
    @ParameterizedTest
    @EnumSource(value = CpuPath.class, names = {"VECTOR", "SCALAR"})
    void manyElementsAsOnOneThread(CpuPath path) {
        Elementwise serial = new Elementwise(path, new Workers(1));
        Elementwise parallel = new Elementwise(path, new Workers(3));
        Random random = Samples.random("parallel " + path);
        for (Shape s : new Shape[] {Shape.of(311, 257), Shape.of(3, 33, 512)}) {
            for (DType t : new DType[] {DType.F32, DType.BF16, DType.F64}) {
                for (View x : Samples.layouts(t, s, random)) {
                    View y = Samples.layouts(t, s, random).get(random.nextInt(8));
                    View a = Samples.empty(t, s);
                    View b = Samples.empty(t, s);
                    for (MapFn fn : new MapFn[] {MapFn.NEG, MapFn.ERF}) {
                        serial.map(new Op.Map(fn, 0, 0), new View[] {x}, a);
                        parallel.map(new Op.Map(fn, 0, 0), new View[] {x}, b);
                        same(fn + " " + t + " " + x.layout(), a, b);
                    }
                    serial.zip(new Op.Zip(ZipFn.ADD), new View[] {x, y}, a);
                    parallel.zip(new Op.Zip(ZipFn.ADD), new View[] {x, y}, b);
                    same("add " + t + " " + x.layout() + " " + y.layout(), a, b);
                    serial.zipScalar(new Op.ZipScalar(ZipFn.SUB, 1.5, true), new View[] {x}, a);
                    parallel.zipScalar(new Op.ZipScalar(ZipFn.SUB, 1.5, true), new View[] {x}, b);
                    same("sub " + t + " " + x.layout(), a, b);
                    for (long i = 0; i < s.size(); i += 997) {
                        close("sub", b, i, 1.5 - Samples.real(x, s, i), 0);
                    }
                    Samples.free(x, y, a, b);
                }
            }
        }
    }

    /** By bits but for NaN, whose sign and payload interpreted and compiled code choose differently. */
    private static void same(String what, View a, View b) {
        for (long i = 0; i < a.shape().size(); i++) {
            double x = Samples.real(a, a.shape(), i);
            double y = Samples.real(b, b.shape(), i);
            if (Double.doubleToLongBits(x) != Double.doubleToLongBits(y)) {
                assertEquals(x, y, what + " [" + i + "]");
            }
        }
    }

    private static void check(ZipFn fn, DType t, View out, long i, View x, View y, Shape s) {
        String what = fn + " " + t + " " + x.layout() + ", " + y.layout() + " [" + i + "]";
        if (t.isFloat()) {
            double a = Samples.real(x, s, i);
            double b = Samples.real(y, s, i);
            close(what + " of " + a + ", " + b, out, i, zip(fn, a, b), 0);
        } else {
            long want = Wholes.zip(fn, Samples.whole(x, s, i), Samples.whole(y, s, i), t);
            assertEquals(want, Samples.whole(out, s, i), what);
        }
    }

    /** |value - want| in units of the result type's last place at most 2.5 (0.51 more for the half types' rounding). */
    private static void close(String what, View out, long i, double want, double slack) {
        double is = Samples.real(out, out.shape(), i);
        DType t = out.dtype();
        if (t == DType.BOOL) {
            assertEquals(want, is, what);
            return;
        }
        double ulp = switch (t) {
            case F64 -> Math.ulp(want);
            case F32 -> Math.ulp((float) want);
            case F16 -> Math.max(Math.ulp((float) want) * 0x1p13, 0x1p-24);
            default -> Math.ulp((float) want) * 0x1p16;
        };
        if (Double.isNaN(want)) {
            assertTrue(Double.isNaN(is), what + " is " + is + " and should be NaN");
            return;
        }
        double largest = switch (t) {
            case F64 -> Double.MAX_VALUE;
            case F32 -> Float.MAX_VALUE;
            case F16 -> 65504;
            default -> Float.intBitsToFloat(0x7F7F0000);
        };
        if (Double.isInfinite(is) || Math.abs(want) > largest) {
            assertEquals(Math.signum(want), Math.signum(is), what);
            assertTrue(Math.abs(want) >= largest * (1 - 1e-6) && Math.abs(is) >= largest * (1 - 1e-2),
                    what + " is " + is + " and should be " + want);
            return;
        }
        if (slack > 0 && t == DType.F64) {
            ulp = Math.max(ulp, 0x1p-1066); // a subnormal factor has few digits
        } else if (slack > 0) {
            ulp = Math.max(ulp, 0x1p-141);
        }
        double allowed = t.isHalf() ? 0.51 + slack * 1e-3 : 2.5 + slack;
        assertTrue(Math.abs(is - want) <= allowed * ulp,
                what + " is " + is + " and should be " + want + ", off by " + Math.abs(is - want) / ulp + " ulp");
        if (want == 0 && is == 0 && !what.startsWith("REMAINDER") && !what.startsWith("CLAMP")) {
            assertEquals(1 / want, 1 / is, what + ": sign of zero");
        }
    }

    /** Further ulps where the exponential's argument is rounded and large. */
    private static double slack(MapFn fn, double x) {
        return switch (fn) {
            case GELU_TANH -> Math.min(8000, 8 * Math.abs(1.6 * x * (1 + 0.044715 * x * x)));
            case SILU, SIGMOID -> 2;
            case GELU -> 6;
            default -> 0;
        };
    }

    private static double map(MapFn fn, double x, DType t) {
        return switch (fn) {
            case NEG -> -x;
            case ABS -> x < 0 || 1 / x < 0 ? -x : x;
            case SIGN -> x > 0 ? 1 : x < 0 ? -1 : x;
            case SQRT -> Math.sqrt(x);
            case RSQRT -> 1 / Math.sqrt(x);
            case RECIPROCAL -> 1 / x;
            case SQUARE -> x * x;
            case EXP -> StrictMath.exp(x);
            case EXPM1 -> StrictMath.expm1(x);
            case LOG -> StrictMath.log(x);
            case LOG1P -> StrictMath.log1p(x);
            case LOG2 -> StrictMath.log(x) / Math.log(2) * 1;
            case SIN -> StrictMath.sin(x);
            case COS -> StrictMath.cos(x);
            case TAN -> StrictMath.tan(x);
            case TANH -> StrictMath.tanh(x);
            case ERF -> Double.isNaN(x) ? x : erf(x);
            case SIGMOID -> x >= 0 ? 1 / (1 + StrictMath.exp(-x)) : StrictMath.exp(x) / (1 + StrictMath.exp(x));
            case RELU -> x > 0 ? x : Double.isNaN(x) ? x : 0;
            case GELU -> gelu(x);
            case GELU_TANH -> {
                double u = Math.sqrt(2 / Math.PI) * 2 * (x + 0.044715 * x * x * x);
                yield u < -800
                        ? -0.0
                        : u < 0 ? x * StrictMath.exp(u) / (1 + StrictMath.exp(u)) : x / (1 + StrictMath.exp(-u));
            }
            case SILU -> x < -800
                    ? -0.0
                    : x >= 0 ? x / (1 + StrictMath.exp(-x)) : x * StrictMath.exp(x) / (1 + StrictMath.exp(x));
            case FLOOR -> StrictMath.floor(x);
            case CEIL -> StrictMath.ceil(x);
            case ROUND -> StrictMath.rint(x);
            case TRUNC -> Math.copySign(StrictMath.floor(Math.abs(x)), x);
            case CLAMP -> Double.isNaN(x) ? x : x < -1.5 ? -1.5 : x > 40.25 ? 40.25 : x;
            case IS_NAN -> Double.isNaN(x) ? 1 : 0;
            case IS_INF -> Double.isInfinite(x) ? 1 : 0;
            case IS_FINITE -> Double.isFinite(x) ? 1 : 0;
            case NOT -> throw new AssertionError(t);
        };
    }

    private static double zip(ZipFn fn, double x, double y) {
        boolean nan = Double.isNaN(x) || Double.isNaN(y);
        return switch (fn) {
            case ADD -> x + y;
            case SUB -> x - y;
            case MUL -> x * y;
            case DIV -> x / y;
            case POW -> x == 1 || x == -1 && Double.isInfinite(y) ? 1 : StrictMath.pow(x, y);
            case MAXIMUM -> nan ? Double.NaN : x > y ? x : y > x ? y : 1 / x > 0 ? x : y;
            case MINIMUM -> nan ? Double.NaN : x < y ? x : y < x ? y : 1 / x < 0 ? x : y;
            case ATAN2 -> StrictMath.atan2(x, y);
            case REMAINDER -> {
                double r = Math.abs(x) % Math.abs(y);
                r = x < 0 ? -r : r;
                yield r != 0 && (r < 0) != (y < 0) ? r + y : r;
            }
            case EQ -> x == y ? 1 : 0;
            case NE -> x == y ? 0 : 1;
            case LT -> x < y ? 1 : 0;
            case LE -> x < y || x == y ? 1 : 0;
            case GT -> y < x ? 1 : 0;
            case GE -> y < x || x == y ? 1 : 0;
            case AND, OR, XOR -> throw new AssertionError();
        };
    }

    private static final MathContext DIGITS = new MathContext(60);
    private static final BigDecimal TWO_OVER_ROOT_PI = BigDecimal.valueOf(2).divide(
            new BigDecimal("3.14159265358979323846264338327950288419716939937510582097494").sqrt(DIGITS), DIGITS);

    /** Taylor's series in 60 digits. */
    private static BigDecimal bigErf(BigDecimal x) {
        BigDecimal square = x.multiply(x, DIGITS);
        BigDecimal term = x;
        BigDecimal sum = x;
        for (int n = 1; n < 400; n++) {
            term = term.multiply(square, DIGITS).divide(BigDecimal.valueOf(-n), DIGITS);
            BigDecimal add = term.divide(BigDecimal.valueOf(2L * n + 1), DIGITS);
            sum = sum.add(add, DIGITS);
            if (add.abs().compareTo(sum.abs().movePointLeft(45)) < 0) {
                break;
            }
        }
        return sum.multiply(TWO_OVER_ROOT_PI, DIGITS);
    }

    static double erf(double x) {
        return Math.abs(x) > 6 ? Math.signum(x) : x == 0 ? x : bigErf(new BigDecimal(x)).doubleValue();
    }

    private static double gelu(double x) {
        if (Double.isNaN(x) || x == 0 || x > 9) {
            return x;
        }
        if (x < -40) {
            return -0.0;
        }
        if (x < -6) {
            // asymptotic: Laplace's continued fraction of the upper tail
            double a = -x;
            double f = a;
            for (int k = 200; k > 0; k--) {
                f = a + k / f;
            }
            double square = a * a;
            double rest = Math.fma(a, a, -square); // what rounding took from the square matters in exp
            return -a * StrictMath.exp(-square / 2) * (1 - rest / 2) / Math.sqrt(2 * Math.PI) / f;
        }
        BigDecimal z = new BigDecimal(x).divide(BigDecimal.valueOf(2).sqrt(DIGITS), DIGITS);
        return bigErf(z).add(BigDecimal.ONE).multiply(new BigDecimal(x), DIGITS).doubleValue() / 2;
    }
}
