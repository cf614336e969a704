package dev.gramian.cuda.emulated;

import static jcuda.jcublas.cublasFillMode.CUBLAS_FILL_MODE_LOWER;
import static jcuda.jcublas.cublasFillMode.CUBLAS_FILL_MODE_UPPER;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;
import static jcuda.jcublas.cublasSideMode.CUBLAS_SIDE_LEFT;
import static jcuda.jcusolver.JCusolverDn.*;
import static jcuda.jcusolver.cusolverEigRange.CUSOLVER_EIG_RANGE_I;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.cuda.emulated.Emulation.Block;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jcuda.driver.CUdeviceptr;
import jcuda.jcusolver.syevjInfo;
import org.junit.jupiter.api.Test;

/** Systems and eigenvalues of the stand-in for cuSOLVER through JCusolverDn, and what it refuses and records. */
final class EmulatedSolverTest extends SolverFixture {
    @Test
    void eigenvaluesReadOneTriangle() {
        int n = 7;
        double[] a = positive(n);
        syevjInfo settings = Emulation.created(library(), "cusolverDnCreateSyevjInfo", new syevjInfo());
        assertEquals(0, cusolverDnXsyevjSetSortEig(settings, 0));
        for (int uplo : new int[] {CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER}) {
            double[] triangle = a.clone();
            for (int i = 0; i < n * n; i++) {
                boolean lower = i % n >= i / n;
                triangle[i] = i % n == i / n || lower == (uplo == CUBLAS_FILL_MODE_LOWER) ? a[i] : Double.NaN;
            }
            Block w = cuda.bytes(8 * n);
            Block v = cuda.doubles(triangle);
            assertEquals(0, cusolverDnDsyevd_bufferSize(handle, VECTORS, uplo, n, v, n, w, lwork));
            assertEquals(0, cusolverDnDsyevd(handle, VECTORS, uplo, n, v, n, w, work(), lwork[0], info));
            double[] vectors = cuda.doubles(v, n * n);
            double[] values = cuda.doubles(w, n);
            assertProduct(a, n, n, n, vectors, n, values, vectors, n, false);
            double[] sorted = values.clone();
            Arrays.sort(sorted);
            assertEquals(Arrays.toString(sorted), Arrays.toString(values));

            v = cuda.doubles(triangle);
            assertEquals(0, cusolverDnDsyevjBatched_bufferSize(handle, VECTORS, uplo, n, v, n, w, lwork, settings, 1));
            assertEquals(0, cusolverDnDsyevjBatched(handle, VECTORS, uplo, n, v, n, w, work(), lwork[0], info, settings,
                    1));
            assertProduct(a, n, n, n, cuda.doubles(v, n * n), n, cuda.doubles(w, n), cuda.doubles(v, n * n), n, false);
            assertTrue(cuda.doubles(w, n)[0] != values[0], "not sorted");

            v = cuda.doubles(triangle);
            MemorySegment count = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_LONG, -1);
            assertEquals(0, x("cusolverDnXsyevdx_bufferSize", VECTORS, CUSOLVER_EIG_RANGE_I, uplo, (long) n, F64, v,
                    (long) n, null, null, 2L, 4L, count, F64, w, F64, device, host));
            assertEquals(0, run("cusolverDnXsyevdx", 1, VECTORS, CUSOLVER_EIG_RANGE_I, uplo, (long) n, F64, v, (long) n,
                    null, null, 2L, 4L, count, F64, w, F64, info));
            assertEquals(3, count.get(ValueLayout.JAVA_LONG, 0));
            double[] some = cuda.doubles(w, n);
            assertEquals(values[1], some[0], 1e-12);
            assertEquals(values[3], some[2], 1e-12);
            assertTrue(Double.isNaN(some[3]));
        }
        assertEquals(0, cusolverDnDestroySyevjInfo(settings));
    }

    @Test
    void qr() {
        int m = 8;
        int n = 5;
        double[] a = matrix(m, n, m);
        Block q = cuda.doubles(a);
        Block tau = cuda.bytes(8 * n);
        assertEquals(0, cusolverDnDgeqrf_bufferSize(handle, m, n, q, m, lwork));
        assertEquals(0, cusolverDnDgeqrf(handle, m, n, q, m, tau, work(), lwork[0], info));
        double[] r = cuda.doubles(q, m * n);
        Block c = cuda.doubles(a);
        assertEquals(0, cusolverDnDormqr_bufferSize(handle, CUBLAS_SIDE_LEFT, CUBLAS_OP_T, m, n, n, q, m, tau, c, m,
                lwork));
        assertEquals(0, cusolverDnDormqr(handle, CUBLAS_SIDE_LEFT, CUBLAS_OP_T, m, n, n, q, m, tau, c, m, work(),
                lwork[0], info));
        double[] rotated = cuda.doubles(c, m * n);
        assertEquals(0, cusolverDnDorgqr_bufferSize(handle, m, n, n, q, m, tau, lwork));
        assertEquals(0, cusolverDnDorgqr(handle, m, n, n, q, m, tau, work(), lwork[0], info));
        double[] factor = cuda.doubles(q, m * n);
        assertOrthonormal(factor, m, n, m);
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int l = 0; l <= j; l++) {
                    sum += factor[i + l * m] * r[l + j * m];
                }
                assertEquals(a[i + j * m], sum, 1e-12);
                assertEquals(i <= j ? r[i + j * m] : 0, rotated[i + j * m], 1e-12);
            }
        }
        assertEquals(0, infoValue());
    }

    @Test
    void luWithAndWithoutPivots() {
        int n = 6;
        double[] a = positive(n);
        a[n] += 3;
        double[] b = matrix(n, 2, n);
        for (int trans : new int[] {CUBLAS_OP_N, CUBLAS_OP_T}) {
            for (CUdeviceptr pivots : new CUdeviceptr[] {cuda.bytes(4 * n), new CUdeviceptr()}) {
                Block lu = cuda.doubles(a);
                Block x = cuda.doubles(b);
                assertEquals(0, cusolverDnDgetrf_bufferSize(handle, n, n, lu, n, lwork));
                assertEquals(0, cusolverDnDgetrf(handle, n, n, lu, n, work(), pivots, info));
                assertEquals(0, cusolverDnDgetrs(handle, trans, n, 2, lu, n, pivots, x, n, info));
                assertSolves(a, n, trans == CUBLAS_OP_T, b, cuda.doubles(x, 2 * n));
            }
        }
        Block pivots = cuda.bytes(8 * n);
        Block lu = cuda.doubles(a);
        Block x = cuda.doubles(b);
        assertEquals(0, x("cusolverDnXgetrf_bufferSize", (long) n, (long) n, F64, lu, (long) n, F64, device, host));
        assertEquals(0, run("cusolverDnXgetrf", 1, (long) n, (long) n, F64, lu, (long) n, pivots, F64, info));
        assertEquals(0, x("cusolverDnXgetrs", CUBLAS_OP_N, (long) n, 2L, F64, lu, (long) n, pivots, F64, x, (long) n,
                info));
        assertSolves(a, n, false, b, cuda.doubles(x, 2 * n));
        assertEquals(0, cusolverDnDgetrf(handle, n, n, cuda.doubles(new double[n * n]), n, work(), pivots, info));
        assertEquals(1, infoValue(), "singular from the first pivot on");
        assertEquals(0,
                cusolverDnDgetrs(handle, CUBLAS_OP_N, n, 2, lu, n, cuda.put(Element.I32, 0, 0, 0, 0, 0, 0), x, n,
                        info));
        assertEquals("cusolverDnDgetrs: the pivots are not row numbers from 1 to 6", cuda.errors());
    }

    private static void assertSolves(double[] a, int n, boolean trans, double[] b, double[] x) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < 2; j++) {
                double sum = 0;
                for (int l = 0; l < n; l++) {
                    sum += (trans ? a[l + i * n] : a[i + l * n]) * x[l + j * n];
                }
                assertEquals(b[i + j * n], sum, 1e-10);
            }
        }
    }

    @Test
    void cholesky() {
        int n = 6;
        double[] a = positive(n);
        double[] b = matrix(n, 2, n);
        for (int uplo : new int[] {CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER}) {
            Block factor = cuda.doubles(a);
            Block x = cuda.doubles(b);
            assertEquals(0, cusolverDnDpotrf_bufferSize(handle, uplo, n, factor, n, lwork));
            assertEquals(0, cusolverDnDpotrf(handle, uplo, n, factor, n, work(), lwork[0], info));
            assertEquals(0, cusolverDnDpotrs(handle, uplo, n, 2, factor, n, x, n, info));
            assertSolves(a, n, false, b, cuda.doubles(x, 2 * n));
            double[] indefinite = a.clone();
            indefinite[2 + 2 * n] = -1;
            assertEquals(0, cusolverDnDpotrfBatched(handle, uplo, n, cuda.array(cuda.doubles(indefinite), factor), n,
                    info, 2));
            assertEquals(3, infoValue());
        }
        assertEquals(INVALID, cusolverDnDpotrsBatched(handle, 0, n, 2, info, n, info, n, info, 1), "two right sides");
    }

    @Test
    void workspacesAreChecked() {
        int n = 3;
        Block a = cuda.doubles(positive(n));
        assertEquals(0, cusolverDnDpotrf_bufferSize(handle, 0, n, a, n, lwork));
        assertEquals(INVALID, cusolverDnDpotrf(handle, 0, n, a, n, work(), lwork[0] - 1, info), "said to be small");
        assertEquals(FAILED, cusolverDnDpotrf(handle, 0, n, a, n, cuda.bytes(8L * lwork[0] - 8), lwork[0], info));
        assertTrue(cuda.errors().startsWith("cusolverDnDpotrf: the workspace"), "really too small");
        assertEquals(0, x("cusolverDnXsyevd_bufferSize", VECTORS, 0, (long) n, F64, a, (long) n, F64, a, F64, device,
                host));
        long onDevice = device.get(ValueLayout.JAVA_LONG, 0);
        long onHost = host.get(ValueLayout.JAVA_LONG, 0);
        assertTrue(onHost > 0);
        assertEquals(INVALID, x("cusolverDnXsyevd", VECTORS, 0, (long) n, F64, a, (long) n, F64, a, F64,
                cuda.bytes(onDevice), onDevice, cuda.bytes(onHost), onHost, info));
        assertTrue(cuda.errors().startsWith("cusolverDnXsyevd: the host workspace"), "on the device");
        Emulation.inject("cusolverDnDpotrf:info", 2);
        assertEquals(0, cusolverDnDpotrf(handle, 0, n, a, n, work(), lwork[0], info));
        assertEquals(2, infoValue());
    }
}
