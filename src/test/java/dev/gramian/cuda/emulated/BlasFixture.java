package dev.gramian.cuda.emulated;

import static jcuda.jcublas.JCublas2.cublasCreate;
import static jcuda.jcublas.JCublas2.cublasDestroy;
import static jcuda.jcublas.JCublas2.cublasSetStream;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A handle of the emulated cuBLAS, and values for its operands. */
abstract class BlasFixture {
    static final int INVALID = cublasStatus.CUBLAS_STATUS_INVALID_VALUE;
    static final int FAILED = cublasStatus.CUBLAS_STATUS_EXECUTION_FAILED;

    final Random random = new Random(7);
    final cublasHandle handle = new cublasHandle();
    Emulation cuda;

    @BeforeEach
    void open() {
        cuda = Emulation.open();
        assertEquals(0, cublasCreate(handle));
        assertEquals(0, cublasSetStream(handle, new cudaStream_t(cuda.stream)));
    }

    @AfterEach
    void close() {
        if (cuda != null) {
            String errors = cuda.errors();
            assertEquals(0, cublasDestroy(handle));
            cuda.close();
            assertEquals("", errors);
        }
    }

    /** Values that the type holds exactly. */
    final double[] values(Element type, int count) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = type == Element.I8 || type == Element.I32
                    ? random.nextInt(256) - 128
                    : (random.nextInt(255) - 127) / 128.0;
        }
        return values;
    }
}
