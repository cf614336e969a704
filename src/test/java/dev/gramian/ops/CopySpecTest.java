package dev.gramian.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.Half;
import dev.gramian.ops.Laid.Lie;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Random;

/** Copies and casts between all types and layouts, against the rules of {@code Op.Copy} written out in Java. */
final class CopySpecTest {
    private static final long SEED = Seed.VALUE;
    private static final long[][] SHAPES = {{}, {0}, {1}, {7}, {67}, {3, 0, 2}, {5, 16}, {3, 1, 33}, {2, 17, 5, 3},
        {41, 53}};

    /** What a value of one type is in another: one rounding to nearest even, toward zero to integers, saturating. */
    static long cast(DType from, DType to, long bits) {
        if (to == DType.BOOL) {
            return from.isFloat() ? Laid.real(from, bits) != 0 ? 1 : 0 : bits != 0 ? 1 : 0;
        }
        if (!from.isFloat()) {
            return to.isFloat() ? rounded(to, bits) : Laid.bits(to, bits);
        }
        double v = Laid.real(from, bits);
        return switch (to) {
            case F64 -> Double.doubleToRawLongBits(v);
            case F32 -> Float.floatToRawIntBits((float) v);
            case F16, BF16 -> Half.fromDouble(to, v);
            case I64 -> (long) v;
            case I32 -> (int) v;
            default -> Math.clamp((long) v, 0, 255);
        };
    }

    /** A whole number in a float type, rounded once. */
    private static long rounded(DType to, long v) {
        if (to == DType.F64) {
            return Double.doubleToRawLongBits(v);
        }
        if (to == DType.F32) {
            return Float.floatToRawIntBits(v);
        }
        int digits = to == DType.F16 ? 11 : 8;
        int length = BigInteger.valueOf(v).abs().bitLength();
        if (length > digits) {
            BigDecimal unit = new BigDecimal(BigInteger.ONE.shiftLeft(length - digits));
            v = 0 + new BigDecimal(v).divide(unit, 0, RoundingMode.HALF_EVEN).multiply(unit).toBigInteger()
                    .min(BigInteger.valueOf(Long.MAX_VALUE)).longValue();
        }
        return Half.fromDouble(to, v);
    }

    private static void check(DType to, Laid x, Tensor y) {
        DType from = x.tensor().dtype();
        assertEquals(to, y.dtype());
        assertEquals(x.tensor().shape(), y.shape());
        long[] got = Laid.read(y);
        for (int i = 0; i < got.length; i++) {
            long want = from == to ? x.bits()[i] : cast(from, to, x.bits()[i]);
            boolean nan = to.isFloat() && from != to && Double.isNaN(Laid.real(to, want));
            if (nan ? !Double.isNaN(Laid.real(to, got[i])) : got[i] != want) {
                int at = i;
                assertEquals(want, got[i], () -> from + " to " + to + " " + x.tensor().layout() + " [" + at + "] of "
                        + Laid.real(from, x.bits()[at]) + ", replay with -Dgramian.seed=" + SEED);
            }
        }
    }

    @DeviceSpec
    void castsBetweenAllTypesOfAnyLayout(Device device) {
        Random r = new Random(SEED);
        int turn = r.nextInt(3);
        for (DType from : DType.values()) {
            for (DType to : DType.values()) {
                for (Lie lie : Lie.values()) {
                    // kernels are compiled by types and way: one of the ways by turns
                    boolean tiled = lie == Lie.TRANSPOSED || lie == Lie.ROTATED;
                    boolean strided = lie == Lie.BACKWARDS || lie == Lie.SKIPPING;
                    if (from == to || (tiled ? turn % 3 == 0 : !strided || turn % 3 != 0)) {
                        for (long[] shape : SHAPES) {
                            try (Scope s = device.open()) {
                                Laid x = Laid.of(s, Laid.any(r), from, lie, shape);
                                check(to, x, x.tensor().to(to));
                            }
                        }
                    }
                }
                turn++;
            }
        }
    }

    @DeviceSpec
    void castsOfSpecialValues(Device device) {
        double[] near = {
            0.49999, 0.5, -0.5, 1.5, 254.5, 255, 255.5, 256, -1, -0.99, 2147483647, 2147483648.0, -2147483648.0,
            -2147483649.0, 9.2233720368547748e18, 9.2233720368547758e18, -9.2233720368547758e18, 65519.99, 65520,
            5.97e-8,
            2.98e-8, 2.9802322387695313e-8, 1.0009765625, 1.00048828125, 1.00146484375, 3.3895313892515355e38, 3.4e38
        };
        long[] whole = {
            0, 1, -1, 127, 128, 255, 256, 257, 2047, 2048, 2049, 2051, 65504, 65519, 65520, Integer.MAX_VALUE,
            Integer.MIN_VALUE, (1L << 53) + 1, (1L << 54) + 2, (1L << 54) + 6, (1L << 24) + 1, Long.MAX_VALUE,
            Long.MIN_VALUE, Long.MIN_VALUE + 1, (1L << 62) + (1L << 54) + 1, (1L << 62) + (1L << 54)
        };
        for (DType from : DType.values()) {
            long[] bits = new long[(from.isFloat() ? near.length + Laid.SPECIAL.length : whole.length)];
            for (int i = 0; i < bits.length; i++) {
                bits[i] = !from.isFloat()
                        ? Laid.bits(from, whole[i])
                        : Laid.bits(from, i < near.length ? near[i] : Laid.SPECIAL[i - near.length]);
            }
            try (Scope s = device.open()) {
                Laid x = new Laid(s.tensor(Laid.segment(from, bits), from), bits);
                for (DType to : DType.values()) {
                    check(to, x, x.tensor().to(to));
                }
            }
        }
    }

    /** Bits travel as they are, those of NaNs too. */
    @DeviceSpec
    void copiesKeepEveryBit(Device device) {
        Random r = new Random(SEED + 1);
        for (DType t : DType.values()) {
            for (Lie lie : Lie.values()) {
                for (long[] shape : SHAPES) {
                    try (Scope s = device.open()) {
                        Laid x = Laid.of(s, Laid.noise(r), t, lie, shape);
                        Tensor y = x.tensor().copy();
                        assertEquals(x.tensor().shape(), y.shape());
                        assertArrayEquals(x.bits(), Laid.read(y), () -> t + " " + x.tensor().layout());
                    }
                }
            }
        }
    }

    /** More than one pass of a grid, edges of tiles, many planes, more axes than a kernel takes. */
    @DeviceSpec
    void largeCopies(Device device) {
        Random r = new Random(SEED + 2);
        long[][] shapes = {{300, 257}, {5, 64, 65}, {70_000, 2}, {2, 1, 3, 2, 1, 2, 3, 2, 2, 3, 1, 2}};
        for (DType t : new DType[] {DType.F64, DType.F32, DType.F16, DType.U8}) {
            for (long[] shape : shapes) {
                for (Lie lie : new Lie[] {Lie.TRANSPOSED, Lie.ROTATED, Lie.SKIPPING, Lie.BACKWARDS, Lie.INSET}) {
                    if (lie == Lie.SKIPPING && shape.length > 6) {
                        continue; // its gaps would take a gigabyte
                    }
                    try (Scope s = device.open()) {
                        Laid x = Laid.of(s, Laid.noise(r), t, lie, shape);
                        assertArrayEquals(x.bits(), Laid.read(x.tensor().copy()), () -> t + " " + x.tensor().layout());
                    }
                }
            }
        }
        try (Scope s = device.open()) {
            for (Lie lie : new Lie[] {Lie.CONTIGUOUS, Lie.TRANSPOSED, Lie.SKIPPING}) {
                Laid x = Laid.of(s, Laid.any(r), DType.F32, lie, 150, 401);
                check(DType.BF16, x, x.tensor().to(DType.BF16));
            }
        }
    }
}
