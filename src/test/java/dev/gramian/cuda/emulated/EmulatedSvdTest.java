package dev.gramian.cuda.emulated;

import static jcuda.jcusolver.JCusolverDn.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.cuda.emulated.Emulation.Block;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jcuda.driver.CUdeviceptr;
import jcuda.jcusolver.gesvdjInfo;
import org.junit.jupiter.api.Test;

/** Singular value decompositions of the stand-in for cuSOLVER through JCusolverDn, and what it refuses. */
final class EmulatedSvdTest extends SolverFixture {
    @Test
    void gesvd() {
        int m = 9;
        int n = 5;
        double[] a = matrix(m, n, m + 1);
        for (char job : new char[] {'A', 'S'}) {
            int cols = job == 'A' ? m : n;
            Block da = cuda.doubles(a);
            Block s = cuda.bytes(8 * n);
            Block u = cuda.bytes(8L * m * cols);
            Block vt = cuda.bytes(8 * 6 * n);
            assertEquals(0, cusolverDnDgesvd_bufferSize(handle, m, n, lwork));
            assertEquals(0,
                    cusolverDnDgesvd(handle, job, job, m, n, da, m + 1, s, u, m, vt, 6, work(), lwork[0],
                            new CUdeviceptr(),
                            info));
            assertProduct(a, m + 1, m, n, cuda.doubles(u, m * cols), m, cuda.doubles(s, n), cuda.doubles(vt, 6 * n), 6,
                    true);
            assertOrthonormal(cuda.doubles(u, m * cols), m, cols, m);
            assertEquals(0, infoValue());
            assertTrue(Double.isNaN(cuda.doubles(da, 1)[0]), "a is not to be used any more");
        }
        assertEquals(INVALID, cusolverDnDgesvd_bufferSize(handle, n, m, new int[1]), "wide");
        Block s = cuda.bytes(8 * n);
        Block tall = cuda.doubles(matrix(m, n, m));
        assertEquals(0, x("cusolverDnXgesvd_bufferSize", 'N', 'N', (long) m, (long) n, F64, tall, (long) m, F64, s, F64,
                null, 1L, F64, null, 1L, F64, device, host));
        assertEquals(0, run("cusolverDnXgesvd", 1, 'N', 'N', (long) m, (long) n, F64, tall, (long) m, F64, s, F64, null,
                1L, F64, null, 1L, F64, info));
        assertTrue(cuda.doubles(s, n)[0] > 0);
    }

    @Test
    void gesvdjOfAnyShapeReturnsV() {
        for (int[] shape : new int[][] {{9, 5}, {5, 9}, {1, 1}, {40, 33}}) {
            int m = shape[0];
            int n = shape[1];
            int least = Math.min(m, n);
            double[] a = matrix(m, n, m);
            gesvdjInfo settings = Emulation.created(library(), "cusolverDnCreateGesvdjInfo", new gesvdjInfo());
            for (int econ = 0; econ < 2; econ++) {
                int colsU = econ == 1 ? least : m;
                int colsV = econ == 1 ? least : n;
                Block s = cuda.bytes(8L * least);
                Block u = cuda.bytes(8L * m * colsU);
                Block v = cuda.bytes(8L * n * colsV);
                Block da = cuda.doubles(a);
                assertEquals(0, cusolverDnDgesvdj_bufferSize(handle, VECTORS, econ, m, n, da, m, s, u, m, v, n, lwork,
                        settings));
                assertEquals(0, cusolverDnDgesvdj(handle, VECTORS, econ, m, n, da, m, s, u, m, v, n, work(), lwork[0],
                        info, settings));
                assertProduct(a, m, m, n, cuda.doubles(u, m * colsU), m, cuda.doubles(s, least),
                        cuda.doubles(v, n * colsV), n, false);
                assertOrthonormal(cuda.doubles(v, n * colsV), n, colsV, n);
                assertEquals(0, infoValue());
                MemorySegment residual = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_DOUBLE, 1);
                assertEquals(0, cusolverDnXgesvdjGetResidual(handle, settings, Emulation.host(residual)));
                assertTrue(residual.get(ValueLayout.JAVA_DOUBLE, 0) < 1e-10);
            }
            assertEquals(0, cusolverDnXgesvdjSetMaxSweeps(settings, 1));
            Block s = cuda.bytes(8L * least);
            assertEquals(0, cusolverDnDgesvdj(handle, VECTORS, 0, m, n, cuda.doubles(a), m, s, cuda.bytes(8L * m * m),
                    m, cuda.bytes(8L * n * n), n, work(), lwork[0], info, settings));
            assertEquals(least < 2 ? 0 : least + 1, infoValue(), "not converged");
            assertEquals(0, cusolverDnDestroyGesvdjInfo(settings));
        }
    }

    @Test
    void gesvdjBatched() {
        int m = 4;
        int n = 6;
        int batch = 3;
        double[] a = matrix(m, n * batch, m);
        gesvdjInfo settings = Emulation.created(library(), "cusolverDnCreateGesvdjInfo", new gesvdjInfo());
        for (int sort = 0; sort < 2; sort++) {
            assertEquals(0, cusolverDnXgesvdjSetSortEig(settings, sort));
            Block da = cuda.doubles(a);
            Block s = cuda.bytes(8L * m * batch);
            Block u = cuda.bytes(8L * m * m * batch);
            Block v = cuda.bytes(8L * n * n * batch);
            assertEquals(0, cusolverDnDgesvdjBatched_bufferSize(handle, VECTORS, m, n, da, m, s, u, m, v, n, lwork,
                    settings, batch));
            assertEquals(0, cusolverDnDgesvdjBatched(handle, VECTORS, m, n, da, m, s, u, m, v, n, work(), lwork[0],
                    info, settings, batch));
            double[] values = cuda.doubles(s, m * batch);
            for (int b = 0; b < batch; b++) {
                assertProduct(Arrays.copyOfRange(a, b * m * n, (b + 1) * m * n), m, m, n,
                        Arrays.copyOfRange(cuda.doubles(u, m * m * batch), b * m * m, (b + 1) * m * m), m,
                        Arrays.copyOfRange(values, b * m, (b + 1) * m),
                        Arrays.copyOfRange(cuda.doubles(v, n * n * batch), b * n * n, (b + 1) * n * n), n, false);
            }
            assertEquals(sort == 1, values[0] >= values[1] && values[1] >= values[2] && values[2] >= values[3]);
        }
        assertEquals(INVALID, cusolverDnDgesvdjBatched_bufferSize(handle, VECTORS, 33, n, info, 33, info, info, 33,
                info, n, new int[1], settings, batch), "33 rows");
        Emulation.inject("cusolverDnDgesvdjBatched:info", 5);
        Block x = cuda.bytes(8L * n * n * batch);
        assertEquals(0, cusolverDnDgesvdjBatched(handle, VECTORS, m, n, cuda.doubles(a), m, cuda.bytes(8L * m * batch),
                cuda.bytes(8L * m * m * batch), m, x, n, work(), lwork[0], info, settings, batch));
        assertEquals("[0.0, 5.0, 0.0]", Arrays.toString(cuda.get(Element.I32, info, 3)));
        assertEquals(0, cusolverDnDestroyGesvdjInfo(settings));
    }

    @Test
    void gesvdpSaysHowFarItShiftedASingularMatrix() {
        int m = 6;
        int n = 4;
        double[] regular = matrix(m, n, m);
        double[] singular = regular.clone();
        System.arraycopy(singular, 0, singular, m, m);
        for (double[] a : new double[][] {regular, singular}) {
            Block s = cuda.bytes(8 * n);
            Block u = cuda.bytes(8 * m * n);
            Block v = cuda.bytes(8 * n * n);
            Block da = cuda.doubles(a);
            assertEquals(0, x("cusolverDnXgesvdp_bufferSize", VECTORS, 1, (long) m, (long) n, F64, da, (long) m, F64, s,
                    F64, u, (long) m, F64, v, (long) n, F64, device, host));
            MemorySegment error = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_DOUBLE, -1);
            assertEquals(0, run("cusolverDnXgesvdp", 2, VECTORS, 1, (long) m, (long) n, F64, da, (long) m, F64, s, F64,
                    u, (long) m, F64, v, (long) n, F64, info, error));
            double shift = error.get(ValueLayout.JAVA_DOUBLE, 0);
            assertEquals(a == singular, shift > 0);
            assertProduct(a, m, m, n, cuda.doubles(u, m * n), m, cuda.doubles(s, n), cuda.doubles(v, n * n), n, false);
        }
    }

    @Test
    void gesvdrFindsTheLeadingValues() {
        int m = 12;
        int n = 8;
        double[] x = matrix(m, 2, m);
        double[] y = matrix(n, 2, n);
        double[] a = new double[m * n];
        for (int i = 0; i < m * n; i++) {
            a[i] = x[i % m] * y[i / m] + x[i % m + m] * y[i / m + n];
        }
        Block da = cuda.doubles(a);
        Block s = cuda.bytes(8 * n);
        Block u = cuda.bytes(8 * m * 2);
        Block v = cuda.bytes(8 * n * 2);
        assertEquals(0, x("cusolverDnXgesvdr_bufferSize", 'S', 'S', (long) m, (long) n, 2L, 3L, 1L, F64, da, (long) m,
                F64, s, F64, u, (long) m, F64, v, (long) n, F64, device, host));
        assertEquals(0, run("cusolverDnXgesvdr", 1, 'S', 'S', (long) m, (long) n, 2L, 3L, 1L, F64, da, (long) m, F64, s,
                F64, u, (long) m, F64, v, (long) n, F64, info));
        assertProduct(a, m, m, n, cuda.doubles(u, 2 * m), m, cuda.doubles(s, 2), cuda.doubles(v, 2 * n), n, false);
        assertEquals(INVALID, x("cusolverDnXgesvdr_bufferSize", 'S', 'S', (long) m, (long) n, 5L, 3L, 1L, F64, da,
                (long) m, F64, s, F64, u, (long) m, F64, v, (long) n, F64, device, host), "k + p = min(m, n)");
    }

    @Test
    void whatIsNotFiniteIsNotReported() {
        double[] a = {Double.NaN, 0, 0, 1};
        Block s = cuda.bytes(16);
        Block u = cuda.bytes(32);
        Block v = cuda.bytes(32);
        gesvdjInfo settings = Emulation.created(library(), "cusolverDnCreateGesvdjInfo", new gesvdjInfo());
        assertEquals(0, cusolverDnDgesvdj_bufferSize(handle, VECTORS, 0, 2, 2, s, 2, s, u, 2, v, 2, lwork, settings));
        assertEquals(0, cusolverDnDgesvdj(handle, VECTORS, 0, 2, 2, cuda.doubles(a), 2, s, u, 2, v, 2, work(), lwork[0],
                info, settings));
        assertEquals("[1.414, 1.414]", Arrays.toString(cuda.doubles(s, 2)), "as the real one was seen to do");
        assertEquals(0, infoValue());
        assertEquals(0, cusolverDnDgesvd_bufferSize(handle, 2, 2, lwork));
        assertEquals(0, cusolverDnDgesvd(handle, 'A', 'A', 2, 2, cuda.doubles(a), 2, s, u, 2, v, 2, work(), lwork[0],
                new CUdeviceptr(), info));
        assertTrue(infoValue() > 0);
        assertEquals(0, cusolverDnDestroyGesvdjInfo(settings));
    }
}
