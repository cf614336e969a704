package dev.gramian.cuda.emulated;

import static jcuda.jcublas.JCublas2.cublasDgemm;
import static jcuda.jcublas.JCublas2.cublasDnrm2;
import static jcuda.jcublas.JCublas2.cublasGemmBatchedEx_64_new;
import static jcuda.jcublas.JCublas2.cublasGemmStridedBatchedEx_64_new;
import static jcuda.jcublas.JCublas2.cublasSetMathMode;
import static jcuda.jcublas.JCublas2.cublasSetPointerMode;
import static jcuda.jcublas.JCublas2.cublasSetStream;
import static jcuda.jcublas.JCublas2.cublasSetWorkspace;
import static jcuda.jcublas.JCublas2.cublasSgemm;
import static jcuda.jcublas.JCublas2.cublasStpttr;
import static jcuda.jcublas.cublasFillMode.CUBLAS_FILL_MODE_LOWER;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.cuda.emulated.Emulation.Block;
import java.util.Arrays;
import java.util.function.IntSupplier;
import jcuda.Pointer;
import jcuda.Sizeof;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUgraph;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasPointerMode;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.Test;

/**
 * The stand-in for cuBLAS through JCublas2: products of every type against plain loops in float64, and what it refuses and
 * records.
 */
final class EmulatedLibrariesTest extends BlasFixture {
    private enum Combination {
        F64(Element.F64, Element.F64, cublasComputeType.CUBLAS_COMPUTE_64F, Element.F64.epsilon),
        F32(Element.F32, Element.F32, cublasComputeType.CUBLAS_COMPUTE_32F, Element.F32.epsilon),
        TF32(Element.F32, Element.F32, cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32, 0x1p-10),
        F16(Element.F16, Element.F16, cublasComputeType.CUBLAS_COMPUTE_32F, Element.F16.epsilon),
        BF16(Element.BF16, Element.BF16, cublasComputeType.CUBLAS_COMPUTE_32F, Element.BF16.epsilon),
        BF16_F32(Element.BF16, Element.F32, cublasComputeType.CUBLAS_COMPUTE_32F, Element.F32.epsilon),
        F16_F16(Element.F16, Element.F16, cublasComputeType.CUBLAS_COMPUTE_16F, 30 * Element.F16.epsilon),
        I8_I32(Element.I8, Element.I32, cublasComputeType.CUBLAS_COMPUTE_32I, 0);

        final Element in;
        final Element out;
        final int compute;
        final double tolerance;

        Combination(Element in, Element out, int compute, double tolerance) {
            this.in = in;
            this.out = out;
            this.compute = compute;
            this.tolerance = tolerance;
        }

        Pointer scalar(double x) {
            return switch (compute) {
                case cublasComputeType.CUBLAS_COMPUTE_64F -> Pointer.to(new double[] {x});
                case cublasComputeType.CUBLAS_COMPUTE_16F ->
                    Pointer.to(new short[] {Float.floatToFloat16((float) x)});
                case cublasComputeType.CUBLAS_COMPUTE_32I -> Pointer.to(new int[] {(int) x});
                default -> Pointer.to(new float[] {(float) x});
            };
        }
    }

    @Test
    void productsOfEveryTypeShapeAndOperation() {
        for (int i = 0; i < 400; i++) {
            Combination c = Combination.values()[i % Combination.values().length];
            product(c, random.nextInt(20), random.nextInt(20), random.nextInt(i % 16 == 0 ? 300 : 20),
                    random.nextInt(4), random.nextBoolean(), random.nextBoolean(), i % 3 == 0, i % 5 == 0);
        }
        product(Combination.F32, 70, 65, 130, 2, true, false, true, false);
    }

    private void product(Combination c, int m, int n, int k, int batch, boolean ta, boolean tb, boolean overwrite,
            boolean broadcast) {
        int unit = c.in == Element.I8 ? 4 : 1;
        int lda = (Math.max(1, ta ? k : m) + 3) / unit * unit;
        int ldb = (Math.max(1, tb ? n : k) + 3) / unit * unit;
        int ldc = Math.max(1, m) + 1;
        int strideA = broadcast ? 0 : lda * (ta ? m : k) + 8;
        int strideB = ldb * (tb ? k : n);
        int strideC = ldc * n + 3;
        double[] a = values(c.in, strideA * batch + lda * (ta ? m : k));
        double[] b = values(c.in, strideB * batch + ldb * (tb ? k : n));
        double[] before = values(c.out, strideC * batch + ldc * n);
        double alpha = c.in == Element.I8 ? 3 : 1.25;
        double beta = overwrite ? 0 : c.in == Element.I8 ? -2 : 0.5;
        if (overwrite && c.out.epsilon > 0) {
            Arrays.fill(before, Double.NaN);
        }
        Block dc = cuda.put(c.out, before);
        assertEquals(0, cublasGemmStridedBatchedEx_64_new(handle, ta ? CUBLAS_OP_T : CUBLAS_OP_N,
                tb ? CUBLAS_OP_T : CUBLAS_OP_N, m, n, k, c.scalar(alpha), cuda.put(c.in, a), c.in.cuda, lda, strideA,
                cuda.put(c.in, b), c.in.cuda, ldb, strideB, c.scalar(beta), dc, c.out.cuda, ldc, strideC, batch,
                c.compute, cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
        double[] after = cuda.get(c.out, dc, before.length);
        boolean[] written = new boolean[before.length];
        for (int s = 0; s < batch; s++) {
            for (int j = 0; j < n; j++) {
                for (int i = 0; i < m; i++) {
                    double sum = 0;
                    double size = 1;
                    for (int l = 0; l < k; l++) {
                        double p = a[s * strideA + (ta ? l + i * lda : i + l * lda)]
                                * b[s * strideB + (tb ? j + l * ldb : l + j * ldb)];
                        sum += p;
                        size += Math.abs(p);
                    }
                    int at = i + j * ldc + s * strideC;
                    written[at] = true;
                    double expected = alpha * sum + (overwrite ? 0 : beta * before[at]);
                    assertEquals(expected, after[at], 2 * c.tolerance * size,
                            () -> c + " " + m + " x " + n + " x " + k);
                }
            }
        }
        for (int i = 0; i < before.length; i++) {
            assertTrue(written[i] || Double.compare(before[i], after[i]) == 0, "element " + i + " is not c's");
        }
        assertEquals("", cuda.errors());
    }

    /** 1 x 1 x k product of float32 or half vectors. */
    private double dot(Element in, Element out, int compute, double[] a, double[] b) {
        Block c = cuda.bytes(8);
        assertEquals(0, cublasGemmStridedBatchedEx_64_new(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, a.length,
                Pointer.to(new float[] {1}), cuda.put(in, a), in.cuda, 1, 0, cuda.put(in, b), in.cuda, a.length, 0,
                Pointer.to(new float[] {0}), c, out.cuda, 1, 0, 1, compute, cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
        return cuda.get(out, c, 1)[0];
    }

    @Test
    void precisionShows() {
        double[] fine = {1 + 0x1p-20};
        double[] one = {1};
        int ieee = cublasComputeType.CUBLAS_COMPUTE_32F;
        assertEquals(1 + 0x1p-20, dot(Element.F32, Element.F32, ieee, fine, one));
        assertEquals(1, dot(Element.F32, Element.F32, cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32, fine, one));
        assertEquals(1 + 0x1p-10, dot(Element.F32, Element.F32, cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32,
                new double[] {1 + 0x1p-11}, one));
        assertEquals(1, dot(Element.F32, Element.F32, cublasComputeType.CUBLAS_COMPUTE_32F_FAST_16BF,
                new double[] {1 + 0x1p-9}, one));
        assertEquals(0, cublasSetMathMode(handle, cublasMath.CUBLAS_TF32_TENSOR_OP_MATH));
        assertEquals(1, dot(Element.F32, Element.F32, ieee, fine, one));
        assertEquals(1 + 0x1p-20,
                dot(Element.F32, Element.F32, cublasComputeType.CUBLAS_COMPUTE_32F_PEDANTIC, fine, one));
        // sums of a long k in the result's type only where that is allowed: 256 + 1/2 is no bfloat16
        double[] ones = new double[1024];
        Arrays.fill(ones, 0, 512, 1);
        ones[512] = 1 + 0x1p-1;
        ones[513] = -0x1p-1;
        ones[0] = 0x1p-1;
        double[] x = new double[1024];
        Arrays.fill(x, 1);
        x[0] = 3;
        assertEquals(0, cublasSetMathMode(handle, cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION));
        double exact = dot(Element.BF16, Element.BF16, ieee, ones, x);
        assertEquals(0, cublasSetMathMode(handle, cublasMath.CUBLAS_DEFAULT_MATH));
        assertEquals(exact, dot(Element.BF16, Element.BF16, ieee, ones, x), 4);
    }

    @Test
    void halvesRoundToEvenAndKeepSpecialValues() {
        int ieee = cublasComputeType.CUBLAS_COMPUTE_32F;
        double[] one = {1};
        for (Element half : new Element[] {Element.F16, Element.BF16}) {
            double e = half.epsilon;
            double[] ones = {1, 1};
            assertEquals(1, dot(half, half, ieee, new double[] {1, e / 2}, ones), half + ": tie to even, down");
            assertEquals(1 + 2 * e, dot(half, half, ieee, new double[] {1 + e, e / 2}, ones), "tie to even, up");
            assertEquals(Double.NaN, dot(half, half, ieee, new double[] {Double.NaN}, one));
            assertEquals(Double.NEGATIVE_INFINITY,
                    dot(half, half, ieee, new double[] {Double.NEGATIVE_INFINITY}, one));
            assertEquals(Double.NaN, dot(half, half, ieee, new double[] {Double.POSITIVE_INFINITY}, new double[1]));
        }
        assertEquals(0x1p-24, dot(Element.F16, Element.F16, ieee, new double[] {0x1p-24}, one));
        assertEquals(Double.POSITIVE_INFINITY, dot(Element.F16, Element.F16, ieee, new double[] {65504, 16}, one(2)));
        assertEquals(65504, dot(Element.F16, Element.F16, ieee, new double[] {65504, 15}, one(2)));
        assertEquals(0x1p-133, dot(Element.BF16, Element.BF16, ieee, new double[] {0x1p-133}, one));
    }

    private static double[] one(int count) {
        double[] ones = new double[count];
        Arrays.fill(ones, 1);
        return ones;
    }

    @Test
    void pointerArraysAreReadWhenTheWorkRuns() {
        Block a = cuda.doubles(2, 0, 0, 2);
        Block b = cuda.doubles(1, 2, 3, 4);
        Block c0 = cuda.bytes(32);
        Block c1 = cuda.bytes(32);
        Block results = cuda.array(c0, c0);
        IntSupplier call = () -> cublasGemmBatchedEx_64_new(handle, CUBLAS_OP_N, CUBLAS_OP_T, 2, 2, 2,
                Pointer.to(new double[] {1}), cuda.array(a, b), Element.F64.cuda, 2, cuda.array(b, a),
                Element.F64.cuda, 2, Pointer.to(new double[] {0}), results, Element.F64.cuda, 2, 2,
                cublasComputeType.CUBLAS_COMPUTE_64F, cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
        assertEquals(0, call.getAsInt());
        assertTrue(cuda.errors().contains("is twice in the array c"));
        assertEquals(0, JCudaDriver.cuMemcpyHtoD(results, Pointer.to(new CUdeviceptr[] {c0, c1}), 16));
        assertEquals(0, call.getAsInt());
        assertEquals("[2.0, 6.0, 4.0, 8.0]", Arrays.toString(cuda.doubles(c0, 4)));
        assertEquals("[2.0, 4.0, 6.0, 8.0]", Arrays.toString(cuda.doubles(c1, 4)));
    }

    // ---- what is refused and recorded ----------------------------------------------------------------------------------

    private int gemm(int ta, int m, int n, int k, Pointer alpha, Pointer a, int lda, Pointer c, int ldc) {
        return cublasDgemm(handle, ta, CUBLAS_OP_N, m, n, k, alpha, a, lda, a, Math.max(1, k),
                Pointer.to(new double[1]),
                c, ldc);
    }

    @Test
    void badArgumentsAreRefused() {
        Pointer one = Pointer.to(new double[] {1});
        Block a = cuda.doubles(new double[16]);
        Block c = cuda.doubles(new double[16]);
        assertEquals(INVALID, gemm(7, 2, 2, 2, one, a, 2, c, 2), "operation");
        assertEquals(INVALID, gemm(CUBLAS_OP_N, -1, 2, 2, one, a, 2, c, 2), "m");
        assertEquals(INVALID, gemm(CUBLAS_OP_N, 3, 2, 2, one, a, 2, c, 3), "lda");
        assertEquals(INVALID, gemm(CUBLAS_OP_T, 2, 2, 3, one, a, 2, c, 2), "lda of a transpose");
        assertEquals(INVALID, gemm(CUBLAS_OP_N, 2, 2, 2, one, a, 2, c, 1), "ldc");
        assertEquals(0, gemm(CUBLAS_OP_N, 0, 2, 2, one, a, 1, c, 1), "m = 0 does nothing");
        assertEquals(cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED, cublasGemmStridedBatchedEx_64_new(handle, CUBLAS_OP_N,
                CUBLAS_OP_N, 1, 1, 1, one, a, Element.F16.cuda, 1, 0, a, Element.BF16.cuda, 1, 0, one, c,
                Element.F32.cuda, 1, 0, 1, cublasComputeType.CUBLAS_COMPUTE_32F, cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
        assertEquals(INVALID, cublasSetWorkspace(handle, a.withByteOffset(8), 100), "workspace alignment");
        assertEquals(cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED,
                cublasStpttr(handle, CUBLAS_FILL_MODE_LOWER, 1, a, c, 1), "a function the emulation lacks");
        assertEquals("cublasStpttr: the emulation does not have this function", cuda.errors());
    }

    @Test
    void misuseIsRecorded() {
        Pointer one = Pointer.to(new double[] {1});
        Block a = cuda.doubles(1, 2, 3, 4);
        Block c = cuda.doubles(new double[4]);
        recorded(FAILED, "a (", () -> gemm(CUBLAS_OP_N, 2, 2, 2, one, Pointer.to(new double[4]), 2, c, 2));
        recorded(FAILED, "needs 48 bytes", () -> gemm(CUBLAS_OP_N, 2, 2, 3, one, a, 2, c, 2));
        recorded(FAILED, "is not a multiple of 8",
                () -> gemm(CUBLAS_OP_N, 1, 1, 1, one, a.withByteOffset(4), 1, c, 1));
        recorded(FAILED, "shares elements with an operand", () -> gemm(CUBLAS_OP_N, 2, 2, 2, one, a, 2, a, 2));
        recorded(FAILED, "pointer mode is host", () -> gemm(CUBLAS_OP_N, 2, 2, 2, a, a, 2, c, 2));
        recorded(FAILED, "the matrices of c share elements", () -> cublasGemmStridedBatchedEx_64_new(handle,
                CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, one, a, Element.F64.cuda, 1, 0, a, Element.F64.cuda, 1, 0, one, c,
                Element.F64.cuda, 1, 0, 2, cublasComputeType.CUBLAS_COMPUTE_64F, cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
        assertEquals(0, cublasSetWorkspace(handle, cuda.bytes(1 << 12), 1 << 12));
        assertEquals(cublasStatus.CUBLAS_STATUS_ALLOC_FAILED, gemm(CUBLAS_OP_N, 2, 2, 2, one, a, 2, c, 2));
        Block workspace = cuda.bytes(1 << 20);
        assertEquals(0, cublasSetWorkspace(handle, workspace, 1 << 20));
        cuda.free(workspace);
        recorded(FAILED, "the workspace", () -> gemm(CUBLAS_OP_N, 2, 2, 2, one, a, 2, c, 2));
        assertEquals(0, cublasSetStream(handle, new cudaStream_t(cuda.stream)), "takes the workspace away");
        assertEquals(0, gemm(CUBLAS_OP_N, 2, 2, 2, one, a, 2, c, 2));
        assertEquals("[7.0, 10.0, 15.0, 22.0]", Arrays.toString(cuda.doubles(c, 4)));
        Emulation.inject("cublasDgemm_v2", cublasStatus.CUBLAS_STATUS_INTERNAL_ERROR);
        assertEquals(cublasStatus.CUBLAS_STATUS_INTERNAL_ERROR, gemm(CUBLAS_OP_N, 2, 2, 2, one, a, 2, c, 2));
    }

    private void recorded(int status, String text, IntSupplier call) {
        assertEquals(status, call.getAsInt(), text);
        String errors = cuda.errors();
        assertTrue(errors.contains(text), () -> text + " in: " + errors);
    }

    @Test
    void deviceScalarsAreReadAtTheRunAndHostOnesAtTheCall() {
        Block a = cuda.put(Element.F32, 2);
        Block c = cuda.put(Element.F32, 0);
        float[] alpha = {3};
        assertEquals(0, cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, Pointer.to(alpha), a, 1, a, 1,
                Pointer.to(new float[1]), c, 1));
        alpha[0] = 100;
        assertEquals(12, cuda.get(Element.F32, c, 1)[0]);
        assertEquals(0, cublasSetPointerMode(handle, cublasPointerMode.CUBLAS_POINTER_MODE_DEVICE));
        Block scale = cuda.put(Element.F32, 5, 0);
        assertEquals(0, cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, scale, a, 1, a, 1,
                scale.withByteOffset(Sizeof.FLOAT), c, 1));
        assertEquals(20, cuda.get(Element.F32, c, 1)[0]);
    }

    @Test
    void aCaptureTakesProductsButNoHostResults() {
        Block a = cuda.doubles(2);
        Block c = cuda.doubles(1);
        double[] result = {-1};
        assertEquals(0, JCudaDriver.cuStreamBeginCapture(cuda.stream,
                CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
        assertEquals(0, gemm(CUBLAS_OP_N, 1, 1, 1, Pointer.to(new double[] {1}), a, 1, c, 1));
        assertEquals(FAILED, cublasDnrm2(handle, 1, a, 1, Pointer.to(result)));
        CUgraph graph = new CUgraph();
        assertEquals(0, JCudaDriver.cuStreamEndCapture(cuda.stream, graph));
        assertEquals(1, cuda.doubles(c, 1)[0], "nothing ran yet");
        assertTrue(cuda.errors().contains("while the stream is being captured"));
        assertEquals(0, JCudaDriver.cuGraphDestroy(graph));
        assertEquals(0, cublasDnrm2(handle, 1, a, 1, Pointer.to(result)));
        assertEquals(2, result[0]);
    }
}
