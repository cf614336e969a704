// Matrix products of the emulated cuBLAS: one implementation behind Sgemm ... GemmStridedBatchedEx_64.
#include "gemm.h"
#include "overlap.h"
#include <set>

namespace {

using blas::Scalar;
using blas::sizeOf;
using gemm::Gemm;
using gemm::Operand;
using gemm::Plan;
using gemm::Rounding;

// The types of alpha and beta; the tables of supported combinations are cuBLAS 12.6's for real types.
bool scaleType(const Gemm& g, cudaDataType* type) {
    cudaDataType in = g.a.type;
    cudaDataType out = g.c.type;
    if (g.b.type != in) {
        return false;
    }
    switch (g.compute) {
        case CUBLAS_COMPUTE_16F:
        case CUBLAS_COMPUTE_16F_PEDANTIC:
            *type = CUDA_R_16F;
            return in == CUDA_R_16F && out == CUDA_R_16F;
        case CUBLAS_COMPUTE_32I:
        case CUBLAS_COMPUTE_32I_PEDANTIC:
            *type = CUDA_R_32I;
            return in == CUDA_R_8I && out == CUDA_R_32I && g.a.ld % 4 == 0 && g.b.ld % 4 == 0
                   && (g.pointers || ((uintptr_t)g.a.p % 4 == 0 && (uintptr_t)g.b.p % 4 == 0));
        case CUBLAS_COMPUTE_32F:
        case CUBLAS_COMPUTE_32F_PEDANTIC:
            *type = CUDA_R_32F;
            return (out == CUDA_R_32F
                    && (in == CUDA_R_32F || in == CUDA_R_16F || in == CUDA_R_16BF || in == CUDA_R_8I))
                   || (out == in && (in == CUDA_R_16F || in == CUDA_R_16BF));
        case CUBLAS_COMPUTE_32F_FAST_16F:
        case CUBLAS_COMPUTE_32F_FAST_16BF:
        case CUBLAS_COMPUTE_32F_FAST_TF32:
            *type = CUDA_R_32F;
            return in == CUDA_R_32F && out == CUDA_R_32F;
        case CUBLAS_COMPUTE_64F:
        case CUBLAS_COMPUTE_64F_PEDANTIC:
            *type = CUDA_R_64F;
            return in == CUDA_R_64F && out == CUDA_R_64F;
        default:
            return false;
    }
}

Rounding rounding(const Gemm& g, int mathMode) {
    if (g.a.type != CUDA_R_32F) {
        return Rounding::NONE;
    }
    switch (g.compute) {
        case CUBLAS_COMPUTE_32F_FAST_TF32: return Rounding::TF32;
        case CUBLAS_COMPUTE_32F_FAST_16F: return Rounding::F16;
        case CUBLAS_COMPUTE_32F_FAST_16BF: return Rounding::BF16;
        case CUBLAS_COMPUTE_32F:
            switch (mathMode & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION) {
                case CUBLAS_TF32_TENSOR_OP_MATH: return Rounding::TF32;
                case CUBLAS_TENSOR_OP_MATH: return Rounding::F16;
                default: return Rounding::NONE;
            }
        default: return Rounding::NONE;
    }
}

// ---- One address and a stride per operand ----------------------------------------------------------------------

overlap::Grid grid(const Operand& x, int64_t rows, int64_t cols, int64_t batch) {
    return {x.p, (int64_t)sizeOf(x.type), rows, cols, x.ld, x.stride, batch};
}

bool overlapping(const Plan& plan) {
    const Gemm& g = plan.g;
    overlap::Grid c = grid(g.c, g.m, g.n, g.batch);
    if (overlap::withItself(c)) {
        emu_error("%s: the matrices of c share elements: stride %lld, ld %lld, %lld x %lld, batch %lld", plan.function,
                  g.c.stride, (long long)g.c.ld, (long long)g.m, (long long)g.n, (long long)g.batch);
        return true;
    }
    if (g.k > 0
        && (overlap::between(c, grid(g.a, g.rowsA(), g.colsA(), g.batch))
            || overlap::between(c, grid(g.b, g.rowsB(), g.colsB(), g.batch)))) {
        emu_error("%s: c shares elements with an operand", plan.function);
        return true;
    }
    return false;
}

bool submitStrided(cublasHandle_t handle, const Plan& plan, dense::Memory& memory) {
    const Gemm& g = plan.g;
    if (g.k > 0) {
        memory.matrix("a", g.a.p, g.rowsA(), g.colsA(), g.a.ld, sizeOf(g.a.type), g.a.stride, g.batch);
        memory.matrix("b", g.b.p, g.rowsB(), g.colsB(), g.b.ld, sizeOf(g.b.type), g.b.stride, g.batch);
    }
    memory.matrix("c", g.c.p, g.m, g.n, g.c.ld, sizeOf(g.c.type), g.c.stride, g.batch);
    if (overlapping(plan)) {
        return false;
    }
    return dense::submit(handle->stream, plan.function, memory,
                         [plan, workspace = handle->workspace, bytes = handle->workspaceBytes]() {
                             const Gemm& g = plan.g;
                             blas::soilWorkspace(workspace, bytes);
                             for (int64_t i = 0; i < g.batch; i++) {
                                 gemm::run(plan, (const char*)g.a.p + i * g.a.stride * (int64_t)sizeOf(g.a.type),
                                     (const char*)g.b.p + i * g.b.stride * (int64_t)sizeOf(g.b.type),
                                     (char*)g.c.p + i * g.c.stride * (int64_t)sizeOf(g.c.type));
                             }
                         });
}

// ---- Arrays of addresses in device memory, read at the run -----------------------------------------------------

// What the documentation asks of matrices in pointer arrays where tensor cores may be used.
bool aligned(const Plan& plan, const void* p) {
    const Gemm& g = plan.g;
    bool fast = g.a.type == CUDA_R_16F || g.a.type == CUDA_R_16BF || plan.rounding != Rounding::NONE;
    int64_t need = !fast ? 1 : g.k % 8 == 0 ? 16 : g.k % 2 == 0 ? 4 : 1;
    if ((uintptr_t)p % (uintptr_t)need != 0) {
        emu_error("%s: matrix %p of a pointer array is not a multiple of %d, which k = %lld asks for", plan.function, p,
                  (int)need, (long long)g.k);
        return false;
    }
    return true;
}

void runArrays(const Plan& plan) {
    const Gemm& g = plan.g;
    std::set<const void*> results;
    for (int64_t i = 0; i < g.batch; i++) {
        const void* a = g.k > 0 ? ((const void* const*)g.a.p)[i] : nullptr;
        const void* b = g.k > 0 ? ((const void* const*)g.b.p)[i] : nullptr;
        void* c = ((void* const*)g.c.p)[i];
        dense::Memory memory;
        if (g.k > 0) {
            memory.matrix("a matrix of the array a", a, g.rowsA(), g.colsA(), g.a.ld, sizeOf(g.a.type));
            memory.matrix("a matrix of the array b", b, g.rowsB(), g.colsB(), g.b.ld, sizeOf(g.b.type));
        }
        memory.matrix("a matrix of the array c", c, g.m, g.n, g.c.ld, sizeOf(g.c.type));
        if (!results.insert(c).second) {
            emu_error("%s: matrix %p is twice in the array c", plan.function, c);
            return;
        }
        if (!memory.usable(plan.function) || !aligned(plan, a) || !aligned(plan, b) || !aligned(plan, c)) {
            return;
        }
        gemm::run(plan, a, b, c);
    }
}

bool submitArrays(cublasHandle_t handle, const Plan& plan, dense::Memory& memory) {
    const Gemm& g = plan.g;
    size_t bytes = (size_t)g.batch * sizeof(void*);
    if (g.k > 0) {
        memory.range("the array a", g.a.p, bytes, sizeof(void*));
        memory.range("the array b", g.b.p, bytes, sizeof(void*));
    }
    memory.range("the array c", g.c.p, bytes, sizeof(void*));
    return dense::submit(handle->stream, plan.function, memory,
                         [plan, workspace = handle->workspace, bytes = handle->workspaceBytes]() {
                             blas::soilWorkspace(workspace, bytes);
                             runArrays(plan);
                         });
}

// ---- The call --------------------------------------------------------------------------------------------------

bool known(cublasGemmAlgo_t algo) {
    return (algo >= CUBLAS_GEMM_DEFAULT && algo <= CUBLAS_GEMM_ALGO23)
           || (algo >= CUBLAS_GEMM_DEFAULT_TENSOR_OP && algo <= CUBLAS_GEMM_ALGO15_TENSOR_OP);
}

cublasStatus_t multiply(const char* function, cublasHandle_t handle, const Gemm& g) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    REQUIRE(blas::known(g.opA) && blas::known(g.opB) && known(g.algo));
    REQUIRE(g.m >= 0 && g.n >= 0 && g.k >= 0 && g.batch >= 0);
    REQUIRE(g.a.ld >= blas::atLeastOne(g.rowsA()) && g.b.ld >= blas::atLeastOne(g.rowsB())
            && g.c.ld >= blas::atLeastOne(g.m));
    REQUIRE(g.alpha && g.beta);
    cudaDataType scale;
    if (!scaleType(g, &scale)) {
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    if (g.m == 0 || g.n == 0 || g.batch == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    if (!blas::readable(function, handle, g.alpha, g.beta)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    if (cublasStatus_t status = blas::workspaceStatus(handle)) {
        return status;
    }
    bool halfResult = g.c.type == CUDA_R_16F || g.c.type == CUDA_R_16BF;
    bool reduced = halfResult && g.compute == CUBLAS_COMPUTE_32F
                   && !(handle->mathMode & (CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION | CUBLAS_PEDANTIC_MATH));
    Plan plan{g, Scalar(handle, g.alpha, scale), Scalar(handle, g.beta, scale), rounding(g, handle->mathMode), reduced,
              function};
    dense::Memory memory;
    plan.alpha.claim("alpha", memory);
    plan.beta.claim("beta", memory);
    blas::claimWorkspace(handle, memory);
    bool submitted = g.pointers ? submitArrays(handle, plan, memory) : submitStrided(handle, plan, memory);
    return submitted ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace

// ---- Exports: each in a 32-bit and a 64-bit form ---------------------------------------------------------------

#define TYPED(NAME, BATCHED, STRIDED, INT, T, TYPE, COMPUTE)                                                             \
    EXPORT cublasStatus_t NAME(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n, INT k, \
                               const T* alpha, const T* a, INT lda, const T* b, INT ldb, const T* beta, T* c, INT ldc) { \
        return multiply(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, TYPE, lda}, {b, TYPE, ldb}, beta, {c, TYPE, ldc}, COMPUTE});          \
    }                                                                                                                    \
    EXPORT cublasStatus_t BATCHED(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n,     \
                                  INT k, const T* alpha, const T* const a[], INT lda, const T* const b[], INT ldb,       \
                                  const T* beta, T* const c[], INT ldc, INT batch) {                                     \
        return multiply(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, TYPE, lda}, {b, TYPE, ldb}, beta, {c, TYPE, ldc}, COMPUTE,            \
                     CUBLAS_GEMM_DEFAULT, batch, true});                                                                 \
    }                                                                                                                    \
    EXPORT cublasStatus_t STRIDED(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n,     \
                                  INT k, const T* alpha, const T* a, INT lda, long long strideA, const T* b, INT ldb,    \
                                  long long strideB, const T* beta, T* c, INT ldc, long long strideC, INT batch) {       \
        return multiply(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, TYPE, lda, strideA}, {b, TYPE, ldb, strideB}, beta,                   \
                     {c, TYPE, ldc, strideC}, COMPUTE, CUBLAS_GEMM_DEFAULT, batch});                                     \
    }

TYPED(cublasSgemm_v2, cublasSgemmBatched, cublasSgemmStridedBatched, int, float, CUDA_R_32F, CUBLAS_COMPUTE_32F)
TYPED(cublasDgemm_v2, cublasDgemmBatched, cublasDgemmStridedBatched, int, double, CUDA_R_64F, CUBLAS_COMPUTE_64F)
TYPED(cublasSgemm_v2_64, cublasSgemmBatched_64, cublasSgemmStridedBatched_64, int64_t, float, CUDA_R_32F,
      CUBLAS_COMPUTE_32F)
TYPED(cublasDgemm_v2_64, cublasDgemmBatched_64, cublasDgemmStridedBatched_64, int64_t, double, CUDA_R_64F,
      CUBLAS_COMPUTE_64F)

#define MIXED(NAME, BATCHED, STRIDED, INT)                                                                               \
    EXPORT cublasStatus_t NAME(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n, INT k, \
                               const void* alpha, const void* a, cudaDataType typeA, INT lda, const void* b,             \
                               cudaDataType typeB, INT ldb, const void* beta, void* c, cudaDataType typeC, INT ldc,      \
                               cublasComputeType_t compute, cublasGemmAlgo_t algo) {                                     \
        return multiply(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, typeA, lda}, {b, typeB, ldb}, beta, {c, typeC, ldc}, compute,         \
                     algo});                                                                                             \
    }                                                                                                                    \
    EXPORT cublasStatus_t BATCHED(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n,     \
                                  INT k, const void* alpha, const void* const a[], cudaDataType typeA, INT lda,          \
                                  const void* const b[], cudaDataType typeB, INT ldb, const void* beta,                  \
                                  void* const c[], cudaDataType typeC, INT ldc, INT batch,                               \
                                  cublasComputeType_t compute, cublasGemmAlgo_t algo) {                                  \
        return multiply(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, typeA, lda}, {b, typeB, ldb}, beta, {c, typeC, ldc}, compute, algo,   \
                     batch, true});                                                                                      \
    }                                                                                                                    \
    EXPORT cublasStatus_t STRIDED(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n,     \
                                  INT k, const void* alpha, const void* a, cudaDataType typeA, INT lda,                  \
                                  long long strideA, const void* b, cudaDataType typeB, INT ldb, long long strideB,      \
                                  const void* beta, void* c, cudaDataType typeC, INT ldc, long long strideC, INT batch,  \
                                  cublasComputeType_t compute, cublasGemmAlgo_t algo) {                                  \
        return multiply(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, typeA, lda, strideA}, {b, typeB, ldb, strideB}, beta,                 \
                     {c, typeC, ldc, strideC}, compute, algo, batch});                                                   \
    }

MIXED(cublasGemmEx, cublasGemmBatchedEx, cublasGemmStridedBatchedEx, int)
MIXED(cublasGemmEx_64, cublasGemmBatchedEx_64, cublasGemmStridedBatchedEx_64, int64_t)
