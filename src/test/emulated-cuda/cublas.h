// The handle of the emulated cuBLAS and what every one of its functions begins with.
#pragma once
#include "dense.h"
#include "vendor.h"

struct cublasContext {
    cudaStream_t stream = nullptr;
    void* workspace = nullptr;
    size_t workspaceBytes = 0;
    bool ownWorkspace = false;
    cublasPointerMode_t pointerMode = CUBLAS_POINTER_MODE_HOST;
    int mathMode = CUBLAS_DEFAULT_MATH;
    cublasAtomicsMode_t atomicsMode = CUBLAS_ATOMICS_NOT_ALLOWED;
    int smCount = 0;
};

namespace blas {

// Injected faults, a lost device, a missing context and a handle that is not live; 0 where the function may go on.
cublasStatus_t enter(const char* function, cublasHandle_t handle);

// The status where the handle's own workspace is too small for any product; 0 where the function may go on.
cublasStatus_t workspaceStatus(cublasHandle_t handle);

// Adds the handle's own workspace to the memory of a call, and garbage to it: part of a run.
void claimWorkspace(cublasHandle_t handle, dense::Memory& memory);
void soilWorkspace(void* workspace, size_t bytes);

// alpha or beta: a host value read at the call, or an address read at each run.
class Scalar {
public:
    Scalar() = default;
    Scalar(cublasHandle_t handle, const void* p, cudaDataType type);
    // Whether it is known at the call that the value is this.
    bool isHost(double value) const {
        return !device && host == value;
    }
    double get() const {
        return device ? read(device, type) : host;
    }
    void claim(const char* name, dense::Memory& memory) const;

private:
    static double read(const void* p, cudaDataType type);
    double host = 0;
    const void* device = nullptr;
    cudaDataType type = CUDA_R_32F;
};

// Host pointer mode with a device address, which the real library would read as if it were the host's: recorded.
bool readable(const char* function, cublasHandle_t handle, const void* alpha, const void* beta);

size_t sizeOf(cudaDataType type);

template <class T>
constexpr cudaDataType typeOf = sizeof(T) == 4 ? CUDA_R_32F : CUDA_R_64F;

inline bool known(cublasOperation_t op) {
    return op == CUBLAS_OP_N || op == CUBLAS_OP_T || op == CUBLAS_OP_C;
}

inline cublasStatus_t status(bool submitted) {
    return submitted ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

// The element (i, j) of op(a).
template <class T>
T element(cublasOperation_t op, const T* a, int64_t ld, int64_t i, int64_t j) {
    return op == CUBLAS_OP_N ? a[i + j * ld] : a[j + i * ld];
}

// Where a vector of n elements begins: BLAS starts at the far end where inc is negative.
inline int64_t first(int64_t n, int64_t inc) {
    return inc < 0 ? (1 - n) * inc : 0;
}

inline int64_t atLeastOne(int64_t n) {
    return n > 1 ? n : 1;
}

}  // namespace blas

// Leaves the function with the status of an argument that the real library refuses.
#define REQUIRE(condition)                  \
    if (!(condition)) {                     \
        return CUBLAS_STATUS_INVALID_VALUE; \
    }

#define ENTER(handle)                                              \
    if (cublasStatus_t status = blas::enter(__func__, handle)) {   \
        return status;                                             \
    }
