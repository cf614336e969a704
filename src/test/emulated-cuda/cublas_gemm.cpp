// Matrix products of the emulated cuBLAS: one implementation behind Sgemm ... GemmStridedBatchedEx_64.
#include "cublas.h"
#include "half.h"
#include "lapack.h"
#include "overlap.h"
#include <memory>
#include <set>

namespace {

using blas::Scalar;
using blas::sizeOf;

// A matrix argument; with pointer arrays p is the array.
struct Operand {
    const void* p;
    cudaDataType type;
    int64_t ld;
    long long stride = 0;
};

struct Gemm {
    cublasOperation_t opA;
    cublasOperation_t opB;
    int64_t m;
    int64_t n;
    int64_t k;
    const void* alpha;
    Operand a;
    Operand b;
    const void* beta;
    Operand c;
    cublasComputeType_t compute;
    cublasGemmAlgo_t algo = CUBLAS_GEMM_DEFAULT;
    int64_t batch = 1;
    bool pointers = false;

    int64_t rowsA() const {
        return opA == CUBLAS_OP_N ? m : k;
    }
    int64_t colsA() const {
        return opA == CUBLAS_OP_N ? k : m;
    }
    int64_t rowsB() const {
        return opB == CUBLAS_OP_N ? k : n;
    }
    int64_t colsB() const {
        return opB == CUBLAS_OP_N ? n : k;
    }
};

// What a tensor core does to float32 operands.
enum class Rounding { NONE, TF32, F16, BF16 };

// Everything a run needs beside the addresses.
struct Plan {
    Gemm g;
    Scalar alpha;
    Scalar beta;
    Rounding rounding;
    bool reducedReduction;  // sums of a split k may pass through the result's type
    const char* function;
};

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

double load(const void* p, cudaDataType type, int64_t i) {
    switch (type) {
        case CUDA_R_64F: return ((const double*)p)[i];
        case CUDA_R_32F: return ((const float*)p)[i];
        case CUDA_R_16F: return halves::fromF16(((const uint16_t*)p)[i]);
        case CUDA_R_16BF: return halves::fromBf16(((const uint16_t*)p)[i]);
        case CUDA_R_8I: return ((const int8_t*)p)[i];
        case CUDA_R_32I: return ((const int32_t*)p)[i];
        default: return 0;
    }
}

// x is exact in the result's type or a float32 value still to be rounded.
void store(void* p, cudaDataType type, int64_t i, double x) {
    switch (type) {
        case CUDA_R_64F: ((double*)p)[i] = x; break;
        case CUDA_R_32F: ((float*)p)[i] = (float)x; break;
        case CUDA_R_16F: ((uint16_t*)p)[i] = halves::toF16((float)x); break;
        case CUDA_R_16BF: ((uint16_t*)p)[i] = halves::toBf16((float)x); break;
        case CUDA_R_32I: ((int32_t*)p)[i] = (int32_t)(uint32_t)(int64_t)x; break;
        default: break;
    }
}

float rounded(float x, cudaDataType type) {
    return type == CUDA_R_16F ? halves::roundF16(x) : type == CUDA_R_16BF ? halves::roundBf16(x) : x;
}

// An operand in the type of the computation, rounded as its tensor core would; the operand itself where that changes
// nothing.
template <class W>
const W* widened(const Plan& plan, const Operand& x, const void* p, int64_t rows, int64_t cols, int64_t* ld,
                 std::vector<W>& space) {
    *ld = x.ld;
    if (x.type == blas::typeOf<W> && plan.rounding == Rounding::NONE) {
        return (const W*)p;
    }
    space.resize((size_t)(rows * cols));
    for (int64_t j = 0; j < cols; j++) {
        for (int64_t i = 0; i < rows; i++) {
            W value = (W)load(p, x.type, i + j * x.ld);
            switch (plan.rounding) {
                case Rounding::NONE: break;
                case Rounding::TF32: value = halves::roundTf32((float)value); break;
                case Rounding::F16: value = halves::roundF16((float)value); break;
                case Rounding::BF16: value = halves::roundBf16((float)value); break;
            }
            space[(size_t)(i + j * rows)] = value;
        }
    }
    *ld = rows;
    return space.data();
}

// op(a) op(b) into m x n packed columns, accumulated in W.
template <class W>
void product(const Plan& plan, const void* a, const void* b, std::vector<W>& result) {
    const Gemm& g = plan.g;
    result.assign((size_t)(g.m * g.n), 0);
    std::vector<W> spaceA;
    std::vector<W> spaceB;
    int64_t lda;
    int64_t ldb;
    const W* wa = widened(plan, g.a, a, g.rowsA(), g.colsA(), &lda, spaceA);
    const W* wb = widened(plan, g.b, b, g.rowsB(), g.colsB(), &ldb, spaceB);
    bool ta = g.opA != CUBLAS_OP_N;
    bool tb = g.opB != CUBLAS_OP_N;
    int64_t first = plan.reducedReduction && g.k >= 512 ? g.k / 2 : g.k;
    lapack::multiply(ta, tb, g.m, g.n, first, wa, lda, wb, ldb, result.data(), g.m);
    if (first < g.k) {
        std::vector<W> rest(result.size());
        lapack::multiply(ta, tb, g.m, g.n, g.k - first, wa + first * (ta ? 1 : lda), lda, wb + first * (tb ? ldb : 1), ldb,
                         rest.data(), g.m);
        for (size_t i = 0; i < result.size(); i++) {
            result[i] = rounded((float)result[i], g.c.type) + rounded((float)rest[i], g.c.type);
        }
    }
}

// c = alpha op(a) op(b) + beta c in W; c is read only where beta is not 0.
template <class W>
void wide(const Plan& plan, const void* a, const void* b, void* c) {
    const Gemm& g = plan.g;
    std::vector<W> result((size_t)(g.m * g.n));
    W alpha = (W)plan.alpha.get();
    W beta = (W)plan.beta.get();
    if (g.k > 0 && alpha != 0) {
        product(plan, a, b, result);
    }
    for (int64_t j = 0; j < g.n; j++) {
        for (int64_t i = 0; i < g.m; i++) {
            W value = alpha * result[(size_t)(i + j * g.m)];
            if (beta != 0) {
                value += beta * (W)load(c, g.c.type, i + j * g.c.ld);
            }
            store(c, g.c.type, i + j * g.c.ld, value);
        }
    }
}

// One element at a time, for arithmetic that no BLAS has: sums kept in float16, and integers that wrap.
template <class F>
void narrow(const Plan& plan, const void* a, const void* b, void* c, F multiplyAdd) {
    const Gemm& g = plan.g;
    double alpha = plan.alpha.get();
    double beta = plan.beta.get();
    for (int64_t j = 0; j < g.n; j++) {
        for (int64_t i = 0; i < g.m; i++) {
            double sum = 0;
            for (int64_t l = 0; l < g.k && alpha != 0; l++) {
                sum = multiplyAdd(load(a, g.a.type, g.opA == CUBLAS_OP_N ? i + l * g.a.ld : l + i * g.a.ld),
                                  load(b, g.b.type, g.opB == CUBLAS_OP_N ? l + j * g.b.ld : j + l * g.b.ld), sum);
            }
            double value = multiplyAdd(alpha, sum, 0);
            if (beta != 0) {
                value = multiplyAdd(beta, load(c, g.c.type, i + j * g.c.ld), value);
            }
            store(c, g.c.type, i + j * g.c.ld, value);
        }
    }
}

void run(const Plan& plan, const void* a, const void* b, void* c) {
    switch (plan.g.compute) {
        case CUBLAS_COMPUTE_64F:
        case CUBLAS_COMPUTE_64F_PEDANTIC:
            wide<double>(plan, a, b, c);
            break;
        case CUBLAS_COMPUTE_16F:
        case CUBLAS_COMPUTE_16F_PEDANTIC:
            narrow(plan, a, b, c, [](double x, double y, double z) { return halves::roundF16((float)(x * y + z)); });
            break;
        case CUBLAS_COMPUTE_32I:
        case CUBLAS_COMPUTE_32I_PEDANTIC:
            narrow(plan, a, b, c, [](double x, double y, double z) {
                return (double)(int32_t)((uint32_t)(int64_t)x * (uint32_t)(int64_t)y + (uint32_t)(int64_t)z);
            });
            break;
        default:
            wide<float>(plan, a, b, c);
            break;
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
                                 run(plan, (const char*)g.a.p + i * g.a.stride * (int64_t)sizeOf(g.a.type),
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
        run(plan, a, b, c);
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

cublasStatus_t gemm(const char* function, cublasHandle_t handle, const Gemm& g) {
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
        return gemm(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, TYPE, lda}, {b, TYPE, ldb}, beta, {c, TYPE, ldc}, COMPUTE});          \
    }                                                                                                                    \
    EXPORT cublasStatus_t BATCHED(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n,     \
                                  INT k, const T* alpha, const T* const a[], INT lda, const T* const b[], INT ldb,       \
                                  const T* beta, T* const c[], INT ldc, INT batch) {                                     \
        return gemm(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, TYPE, lda}, {b, TYPE, ldb}, beta, {c, TYPE, ldc}, COMPUTE,            \
                     CUBLAS_GEMM_DEFAULT, batch, true});                                                                 \
    }                                                                                                                    \
    EXPORT cublasStatus_t STRIDED(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n,     \
                                  INT k, const T* alpha, const T* a, INT lda, long long strideA, const T* b, INT ldb,    \
                                  long long strideB, const T* beta, T* c, INT ldc, long long strideC, INT batch) {       \
        return gemm(__func__, handle,                                                                                    \
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
        return gemm(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, typeA, lda}, {b, typeB, ldb}, beta, {c, typeC, ldc}, compute,         \
                     algo});                                                                                             \
    }                                                                                                                    \
    EXPORT cublasStatus_t BATCHED(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n,     \
                                  INT k, const void* alpha, const void* const a[], cudaDataType typeA, INT lda,          \
                                  const void* const b[], cudaDataType typeB, INT ldb, const void* beta,                  \
                                  void* const c[], cudaDataType typeC, INT ldc, INT batch,                               \
                                  cublasComputeType_t compute, cublasGemmAlgo_t algo) {                                  \
        return gemm(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, typeA, lda}, {b, typeB, ldb}, beta, {c, typeC, ldc}, compute, algo,   \
                     batch, true});                                                                                      \
    }                                                                                                                    \
    EXPORT cublasStatus_t STRIDED(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n,     \
                                  INT k, const void* alpha, const void* a, cudaDataType typeA, INT lda,                  \
                                  long long strideA, const void* b, cudaDataType typeB, INT ldb, long long strideB,      \
                                  const void* beta, void* c, cudaDataType typeC, INT ldc, long long strideC, INT batch,  \
                                  cublasComputeType_t compute, cublasGemmAlgo_t algo) {                                  \
        return gemm(__func__, handle,                                                                                    \
                    {opA, opB, m, n, k, alpha, {a, typeA, lda, strideA}, {b, typeB, ldb, strideB}, beta,                 \
                     {c, typeC, ldc, strideC}, compute, algo, batch});                                                   \
    }

MIXED(cublasGemmEx, cublasGemmBatchedEx, cublasGemmStridedBatchedEx, int)
MIXED(cublasGemmEx_64, cublasGemmBatchedEx_64, cublasGemmStridedBatchedEx_64, int64_t)
