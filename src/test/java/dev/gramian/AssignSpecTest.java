package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.Spec;
import dev.gramian.ops.Laid;
import dev.gramian.ops.Laid.Lie;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Writes into parts of memory that exists: those elements get new values, no other does. */
final class AssignSpecTest {
    private static final long SEED = Seed.VALUE;

    /** Views of (a, b, c) that name no element twice. */
    private static List<Tensor> parts(Tensor x) {
        List<Tensor> all = new ArrayList<>(List.of(x, x.transpose(0, 2), x.permute(1, 2, 0), x.flatten(),
                x.select(1, -1), x.select(2, 0), x.slice(0, 1, Long.MAX_VALUE), x.slice(2, 3, -2), x.slice(1, 0, 1),
                x.slice(2, 0, Long.MAX_VALUE, 3), x.slice(1, -1, Long.MIN_VALUE, -2), x.flip(0).flip(1).flip(2),
                x.slice(0, 2, 2), x.select(0, 0).select(0, 0).select(0, 0), x.select(0, 0).diagonal()));
        if (x.dim(2) % 2 == 0) {
            all.add(x.reshape(x.dim(0), x.dim(1), x.dim(2) / 2, 2).permute(3, 1, 0, 2));
        }
        return all;
    }

    private static long[] places(Layout l, long memory) {
        long[] all = new long[Math.toIntExact(memory)];
        Arrays.setAll(all, i -> i);
        return Laid.gather(all, l);
    }

    @DeviceSpec
    void onlyTheElementsNamed(Device device) {
        Random r = new Random(SEED);
        for (DType t : DType.values()) {
            for (long[] shape : new long[][] {{3, 5, 16}, {4, 33, 34}, {70, 2, 9}}) {
                try (Scope s = device.open()) {
                    Tensor whole = s.block(new Spec(Shape.of(shape), t));
                    Laid first = Laid.of(s, Laid.noise(r), t, Lie.CONTIGUOUS, shape);
                    s.assign(whole, first.tensor());
                    long[] memory = first.bits().clone();
                    for (Tensor part : parts(whole)) {
                        Lie lie = Lie.values()[r.nextInt(Lie.values().length)];
                        Laid from = Laid.of(s, Laid.noise(r), t, lie, part.shape().toArray());
                        s.assign(part, from.tensor());
                        long[] at = places(part.layout(), memory.length);
                        for (int i = 0; i < at.length; i++) {
                            memory[(int) at[i]] = from.bits()[i];
                        }
                        assertArrayEquals(memory, Laid.read(whole), () -> t + " into " + part.layout() + " from "
                                + from.tensor().layout() + ", replay with -Dgramian.seed=" + SEED);
                    }
                }
            }
        }
    }

    /** Target and source are parts of one memory, woven into each other, without a common element. */
    @DeviceSpec
    void partsOfOneMemory(Device device) {
        Random r = new Random(SEED + 1);
        for (DType t : DType.values()) {
            try (Scope s = device.open()) {
                Tensor whole = s.block(new Spec(Shape.of(6, 40, 34), t));
                Laid first = Laid.of(s, Laid.noise(r), t, Lie.CONTIGUOUS, 6, 40, 34);
                s.assign(whole, first.tensor());
                long[] memory = first.bits().clone();
                Tensor[][] pairs = {
                    {whole.slice(2, 0, Long.MAX_VALUE, 2), whole.slice(2, 1, Long.MAX_VALUE, 2)},
                    {whole.slice(1, 1, Long.MAX_VALUE, 2), whole.slice(1, 0, Long.MAX_VALUE, 2).flip(2)},
                    {whole.slice(0, 0, 3), whole.slice(0, 3, 6).flip(0).flip(1)},
                    {whole.slice(1, 0, 17).slice(2, 0, 17), whole.slice(1, 20, 37).slice(2, 17, 34).transpose(1, 2)},
                };
                for (Tensor[] pair : pairs) {
                    long[] from = places(pair[1].layout(), memory.length);
                    long[] to = places(pair[0].layout(), memory.length);
                    long[] after = memory.clone();
                    for (int i = 0; i < to.length; i++) {
                        after[(int) to[i]] = memory[(int) from[i]];
                    }
                    memory = after;
                    s.assign(pair[0], pair[1]);
                    assertArrayEquals(memory, Laid.read(whole),
                            () -> t + " into " + pair[0].layout() + " from " + pair[1].layout());
                }
            }
        }
    }

    /** A write comes after earlier reads of what it overwrites and before later ones. */
    @DeviceSpec
    void inOrderWithReads(Device device) {
        try (Scope s = device.open()) {
            Tensor whole = s.block(new Spec(Shape.of(1000), DType.I64));
            s.assign(whole, s.zeros(DType.I64, 1000));
            Tensor before = whole;
            for (int i = 1; i <= 20; i++) {
                Tensor read = before.add(0);
                s.assign(whole.slice(0, 0, 1000, 1), s.full(DType.I64, i, 1000));
                assertArrayEquals(new long[] {1000L * (i - 1), 1000L * i},
                        new long[] {read.sum().itemLong(), whole.sum().itemLong()});
            }
        }
    }
}
