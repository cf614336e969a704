package dev.gramian.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.Layout;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Function;

/** Constants, sequences and random numbers of every type and size, bit for bit. */
final class CreationSpecTest {
    private static final long SEED = Seed.VALUE;
    private static final long[] SIZES = {0, 1, 2, 3, 7, 15, 16, 17, 255, 1025, 70_001};

    @DeviceSpec
    void constants(Device device) {
        for (DType t : DType.values()) {
            double[] values = t.isFloat()
                    ? new double[] {0, -0.0, 1.1, -2.5, Double.NaN, Double.NEGATIVE_INFINITY, 5.97e-8}
                    : t == DType.BOOL ? new double[] {0, 1, -3} : new double[] {0, 1, 200};
            for (double v : values) {
                long want = t.isFloat() ? Laid.bits(t, v) : t == DType.BOOL ? v != 0 ? 1 : 0 : (long) v;
                for (long n : SIZES) {
                    try (Scope s = device.open()) {
                        Tensor x = s.full(t, v, n);
                        assertEquals(t, x.dtype());
                        long[] got = Laid.read(x);
                        assertEquals(n, got.length);
                        for (long g : got) {
                            assertEquals(want, g, () -> t + " " + v + ", " + n + " elements");
                        }
                    }
                }
            }
            try (Scope s = device.open()) {
                assertEquals(Shape.of(2, 0, 3), s.full(t, 1, 2, 0, 3).shape());
                assertEquals(1, s.ones(t).item());
                assertArrayEquals(new long[6], s.zeros(t, 2, 3).to(DType.I64).toLongArray());
            }
        }
        try (Scope s = device.open()) {
            assertEquals(-0x1p53, s.full(DType.I64, -0x1p53, 3).get(2));
            assertEquals(-7, s.full(DType.I32, -7, 5).get(4));
        }
    }

    @DeviceSpec
    void identities(Device device) {
        for (DType t : DType.values()) {
            for (long[] size : new long[][] {{0, 3}, {1, 1}, {5, 5}, {3, 70}, {70, 3}, {129, 130}}) {
                try (Scope s = device.open()) {
                    Tensor x = s.eye(t, size[0], size[1]);
                    assertEquals(Shape.of(size), x.shape());
                    long[] got = x.to(DType.I64).toLongArray();
                    for (int i = 0; i < got.length; i++) {
                        assertEquals(i / size[1] == i % size[1] ? 1 : 0, got[i]);
                    }
                }
            }
        }
    }

    @DeviceSpec
    void sequences(Device device) {
        Random r = new Random(SEED);
        for (DType t : DType.values()) {
            if (t == DType.BOOL) {
                continue;
            }
            for (int n : new int[] {0, 1, 2, 100, 40_000}) {
                if (t == DType.U8 && n > 256 || t == DType.F16 && n > 2048 || t == DType.BF16 && n > 256) {
                    continue;
                }
                try (Scope s = device.open()) {
                    long[] got = Laid.read(s.arange(t, n));
                    assertEquals(n, got.length);
                    for (int i = 0; i < n; i++) {
                        assertEquals(t.isFloat() ? Laid.bits(t, (double) i) : i, got[i]);
                    }
                }
            }
            double start = t.isFloat() ? r.nextGaussian() : r.nextInt(50);
            double step = t.isFloat() ? 0.1 + r.nextDouble() : 3;
            try (Scope s = device.open()) {
                long[] got = Laid.read(s.arange(t, start, start + step * 60.5, step));
                assertEquals(61, got.length);
                for (int i = 0; i < got.length; i++) {
                    assertEquals(t.isFloat() ? Laid.bits(t, start + i * step) : (long) (start + i * step), got[i]);
                }
                if (t != DType.U8) {
                    assertEquals(t.isFloat() ? Laid.bits(t, 1.0 - 3) : -2, Laid.read(s.arange(t, 4, -3.5, -3))[2]);
                }
                if (t.isFloat()) {
                    for (int count : new int[] {0, 1, 2, 5, 1000}) {
                        long[] line = Laid.read(s.linspace(t, -1.5, 7.1, count));
                        assertEquals(count, line.length);
                        for (int i = 0; i < count; i++) {
                            double v = i > 0 && i == count - 1 ? 7.1 : -1.5 + i * ((7.1 + 1.5) / (count - 1));
                            assertEquals(Laid.bits(t, i == 0 ? -1.5 : v), line[i], t + " " + count + " [" + i + "]");
                        }
                    }
                }
            }
        }
    }

    /** The same bits as from the CPU's plain path, for shapes and bounds of all sorts. */
    @DeviceSpec
    void randomNumbersAreTheCpus(Device device) {
        Random r = new Random(SEED + 1);
        for (int round = 0; round < 12; round++) {
            long seed = r.nextLong();
            long n = SIZES[r.nextInt(SIZES.length)];
            double low = r.nextGaussian() * 10;
            double high = low + Math.exp(5 * r.nextGaussian());
            for (DType t : DType.values()) {
                if (t.isFloat()) {
                    same(device, s -> s.uniform(t, seed, low, high, n, 1));
                    same(device, s -> s.normal(t, seed, 1, n));
                }
                long least = t == DType.BOOL || t == DType.U8 ? 0 : -1 - r.nextInt(100);
                long most = t == DType.BOOL ? 2 : 1 + r.nextInt(t == DType.U8 ? 255 : 2000);
                same(device, s -> s.integers(t, seed, least, most, n));
            }
        }
        same(device, s -> s.integers(DType.I32, 5, Integer.MIN_VALUE, 1L + Integer.MAX_VALUE, 999));
        same(device, s -> s.uniform(DType.F16, 5, 0, 1e-7, 999));
    }

    private static void same(Device device, Function<Scope, Tensor> make) {
        try (Scope s = device.open();
                Scope plain = Device.of("cpu:scalar").open()) {
            Tensor there = make.apply(plain);
            Tensor here = make.apply(s);
            assertEquals(there.shape(), here.shape());
            long[] want = Laid.read(there);
            assertArrayEquals(want, Laid.read(here), () -> here.dtype() + " " + here.shape() + " instead of "
                    + Arrays.toString(Arrays.copyOf(want, Math.min(4, want.length)))
                    + "..., replay with -Dgramian.seed="
                    + SEED);
        }
    }

    /** What a number below p meets is 0 whatever it was, the rest grows; numbers by any layout. */
    @DeviceSpec
    void dropout(Device device) {
        Random r = new Random(SEED);
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            for (Laid.Lie lie : Laid.Lie.values()) {
                for (long[] shape : new long[][] {{}, {3}, {0, 5}, {5, 1}, {3, 4, 7}, {2, 1300}}) {
                    try (Scope s = device.open()) {
                        Laid x = Laid.of(s, Laid.any(r), t, lie, shape);
                        double p = r.nextInt(4) == 0 ? 0 : r.nextDouble();
                        long seed = r.nextLong();
                        long[] wide = Arrays.stream(shape).map(n -> 2 * n + 3).toArray();
                        Layout numbers = Layout.contiguous(Shape.of(wide));
                        for (int axis = 0; axis < shape.length; axis++) {
                            int step = 1 + r.nextInt(2);
                            numbers = numbers.slice(axis, 3, 3 + shape[axis] * step, step);
                        }
                        if (shape.length > 1 && shape[0] == shape[1]) {
                            numbers = numbers.transpose(0, 1);
                        }
                        Op.Dropout op = new Op.Dropout(p, seed, numbers);
                        long[] got = Laid.read(s.run(op, x.tensor()));
                        double[] all = s.uniform(DType.F32, seed, 0, 1, wide).toDoubleArray();
                        double factor = 1 / (1 - p);
                        int i = 0;
                        for (long[] at = new long[shape.length]; i < got.length; i++, next(at, shape)) {
                            double v = all[(int) numbers.index(at)] < (float) p
                                    ? 0
                                    : t == DType.F64 ? x.real(i) * factor : (float) x.real(i) * (float) factor;
                            double y = Laid.real(t, got[i]);
                            assertEquals(v, y, t + " " + lie + " " + Shape.of(shape) + " p " + p + ", element " + i);
                        }
                    }
                }
            }
        }
        try (Scope s = device.open()) {
            Op.Dropout op = new Op.Dropout(0.5, 1, Layout.contiguous(Shape.of(4)));
            assertEquals("dropout: numbers are of another shape; x [2, 2], numbers [4]; give one per element",
                    assertThrows(ShapeException.class, () -> s.run(op, s.ones(2, 2))).getMessage());
            assertEquals("dropout: needs F32 or F64; x is F16 [4]; cast with .to(DType.F32)",
                    assertThrows(DTypeException.class, () -> s.run(op, s.ones(DType.F16, 4))).getMessage());
        }
    }

    private static void next(long[] at, long[] shape) {
        for (int axis = at.length - 1; axis >= 0 && ++at[axis] == shape[axis]; axis--) {
            at[axis] = 0;
        }
    }
}
