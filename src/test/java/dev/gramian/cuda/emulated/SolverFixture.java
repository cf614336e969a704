package dev.gramian.cuda.emulated;

import static jcuda.jcusolver.JCusolverDn.*;
import static jcuda.jcusolver.cusolverEigMode.CUSOLVER_EIG_MODE_VECTOR;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gramian.cuda.emulated.Emulation.Block;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import jcuda.jcusolver.cusolverDnHandle;
import jcuda.jcusolver.cusolverStatus;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A handle of the emulated cuSOLVER, its workspaces, and factors multiplied back in float64. */
abstract class SolverFixture {
    static final int INVALID = cusolverStatus.CUSOLVER_STATUS_INVALID_VALUE;
    static final int FAILED = cusolverStatus.CUSOLVER_STATUS_EXECUTION_FAILED;
    static final int F64 = Element.F64.cuda;
    static final int VECTORS = CUSOLVER_EIG_MODE_VECTOR;

    private final Random random = new Random(11);
    final Handle handle = new Handle();
    final int[] lwork = new int[1];
    // JCuda's binding of the 64-bit functions reads the contents of long[] arguments as addresses: not to be used
    final MemorySegment device = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);
    final MemorySegment host = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG);
    Emulation cuda;
    Block info;

    @BeforeEach
    void open() {
        cuda = Emulation.open();
        assertEquals(0, cusolverDnCreate(handle));
        assertEquals(0, cusolverDnSetStream(handle, new cudaStream_t(cuda.stream)));
        info = cuda.put(Element.I32, -7, -7, -7, -7);
    }

    @AfterEach
    void close() {
        if (cuda != null) {
            String errors = cuda.errors();
            assertEquals(0, cusolverDnDestroy(handle));
            cuda.close();
            assertEquals("", errors);
        }
    }

    /** m x n in columns of length ld. */
    double[] matrix(int m, int n, int ld) {
        double[] a = new double[ld * n];
        Arrays.fill(a, Double.NaN);
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < m; i++) {
                a[i + j * ld] = random.nextGaussian();
            }
        }
        return a;
    }

    double[] positive(int n) {
        double[] x = matrix(n, n, n);
        double[] a = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                a[i + j * n] = i == j ? 1 : 0;
                for (int l = 0; l < n; l++) {
                    a[i + j * n] += x[i + l * n] * x[j + l * n] / n;
                }
            }
        }
        return a;
    }

    Block work() {
        return cuda.bytes(8L * lwork[0]);
    }

    int infoValue() {
        return cuda.integer(info);
    }

    static SymbolLookup library() {
        return SymbolLookup.libraryLookup("libcusolver.so.11", Arena.global());
    }

    /** A 64-bit function: the handle, no parameter object, then the arguments. */
    int x(String function, Object... arguments) {
        Object[] all = new Object[arguments.length + 2];
        all[0] = MemorySegment.ofAddress(handle.address());
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        return Emulation.call(library(), function, all);
    }

    /** The same with the workspaces that were asked for, before the last {@code after} arguments. */
    int run(String function, int after, Object... arguments) {
        long onDevice = device.get(ValueLayout.JAVA_LONG, 0);
        long onHost = host.get(ValueLayout.JAVA_LONG, 0);
        List<Object> all = new ArrayList<>(Arrays.asList(arguments));
        all.addAll(arguments.length - after,
                List.of(cuda.bytes(onDevice), onDevice, Arena.ofAuto().allocate(Math.max(1, onHost)), onHost));
        return x(function, all.toArray());
    }

    static final class Handle extends cusolverDnHandle {
        long address() {
            return getNativePointer();
        }
    }

    /** u diag(s) v^T, or v^T as stored where {@code transposed}, against a. */
    void assertProduct(double[] a, int lda, int m, int n, double[] u, int ldu, double[] s, double[] v, int ldv,
            boolean transposed) {
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int l = 0; l < s.length; l++) {
                    sum += u[i + l * ldu] * s[l] * (transposed ? v[l + j * ldv] : v[j + l * ldv]);
                }
                assertEquals(a[i + j * lda], sum, 1e-11);
            }
        }
    }

    void assertOrthonormal(double[] q, int rows, int cols, int ld) {
        for (int i = 0; i < cols; i++) {
            for (int j = 0; j < cols; j++) {
                double sum = 0;
                for (int l = 0; l < rows; l++) {
                    sum += q[l + i * ld] * q[l + j * ld];
                }
                assertEquals(i == j ? 1 : 0, sum, 1e-11);
            }
        }
    }
}
