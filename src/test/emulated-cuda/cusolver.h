// The handle of the emulated cuSOLVER and what its functions share.
#pragma once
#include "dense.h"
#include "lapack.h"
#include "vendor.h"
#include <memory>

struct cusolverDnContext {
    cudaStream_t stream = nullptr;
};

// Settings and results of the Jacobi methods. Runs write the results, which may be after the user destroyed the object.
struct Jacobi {
    double tolerance = 0;  // 0: machine precision
    int maxSweeps = 100;
    bool sort = true;
    bool batched = false;
    double residual = -1;
    int sweeps = -1;
};

struct gesvdjInfo {
    std::shared_ptr<Jacobi> state = std::make_shared<Jacobi>();
};

struct syevjInfo {
    std::shared_ptr<Jacobi> state = std::make_shared<Jacobi>();
};

namespace solver {

// Injected faults, a lost device, a missing context, a handle that is not live; 0 where the function may go on.
cusolverStatus_t enter(const char* function, cusolverDnHandle_t handle);

// What a test wants devInfo to be: emu_inject("cusolverDnSgesvd:info", 1, 3) makes the next call of that function report 3
// and leave garbage for results. 0: what the computation gives. Batched functions report it for the middle matrix.
int forcedInfo(const char* function);

// The functions that iterate on the host while they run cannot be captured.
bool capturable(const char* function, cusolverDnHandle_t handle);

// Whether OpenBLAS is there; its absence is recorded.
bool openBlas(const char* function);

// The host part of a workspace: at least as large as asked for, and host memory. Filled with garbage at once.
bool hostWorkspace(const char* function, void* p, size_t bytes, size_t needed);

template <class T>
constexpr cudaDataType typeOf = sizeof(T) == 4 ? CUDA_R_32F : CUDA_R_64F;

inline bool real(cudaDataType type) {
    return type == CUDA_R_32F || type == CUDA_R_64F;
}

inline bool known(cublasFillMode_t uplo) {
    return uplo == CUBLAS_FILL_MODE_LOWER || uplo == CUBLAS_FILL_MODE_UPPER;
}

inline bool known(cublasOperation_t op) {
    return op == CUBLAS_OP_N || op == CUBLAS_OP_T || op == CUBLAS_OP_C;
}

inline bool known(cusolverEigMode_t jobz) {
    return jobz == CUSOLVER_EIG_MODE_NOVECTOR || jobz == CUSOLVER_EIG_MODE_VECTOR;
}

inline bool isSize(int64_t n) {
    return n >= 0 && n <= INT32_MAX;
}

inline int64_t atLeastOne(int64_t n) {
    return n > 1 ? n : 1;
}

// Answers a workspace query of the 32-bit functions, in elements.
inline cusolverStatus_t answer(int* lwork, int64_t elements) {
    if (!lwork || elements > INT32_MAX) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    *lwork = (int)atLeastOne(elements);
    return CUSOLVER_STATUS_SUCCESS;
}

// Answers a workspace query of the 64-bit functions, in bytes.
inline cusolverStatus_t answer(size_t* device, size_t* host, int64_t bytes, size_t hostBytes) {
    if (!device || !host) {
        return CUSOLVER_STATUS_INVALID_VALUE;
    }
    *device = (size_t)atLeastOne(bytes);
    *host = hostBytes;
    return CUSOLVER_STATUS_SUCCESS;
}

inline void claimInfo(dense::Memory& memory, const int* info, int64_t batch = 1) {
    memory.range("devInfo", info, (size_t)batch * sizeof(int), sizeof(int));
}

// Device workspace: claimed here, filled with garbage by each run.
struct Workspace {
    void* p;
    size_t bytes;
    template <class T>
    static Workspace of(T* p, int64_t elements) {
        return {p, (size_t)elements * sizeof(T)};
    }
    void claim(dense::Memory& memory) const {
        memory.range("the workspace", p, bytes, sizeof(float));
    }
    void soil() const {
        dense::poison(p, bytes);
    }
};

template <class F>
cusolverStatus_t submit(const char* function, cusolverDnHandle_t handle, const dense::Memory& memory, F work) {
    return dense::submit(handle->stream, function, memory, work) ? CUSOLVER_STATUS_SUCCESS
                                                                 : CUSOLVER_STATUS_EXECUTION_FAILED;
}

}  // namespace solver

// Leaves the function with the status of an argument that the real library refuses.
#define REQUIRE(condition)                    \
    if (!(condition)) {                       \
        return CUSOLVER_STATUS_INVALID_VALUE; \
    }

#define ENTER(function, handle)                                          \
    if (cusolverStatus_t entered = solver::enter(function, handle)) {    \
        return entered;                                                  \
    }

// Runs a statement with T = float or double for a cudaDataType that has been checked to be real.
#define WITH_TYPE(type, ...)     \
    if ((type) == CUDA_R_32F) {  \
        using T = float;         \
        __VA_ARGS__;             \
    } else {                     \
        using T = double;        \
        __VA_ARGS__;             \
    }
