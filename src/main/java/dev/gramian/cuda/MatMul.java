package dev.gramian.cuda;

import dev.gramian.core.DType;
import dev.gramian.core.DTypeException;
import dev.gramian.core.GemmPlan;
import dev.gramian.core.MathMode;
import dev.gramian.core.Op;
import dev.gramian.core.View;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;

/**
 * Batched matrix products on cuBLAS. Row-major C = A B is asked for as column-major C' = B' A', so nothing is transposed
 * or copied. A batch that is one axis, or broadcast by stride 0, is one strided-batched call; where batch axes do not
 * collapse, a kernel writes the addresses of all matrices and one pointer-array call does the rest.
 *
 * <p>The same product on the same card gives the same bits each time: one stream and one workspace of its own a lane, no
 * atomics, and the library's choice of kernel depends on the shape alone.
 */
final class MatMul {
    /** Up to so many strided-batched calls are cheaper than a table of addresses: a call costs about 3 µs on the host. */
    private static final long FEW = 4;

    private static final int DEFAULT_ALGORITHM = cublasGemmAlgo.CUBLAS_GEMM_DEFAULT;

    private final CudaContext context;
    private final ProductKernels kernels;
    private final Annihilation annihilation;
    private Kernel addresses;

    MatMul(CudaContext context) {
        this.context = context;
        this.kernels = new ProductKernels(context);
        this.annihilation = new Annihilation(context);
    }

    /** c = alpha * a b; a and b fit ({@link GemmPlan#fits}), c is fresh and contiguous. */
    void run(Lane lane, Op.Gemm op, View a, View b, View c) {
        DType type = a.dtype();
        if (type.isInteger() && op.alpha() != Math.rint(op.alpha())) {
            throw new DTypeException("matmul: alpha " + op.alpha() + " is not a whole number; a is " + type + " "
                    + a.shape() + ", b " + b.shape() + "; cast with .to(DType.F64)");
        }
        GemmPlan p = GemmPlan.of(a.layout(), b.layout(), c.layout());
        if (c.shape().size() == 0) {
            return;
        }
        if (p.k() == 0 || op.alpha() == 0) {
            Status.driver(JCudaDriver.cuMemsetD8Async(Pointers.device(CudaStorage.address(c)), (byte) 0,
                    c.shape().size() * c.dtype().bytes(), lane.stream()), "cuMemsetD8Async, matmul over nothing");
            return;
        }
        if (type.isInteger() || op.zeroAnnihilates() && ProductKernels.annihilates(p)) {
            kernels.run(lane, op, p, a, b, c);
        } else if (op.zeroAnnihilates()) {
            Annihilation.Clean clean = annihilation.clean(lane, b, p.transB());
            try {
                product(lane, op, GemmPlan.of(a.layout(), clean.b().layout(), c.layout()), a, clean.b(), c);
                annihilation.settle(lane, op, a, b, c, clean);
            } finally {
                lane.free(clean.storage());
            }
        } else {
            product(lane, op, p, a, b, c);
        }
    }

    /** The product by cuBLAS alone, of float types. */
    private void product(Lane lane, Op.Gemm op, GemmPlan p, View a, View b, View c) {
        Call call = new Call(lane, op, p, a.dtype(), c.dtype());
        long pa = CudaStorage.address(a);
        long pb = CudaStorage.address(b);
        long pc = CudaStorage.address(c);
        int axes = p.batchDims().length;
        int inner = axes - 1;
        long outer = axes < 2 ? 1 : p.batch() / p.batchDims()[inner];
        if (outer <= FEW || !(aligned(pa, p.aStrides(), a.dtype()) && aligned(pb, p.bStrides(), b.dtype())
                && aligned(pc, p.cStrides(), c.dtype()))) {
            long wa = a.dtype().bytes();
            long wc = c.dtype().bytes();
            for (long i = 0; i < outer; i++) {
                call.strided(pa + offset(p, p.aStrides(), i) * wa, pb + offset(p, p.bStrides(), i) * wa,
                        pc + offset(p, p.cStrides(), i) * wc);
            }
        } else {
            pointerArray(lane, call, p, pa, pb, pc);
        }
    }

    /**
     * Whether every matrix of a batch starts at 16 bytes, which kernels for pointer arrays may ask for and do not check;
     * strided calls choose by the address they are given.
     */
    private static boolean aligned(long address, long[] strides, DType type) {
        boolean aligned = address % 16 == 0;
        for (long s : strides) {
            aligned &= s * type.bytes() % 16 == 0;
        }
        return aligned;
    }

    /** Elements from the first matrix to the one at index {@code i} of all batch axes but the last. */
    private static long offset(GemmPlan p, long[] strides, long i) {
        long at = 0;
        for (int d = p.batchDims().length - 2; d >= 0; d--) {
            at += i % p.batchDims()[d] * strides[d];
            i /= p.batchDims()[d];
        }
        return at;
    }

    private void pointerArray(Lane lane, Call call, GemmPlan p, long a, long b, long c) {
        long n = p.batch();
        CudaStorage table = lane.temporary("matmul", 3 * 8 * n);
        try {
            if (addresses == null) {
                addresses = context.kernels().get("addresses", "", "addresses");
            }
            long ta = table.address;
            long tb = ta + 8 * n;
            long tc = tb + 8 * n;
            lane.launch().i64(n).axes(Axes.of("matmul", p.batchDims(), p.aStrides(), p.bStrides(), p.cStrides()))
                    .i64(call.width).i64(call.resultWidth).i64(a).i64(b).i64(c).i64(ta).i64(tb).i64(tc)
                    .over(addresses, n);
            call.pointers(ta, tb, tc, n);
        } finally {
            lane.free(table);
        }
    }

    /** What is the same for every cuBLAS call of one product. */
    private static final class Call {
        final long width;
        final long resultWidth;
        private final cublasHandle handle;
        private final GemmPlan p;
        private final int opA;
        private final int opB;
        private final int in;
        private final int out;
        private final int compute;
        private final Pointer alpha;
        private final Pointer beta;
        private final String what;

        Call(Lane lane, Op.Gemm op, GemmPlan p, DType type, DType result) {
            this.p = p;
            width = type.bytes();
            resultWidth = result.bytes();
            handle = lane.blas(type.isHalf() && op.mode() != MathMode.REDUCED
                    ? cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION
                    : cublasMath.CUBLAS_DEFAULT_MATH);
            opA = p.transA() ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
            opB = p.transB() ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
            in = dataType(type);
            out = dataType(result);
            compute = switch (type) {
                case F64 -> cublasComputeType.CUBLAS_COMPUTE_64F;
                case F32 -> op.mode() == MathMode.IEEE
                        ? cublasComputeType.CUBLAS_COMPUTE_32F
                        : cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32;
                case F16, BF16, I64, I32, U8, BOOL -> cublasComputeType.CUBLAS_COMPUTE_32F;
            };
            alpha = lane.scalar(0, type == DType.F64, op.alpha());
            beta = lane.scalar(1, type == DType.F64, 0);
            what = "matmul " + p.m() + " x " + p.k() + " x " + p.n() + " of " + type;
        }

        private static int dataType(DType t) {
            return switch (t) {
                case F64 -> cudaDataType.CUDA_R_64F;
                case F32 -> cudaDataType.CUDA_R_32F;
                case F16 -> cudaDataType.CUDA_R_16F;
                case BF16 -> cudaDataType.CUDA_R_16BF;
                case I64, I32, U8, BOOL -> throw new IllegalArgumentException(t + " is not for cuBLAS");
            };
        }

        /** The last batch axis, or a single product. The _new forms: the others pass compute types wrongly. */
        void strided(long a, long b, long c) {
            int last = p.batchDims().length - 1;
            if (last < 0) {
                Status.blas(JCublas2.cublasGemmEx_64_new(handle, opB, opA, p.n(), p.m(), p.k(), alpha,
                        Pointers.device(b), in, p.ldb(), Pointers.device(a), in, p.lda(), beta, Pointers.device(c),
                        out, p.ldc(), compute, DEFAULT_ALGORITHM), what);
            } else {
                Status.blas(JCublas2.cublasGemmStridedBatchedEx_64_new(handle, opB, opA, p.n(), p.m(), p.k(), alpha,
                        Pointers.device(b), in, p.ldb(), p.bStrides()[last], Pointers.device(a), in, p.lda(),
                        p.aStrides()[last], beta, Pointers.device(c), out, p.ldc(), p.cStrides()[last],
                        p.batchDims()[last], compute, DEFAULT_ALGORITHM), what);
            }
        }

        /** All products, their matrices' addresses in device memory. */
        void pointers(long a, long b, long c, long count) {
            Status.blas(JCublas2.cublasGemmBatchedEx_64_new(handle, opB, opA, p.n(), p.m(), p.k(), alpha,
                    Pointers.device(b), in, p.ldb(), Pointers.device(a), in, p.lda(), beta, Pointers.device(c), out,
                    p.ldc(), count, compute, DEFAULT_ALGORITHM), what);
        }
    }
}
