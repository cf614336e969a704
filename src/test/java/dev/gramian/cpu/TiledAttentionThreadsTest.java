package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gramian.core.Band;
import dev.gramian.core.DType;
import dev.gramian.core.Op;
import dev.gramian.core.Shape;
import dev.gramian.core.Spec;
import dev.gramian.core.View;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Tasks are cut by the number of threads; results are not. */
class TiledAttentionThreadsTest {
    private static View drawn(Random r, long... dims) {
        View v = Views.fresh(Shape.of(dims), DType.F32);
        long a = CpuStorage.address(v);
        for (long i = 0; i < v.shape().size(); i++) {
            Mem.f32(a + 4 * i, (float) r.nextGaussian());
        }
        return v;
    }

    private static int[] bits(View v) {
        int[] x = new int[(int) v.shape().size()];
        for (int i = 0; i < x.length; i++) {
            x[i] = Mem.i32(CpuStorage.address(v) + 4L * i);
        }
        return x;
    }

    @Test
    void sameBitsForEveryNumberOfThreads() {
        Random r = new Random(Views.SEED);
        View q = drawn(r, 2, 3, 150, 20);
        View k = drawn(r, 2, 1, 333, 20);
        View v = drawn(r, 2, 1, 333, 10);
        for (Band band : new Band[] {Band.OPEN, Band.causal(40), new Band(-30, 200)}) {
            Op.Attention op = new Op.Attention(0.3, 0, band, 0, Set.of());
            int[][] first = null;
            for (int threads : new int[] {1, 2, 5}) {
                View[] out = Views.results(
                        new Spec(Shape.of(2, 3, 150, 10), DType.F32), new Spec(Shape.of(2, 3, 150), DType.F32));
                new TiledAttention(new Workers(threads)).run(op, new View[] {q, k, v}, out);
                int[][] y = {bits(out[0]), bits(out[1])};
                first = first == null ? y : first;
                assertArrayEquals(first, y, "seed " + Views.SEED + " " + band + " " + threads + " threads");
            }
        }
    }
}
