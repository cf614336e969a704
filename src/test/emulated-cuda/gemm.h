// A matrix product of the emulated cuBLAS after its arguments were checked.
#pragma once
#include "cublas.h"

namespace gemm {

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
    blas::Scalar alpha;
    blas::Scalar beta;
    Rounding rounding;
    bool reducedReduction;  // sums of a split k may pass through the result's type
    const char* function;
};

// c = alpha op(a) op(b) + beta c for one matrix each.
void run(const Plan& plan, const void* a, const void* b, void* c);

}  // namespace gemm
