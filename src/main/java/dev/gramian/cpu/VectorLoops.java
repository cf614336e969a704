package dev.gramian.cpu;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.gramian.core.MapFn;
import dev.gramian.core.ZipFn;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loops in vector form over one function, templates for {@link Specialize}; null where the tables have no form. A loop
 * calls its step in one place: a second copy of a long function passes what the JIT inlines at most, and it then boxes
 * every vector.
 */
final class VectorLoops {
    private VectorLoops() {}

    static MapKernel f32(MapFn fn) {
        F32Fns.Map first = F32Fns.first(fn);
        if (first != null) {
            return new F32Stages(
                    (MapKernel) Specialize.copy(F32MapLoop.class, first),
                    (ZipKernel) Specialize.copy(F32ZipLoop.class, F32Fns.second(fn)));
        }
        F32Fns.Test test = F32Fns.test(fn);
        if (test != null) {
            ZipKernel k = (ZipKernel) Specialize.copy(F32TestLoop.class, test);
            return (x, out, n, p, q) -> k.run(x, x, out, n);
        }
        F32Fns.Map f = F32Fns.map(fn);
        return f == null ? null : (MapKernel) Specialize.copy(F32MapLoop.class, f);
    }

    static MapKernel f64(MapFn fn) {
        F64Fns.Test test = F64Fns.test(fn);
        if (test != null) {
            ZipKernel k = (ZipKernel) Specialize.copy(F64TestLoop.class, test);
            return (x, out, n, p, q) -> k.run(x, x, out, n);
        }
        F64Fns.Map f = F64Fns.map(fn);
        return f == null ? null : (MapKernel) Specialize.copy(F64MapLoop.class, f);
    }

    static ZipKernel f32(ZipFn fn) {
        F32Fns.Test test = F32Fns.test(fn);
        if (test != null) {
            return (ZipKernel) Specialize.copy(F32TestLoop.class, test);
        }
        F32Fns.Zip f = F32Fns.zip(fn);
        return f == null ? null : (ZipKernel) Specialize.copy(F32ZipLoop.class, f);
    }

    static ZipKernel f64(ZipFn fn) {
        F64Fns.Test test = F64Fns.test(fn);
        if (test != null) {
            return (ZipKernel) Specialize.copy(F64TestLoop.class, test);
        }
        F64Fns.Zip f = F64Fns.zip(fn);
        return f == null ? null : (ZipKernel) Specialize.copy(F64ZipLoop.class, f);
    }

    /** Writes a byte, 0 or 1, for each of so many lanes. */
    static void bytes(long mask, int lanes, long out) {
        if (lanes < 8) {
            long b = Long.expand(mask, 0x01010101_01010101L);
            if (lanes == 4) {
                Mem.i32(out, (int) b);
            } else {
                Mem.i16(out, (short) b);
            }
            return;
        }
        for (int i = 0; i < lanes; i += 8) {
            Mem.i64(out + i, Long.expand(mask >>> i, 0x01010101_01010101L));
        }
    }
}

/** Elements F32: whole vectors, the last one overlapping its neighbour, so that a value never depends on its place. */
final class F32MapLoop implements MapKernel {
    private static final F32Fns.Map FN = Specialize.data(MethodHandles.lookup(), F32Fns.Map.class);
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    F32MapLoop() {}

    @Override
    public void run(long x, long out, long n, double p, double q) {
        float a = (float) p;
        float b = (float) q;
        if (n < LANES) {
            few(x, out, n, a, b);
            return;
        }
        long whole = n - n % LANES;
        loop(x, out, whole, a, b);
        if (whole < n) {
            loop(x + 4 * (n - LANES), out + 4 * (n - LANES), LANES, a, b);
        }
    }

    private static void loop(long x, long out, long n, float a, float b) {
        for (long i = 0; i < n; i += LANES) {
            step(x + 4 * i, out + 4 * i, a, b);
        }
    }

    private static void few(long x, long out, long n, float a, float b) {
        long pad = Scratch.take(Scratch.Slot.WORK, 2L * 4 * LANES);
        long result = pad + 4 * LANES;
        for (long i = 0; i < n; i++) {
            Mem.f32(pad + 4 * i, Mem.f32(x + 4 * i));
        }
        step(pad, result, a, b);
        for (long i = 0; i < n; i++) {
            Mem.f32(out + 4 * i, Mem.f32(result + 4 * i));
        }
    }

    private static void step(long x, long out, float a, float b) {
        FN.apply(FloatVector.fromMemorySegment(SPECIES, Mem.ALL, x, LITTLE_ENDIAN), a, b)
                .intoMemorySegment(Mem.ALL, out, LITTLE_ENDIAN);
    }
}

/** A function in two stages, block by block: second(x, first(x)). */
record F32Stages(MapKernel first, ZipKernel second) implements MapKernel {
    @Override
    public void run(long x, long out, long n, double p, double q) {
        long between = Scratch.take(Scratch.Slot.STAGE, 4L * Elementwise.BLOCK);
        for (long i = 0; i < n; i += Elementwise.BLOCK) {
            long m = Math.min(Elementwise.BLOCK, n - i);
            first.run(x + 4 * i, between, m, p, q);
            second.run(x + 4 * i, between, out + 4 * i, m);
        }
    }
}

/** As {@link F32MapLoop} for two operands. */
final class F32ZipLoop implements ZipKernel {
    private static final F32Fns.Zip FN = Specialize.data(MethodHandles.lookup(), F32Fns.Zip.class);
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    F32ZipLoop() {}

    @Override
    public void run(long x, long y, long out, long n) {
        if (n < LANES) {
            few(x, y, out, n);
            return;
        }
        long whole = n - n % LANES;
        loop(x, y, out, whole);
        if (whole < n) {
            loop(x + 4 * (n - LANES), y + 4 * (n - LANES), out + 4 * (n - LANES), LANES);
        }
    }

    private static void loop(long x, long y, long out, long n) {
        for (long i = 0; i < n; i += LANES) {
            step(x + 4 * i, y + 4 * i, out + 4 * i);
        }
    }

    private static void few(long x, long y, long out, long n) {
        long pad = Scratch.take(Scratch.Slot.WORK, 3L * 4 * LANES);
        long pad2 = pad + 4 * LANES;
        long result = pad2 + 4 * LANES;
        for (long i = 0; i < n; i++) {
            Mem.f32(pad + 4 * i, Mem.f32(x + 4 * i));
            Mem.f32(pad2 + 4 * i, Mem.f32(y + 4 * i));
        }
        step(pad, pad2, result);
        for (long i = 0; i < n; i++) {
            Mem.f32(out + 4 * i, Mem.f32(result + 4 * i));
        }
    }

    private static void step(long x, long y, long out) {
        FN.apply(
                FloatVector.fromMemorySegment(SPECIES, Mem.ALL, x, LITTLE_ENDIAN),
                FloatVector.fromMemorySegment(SPECIES, Mem.ALL, y, LITTLE_ENDIAN))
                .intoMemorySegment(Mem.ALL, out, LITTLE_ENDIAN);
    }
}

/** Elements F64: whole vectors, the last one overlapping its neighbour, so that a value never depends on its place. */
final class F64MapLoop implements MapKernel {
    private static final F64Fns.Map FN = Specialize.data(MethodHandles.lookup(), F64Fns.Map.class);
    private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    F64MapLoop() {}

    @Override
    public void run(long x, long out, long n, double p, double q) {
        double a = p;
        double b = q;
        if (n < LANES) {
            few(x, out, n, a, b);
            return;
        }
        long whole = n - n % LANES;
        loop(x, out, whole, a, b);
        if (whole < n) {
            loop(x + 8 * (n - LANES), out + 8 * (n - LANES), LANES, a, b);
        }
    }

    private static void loop(long x, long out, long n, double a, double b) {
        for (long i = 0; i < n; i += LANES) {
            step(x + 8 * i, out + 8 * i, a, b);
        }
    }

    private static void few(long x, long out, long n, double a, double b) {
        long pad = Scratch.take(Scratch.Slot.WORK, 2L * 8 * LANES);
        long result = pad + 8 * LANES;
        for (long i = 0; i < n; i++) {
            Mem.f64(pad + 8 * i, Mem.f64(x + 8 * i));
        }
        step(pad, result, a, b);
        for (long i = 0; i < n; i++) {
            Mem.f64(out + 8 * i, Mem.f64(result + 8 * i));
        }
    }

    private static void step(long x, long out, double a, double b) {
        FN.apply(DoubleVector.fromMemorySegment(SPECIES, Mem.ALL, x, LITTLE_ENDIAN), a, b)
                .intoMemorySegment(Mem.ALL, out, LITTLE_ENDIAN);
    }
}

/** As {@link F64MapLoop} for two operands. */
final class F64ZipLoop implements ZipKernel {
    private static final F64Fns.Zip FN = Specialize.data(MethodHandles.lookup(), F64Fns.Zip.class);
    private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    F64ZipLoop() {}

    @Override
    public void run(long x, long y, long out, long n) {
        if (n < LANES) {
            few(x, y, out, n);
            return;
        }
        long whole = n - n % LANES;
        loop(x, y, out, whole);
        if (whole < n) {
            loop(x + 8 * (n - LANES), y + 8 * (n - LANES), out + 8 * (n - LANES), LANES);
        }
    }

    private static void loop(long x, long y, long out, long n) {
        for (long i = 0; i < n; i += LANES) {
            step(x + 8 * i, y + 8 * i, out + 8 * i);
        }
    }

    private static void few(long x, long y, long out, long n) {
        long pad = Scratch.take(Scratch.Slot.WORK, 3L * 8 * LANES);
        long pad2 = pad + 8 * LANES;
        long result = pad2 + 8 * LANES;
        for (long i = 0; i < n; i++) {
            Mem.f64(pad + 8 * i, Mem.f64(x + 8 * i));
            Mem.f64(pad2 + 8 * i, Mem.f64(y + 8 * i));
        }
        step(pad, pad2, result);
        for (long i = 0; i < n; i++) {
            Mem.f64(out + 8 * i, Mem.f64(result + 8 * i));
        }
    }

    private static void step(long x, long y, long out) {
        FN.apply(
                DoubleVector.fromMemorySegment(SPECIES, Mem.ALL, x, LITTLE_ENDIAN),
                DoubleVector.fromMemorySegment(SPECIES, Mem.ALL, y, LITTLE_ENDIAN))
                .intoMemorySegment(Mem.ALL, out, LITTLE_ENDIAN);
    }
}

/** As {@link F32ZipLoop} with a byte for each result. */
final class F32TestLoop implements ZipKernel {
    private static final F32Fns.Test FN = Specialize.data(MethodHandles.lookup(), F32Fns.Test.class);
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    F32TestLoop() {}

    @Override
    public void run(long x, long y, long out, long n) {
        if (n < LANES) {
            few(x, y, out, n);
            return;
        }
        long whole = n - n % LANES;
        loop(x, y, out, whole);
        if (whole < n) {
            loop(x + 4 * (n - LANES), y + 4 * (n - LANES), out + n - LANES, LANES);
        }
    }

    private static void loop(long x, long y, long out, long n) {
        for (long i = 0; i < n; i += LANES) {
            step(x + 4 * i, y + 4 * i, out + i);
        }
    }

    private static void few(long x, long y, long out, long n) {
        long pad = Scratch.take(Scratch.Slot.WORK, 3L * 4 * LANES);
        long pad2 = pad + 4 * LANES;
        long result = pad2 + 4 * LANES;
        Moves.bytes(x, pad, 4 * n);
        Moves.bytes(y, pad2, 4 * n);
        step(pad, pad2, result);
        Moves.bytes(result, out, n);
    }

    private static void step(long x, long y, long out) {
        long mask = FN.apply(
                FloatVector.fromMemorySegment(SPECIES, Mem.ALL, x, LITTLE_ENDIAN),
                FloatVector.fromMemorySegment(SPECIES, Mem.ALL, y, LITTLE_ENDIAN))
                .toLong();
        VectorLoops.bytes(mask, LANES, out);
    }
}

/** As {@link F64ZipLoop} with a byte for each result. */
final class F64TestLoop implements ZipKernel {
    private static final F64Fns.Test FN = Specialize.data(MethodHandles.lookup(), F64Fns.Test.class);
    private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    F64TestLoop() {}

    @Override
    public void run(long x, long y, long out, long n) {
        if (n < LANES) {
            few(x, y, out, n);
            return;
        }
        long whole = n - n % LANES;
        loop(x, y, out, whole);
        if (whole < n) {
            loop(x + 8 * (n - LANES), y + 8 * (n - LANES), out + n - LANES, LANES);
        }
    }

    private static void loop(long x, long y, long out, long n) {
        for (long i = 0; i < n; i += LANES) {
            step(x + 8 * i, y + 8 * i, out + i);
        }
    }

    private static void few(long x, long y, long out, long n) {
        long pad = Scratch.take(Scratch.Slot.WORK, 3L * 8 * LANES);
        long pad2 = pad + 8 * LANES;
        long result = pad2 + 8 * LANES;
        Moves.bytes(x, pad, 8 * n);
        Moves.bytes(y, pad2, 8 * n);
        step(pad, pad2, result);
        Moves.bytes(result, out, n);
    }

    private static void step(long x, long y, long out) {
        long mask = FN.apply(
                DoubleVector.fromMemorySegment(SPECIES, Mem.ALL, x, LITTLE_ENDIAN),
                DoubleVector.fromMemorySegment(SPECIES, Mem.ALL, y, LITTLE_ENDIAN))
                .toLong();
        VectorLoops.bytes(mask, LANES, out);
    }
}
