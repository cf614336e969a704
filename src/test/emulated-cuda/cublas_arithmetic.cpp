// The arithmetic of the emulated cuBLAS's matrix products: operand and result types, rounding, accumulation.
#include "gemm.h"
#include "half.h"
#include "lapack.h"

namespace gemm {

namespace {

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

}  // namespace

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

}  // namespace gemm
