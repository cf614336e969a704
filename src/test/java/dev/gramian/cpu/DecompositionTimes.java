package dev.gramian.cpu;

import dev.gramian.core.Decomposition;
import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.core.Spec;
import dev.gramian.core.SvdMode;
import dev.gramian.core.View;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;

/** Prints the figures of native-notes/cpu/decompositions.md: wall-clock and processor time of thin SVDs. */
final class DecompositionTimes {
    private static final CpuMemory MEMORY = new CpuMemory(Long.MAX_VALUE / 4, 1L << 30);
    private static final Workers[] WORKERS = {new Workers(1), new Workers(2)};

    private DecompositionTimes() {}

    public static void main(String[] args) {
        Lapack java = new JavaLapack();
        Lapack openBlas = new OpenBlasLapack(NativeLibrary.openBlas());
        System.out.println(openBlas.describe());
        for (DType t : new DType[] {DType.F32, DType.F64}) {
            time(openBlas, t, 31, 256, 64, 64);
            time(openBlas, t, 9, 768, 768);
            time(openBlas, t, 9, 1000, 768);
            time(java, t, 101, 64, 64);
            time(java, t, 9, 256, 64, 64);
            time(java, t, 9, 256, 256);
            time(java, t, 3, 768, 768);
        }
        time(openBlas, DType.F32, 1, 2048, 2048);
    }

    /** One and two threads take turns. */
    private static void time(Lapack lapack, DType t, int rounds, long... sizes) {
        Shape shape = Shape.of(sizes);
        View a = view(new Spec(shape, t));
        Random random = new Random(1);
        long at = CpuStorage.address(a);
        for (long i = 0; i < shape.size(); i++) {
            if (t == DType.F64) {
                Mem.f64(at + 8 * i, random.nextDouble() - 0.5);
            } else {
                Mem.f32(at + 4 * i, random.nextFloat() - 0.5f);
            }
        }
        Decomposition.Svd op = new Decomposition.Svd(SvdMode.THIN);
        View[] out = Arrays.stream(op.results(a)).map(DecompositionTimes::view).toArray(View[]::new);
        int threads = shape.rank() > 2 ? 2 : 1;
        double[][] wall = new double[threads][rounds];
        double[][] process = new double[threads][rounds];
        double[][] caller = new double[threads][rounds];
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        var thread = ManagementFactory.getThreadMXBean();
        for (int i = -Math.min(5, rounds / 2); i < rounds; i++) {
            for (int k = 0; k < threads; k++) {
                Decompositions d = new Decompositions(lapack, WORKERS[k]);
                long cpu = system.getProcessCpuTime();
                long mine = thread.getCurrentThreadCpuTime();
                long start = System.nanoTime();
                d.svd(op, a, out);
                int slot = Math.max(0, i);
                wall[k][slot] = (System.nanoTime() - start) / 1e6;
                caller[k][slot] = (thread.getCurrentThreadCpuTime() - mine) / 1e6;
                process[k][slot] = (system.getProcessCpuTime() - cpu) / 1e6;
            }
        }
        for (int k = 0; k < threads; k++) {
            Arrays.sort(wall[k]);
            System.out.printf(
                    "%s %s %s, %d thread(s): wall median %.2f min %.2f ms; "
                            + "cpu of the caller %.2f, of the process %.2f ms%n",
                    lapack.getClass().getSimpleName(), t, shape, k + 1, wall[k][rounds / 2], wall[k][0],
                    Arrays.stream(caller[k]).average().orElse(0), Arrays.stream(process[k]).average().orElse(0));
        }
        MEMORY.free((CpuStorage) a.storage());
        for (View v : out) {
            MEMORY.free((CpuStorage) v.storage());
        }
    }

    private static View view(Spec spec) {
        return new View(MEMORY.allocate(spec.bytes()), Layout.contiguous(spec.shape()), spec.dtype());
    }
}
