package dev.gramian.cuda.emulated;

import static jcuda.jcublas.JCublas2.cublasDgeam;
import static jcuda.jcublas.JCublas2.cublasDgemv;
import static jcuda.jcublas.JCublas2.cublasDgetrfBatched;
import static jcuda.jcublas.JCublas2.cublasDgetriBatched;
import static jcuda.jcublas.JCublas2.cublasDgetrsBatched;
import static jcuda.jcublas.JCublas2.cublasDnrm2;
import static jcuda.jcublas.JCublas2.cublasDsyrk;
import static jcuda.jcublas.JCublas2.cublasDtrsm;
import static jcuda.jcublas.cublasDiagType.CUBLAS_DIAG_NON_UNIT;
import static jcuda.jcublas.cublasDiagType.CUBLAS_DIAG_UNIT;
import static jcuda.jcublas.cublasFillMode.CUBLAS_FILL_MODE_LOWER;
import static jcuda.jcublas.cublasFillMode.CUBLAS_FILL_MODE_UPPER;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;
import static jcuda.jcublas.cublasSideMode.CUBLAS_SIDE_LEFT;
import static jcuda.jcublas.cublasSideMode.CUBLAS_SIDE_RIGHT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.cuda.emulated.Emulation.Block;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jcuda.Pointer;
import org.junit.jupiter.api.Test;

/** What the stand-in for cuBLAS has beside products, through JCublas2, against plain loops in float64. */
final class EmulatedRoutinesTest extends BlasFixture {
    @Test
    void triangularSystems() {
        int n = 7;
        for (int choice = 0; choice < 16; choice++) {
            boolean left = (choice & 1) == 0;
            boolean lower = (choice & 2) == 0;
            boolean trans = (choice & 4) == 0;
            boolean unit = (choice & 8) == 0;
            int rows = left ? n : 3;
            int cols = left ? 3 : n;
            double[] a = new double[n * n];
            double[][] op = new double[n][n];
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    boolean read = i == j ? !unit : lower == i > j;
                    a[i + j * n] = read ? i == j ? 2 + i : (random.nextInt(9) - 4) / 8.0 : Double.NaN;
                    double value = i == j && unit ? 1 : read ? a[i + j * n] : 0;
                    op[trans ? j : i][trans ? i : j] = value;
                }
            }
            double[] b = values(Element.F64, rows * cols);
            Block x = cuda.doubles(b);
            assertEquals(0, cublasDtrsm(handle, left ? CUBLAS_SIDE_LEFT : CUBLAS_SIDE_RIGHT,
                    lower ? CUBLAS_FILL_MODE_LOWER : CUBLAS_FILL_MODE_UPPER, trans ? CUBLAS_OP_T : CUBLAS_OP_N,
                    unit ? CUBLAS_DIAG_UNIT : CUBLAS_DIAG_NON_UNIT, rows, cols, Pointer.to(new double[] {2}),
                    cuda.doubles(a), n, x, rows));
            double[] solved = cuda.doubles(x, rows * cols);
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < cols; j++) {
                    double sum = 0;
                    for (int l = 0; l < n; l++) {
                        sum += left ? op[i][l] * solved[l + j * rows] : solved[i + l * rows] * op[l][j];
                    }
                    assertEquals(2 * b[i + j * rows], sum, 1e-12);
                }
            }
        }
    }

    @Test
    void sumsAndRankUpdates() {
        Pointer one = Pointer.to(new double[] {1});
        Pointer zero = Pointer.to(new double[1]);
        Block a = cuda.doubles(1, 2, 3, 4, 5, 6);
        Block c = cuda.doubles(Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
        assertEquals(0, cublasDgeam(handle, CUBLAS_OP_T, CUBLAS_OP_N, 3, 2, one, a, 2, zero, c, 3, c, 3));
        assertEquals("[1.0, 3.0, 5.0, 2.0, 4.0, 6.0]", Arrays.toString(cuda.doubles(c, 6)));
        assertEquals(INVALID, cublasDgeam(handle, CUBLAS_OP_T, CUBLAS_OP_N, 2, 2, one, a, 2, one, c, 2, a, 2),
                "in place and transposed");
        Block s = cuda.doubles(-1, -1, Double.NaN, -1);
        assertEquals(0, cublasDsyrk(handle, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, 2, 3, one, a, 2, one, s, 2));
        assertEquals("[34.0, 43.0, NaN, 55.0]", Arrays.toString(cuda.doubles(s, 4)));
        Block y = cuda.doubles(Double.NaN, -7, Double.NaN);
        assertEquals(0, cublasDgemv(handle, CUBLAS_OP_N, 2, 3, one, a, 2, cuda.doubles(1, 0, 2), -1, zero, y, 2));
        assertEquals("[7.0, -7.0, 10.0]", Arrays.toString(cuda.doubles(y, 3)));
        double[] norm = new double[1];
        assertEquals(0, cublasDnrm2(handle, 2, cuda.doubles(3e200, 4e200), 1, Pointer.to(norm)));
        assertEquals(5e200, norm[0], 1e186);
    }

    @Test
    void manySmallSystems() {
        int n = 5;
        double[] a = values(Element.F64, n * n);
        double[] b = values(Element.F64, n * 2);
        Block factors = cuda.doubles(a);
        Block singular = cuda.doubles(new double[n * n]);
        Block matrices = cuda.array(factors, singular);
        Block pivots = cuda.bytes(4L * 2 * n);
        Block info = cuda.bytes(8);
        assertEquals(0, cublasDgetrfBatched(handle, n, matrices, n, pivots, info, 2));
        assertEquals("[0.0, 1.0]", Arrays.toString(cuda.get(Element.I32, info, 2)));
        Block x = cuda.doubles(b);
        MemorySegment host = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_INT, -1);
        assertEquals(0, cublasDgetrsBatched(handle, CUBLAS_OP_T, n, 2, cuda.array(factors), n, pivots, cuda.array(x),
                n, Emulation.host(host), 1));
        assertEquals(0, host.get(ValueLayout.JAVA_INT, 0));
        double[] solved = cuda.doubles(x, 2 * n);
        Block inverse = cuda.doubles(a);
        assertEquals(0,
                cublasDgetriBatched(handle, n, cuda.array(factors), n, pivots, cuda.array(inverse), n, info, 1));
        double[] inverted = cuda.doubles(inverse, n * n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double unit = 0;
                double right = 0;
                for (int l = 0; l < n; l++) {
                    unit += a[i + l * n] * inverted[l + j * n];
                    right += j < 2 ? a[l + i * n] * solved[l + j * n] : 0;
                }
                assertEquals(i == j ? 1 : 0, unit, 1e-9);
                assertTrue(j >= 2 || Math.abs(right - b[i + j * n]) < 1e-9);
            }
        }
        assertNotEquals(0, solved[0]);
    }
}
