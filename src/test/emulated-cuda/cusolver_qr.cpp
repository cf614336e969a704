// geqrf, orgqr and ormqr of the emulated cuSOLVER, by LAPACK.
#include "cusolver.h"

namespace {

using solver::atLeastOne;
using solver::isSize;
using solver::Workspace;

// Elements, of the device workspace and of LAPACK's own.
int64_t workSize(int64_t vectors) {
    return 64 * vectors + 64;
}

template <class T>
cusolverStatus_t geqrf(const char* function, cusolverDnHandle_t handle, int64_t m, int64_t n, T* a, int64_t lda, T* tau,
                       Workspace work, int* info) {
    dense::Memory memory;
    memory.matrix("a", a, m, n, lda, sizeof(T)).vector("tau", tau, m < n ? m : n, 1, sizeof(T));
    solver::claimInfo(memory, info);
    work.claim(memory);
    if (!solver::openBlas(function)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        int sizes[] = {(int)m, (int)n, (int)lda, (int)workSize(n)};
        std::vector<T> space((size_t)sizes[3]);
        lapack::call<T>("geqrf", &sizes[0], &sizes[1], a, &sizes[2], tau, space.data(), &sizes[3], info);
    });
}

bool validOrgqr(int m, int n, int k, int lda) {
    return m >= n && n >= k && k >= 0 && lda >= atLeastOne(m);
}

template <class T>
cusolverStatus_t orgqr(const char* function, cusolverDnHandle_t handle, int m, int n, int k, T* a, int lda, const T* tau,
                       Workspace work, int* info) {
    dense::Memory memory;
    memory.matrix("a", a, m, n, lda, sizeof(T)).vector("tau", tau, k, 1, sizeof(T));
    solver::claimInfo(memory, info);
    work.claim(memory);
    if (!solver::openBlas(function)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        int size = (int)workSize(n);
        std::vector<T> space((size_t)size);
        lapack::call<T>("orgqr", &m, &n, &k, a, &lda, tau, space.data(), &size, info);
    });
}

bool validOrmqr(cublasSideMode_t side, cublasOperation_t trans, int m, int n, int k, int lda, int ldc) {
    int order = side == CUBLAS_SIDE_LEFT ? m : n;
    return (side == CUBLAS_SIDE_LEFT || side == CUBLAS_SIDE_RIGHT) && (trans == CUBLAS_OP_N || trans == CUBLAS_OP_T)
           && m >= 0 && n >= 0 && k >= 0 && k <= order && lda >= atLeastOne(order) && ldc >= atLeastOne(m);
}

template <class T>
cusolverStatus_t ormqr(const char* function, cusolverDnHandle_t handle, cublasSideMode_t side, cublasOperation_t trans,
                       int m, int n, int k, const T* a, int lda, const T* tau, T* c, int ldc, Workspace work, int* info) {
    bool left = side == CUBLAS_SIDE_LEFT;
    dense::Memory memory;
    memory.matrix("a", a, left ? m : n, k, lda, sizeof(T)).vector("tau", tau, k, 1, sizeof(T));
    memory.matrix("c", c, m, n, ldc, sizeof(T));
    solver::claimInfo(memory, info);
    work.claim(memory);
    if (!solver::openBlas(function)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        int size = (int)workSize(left ? n : m) + 65 * 64;
        std::vector<T> space((size_t)size);
        lapack::call<T>("ormqr", left ? "L" : "R", trans == CUBLAS_OP_N ? "N" : "T", &m, &n, &k, a, &lda, tau, c, &ldc,
                        space.data(), &size, info);
    });
}

bool valid(int64_t m, int64_t n, int64_t lda) {
    return isSize(m) && isSize(n) && lda >= atLeastOne(m);
}

}  // namespace

#define QR(T, GEQRF_SIZE, GEQRF, ORGQR_SIZE, ORGQR, ORMQR_SIZE, ORMQR)                                                     \
    EXPORT cusolverStatus_t GEQRF_SIZE(cusolverDnHandle_t handle, int m, int n, T*, int lda, int* lwork) {                \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(m, n, lda));                                                                                        \
        return solver::answer(lwork, workSize(n));                                                                        \
    }                                                                                                                     \
    EXPORT cusolverStatus_t GEQRF(cusolverDnHandle_t handle, int m, int n, T* a, int lda, T* tau, T* work, int lwork,     \
                                  int* info) {                                                                            \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(m, n, lda) && lwork >= workSize(n));                                                                \
        return geqrf(__func__, handle, m, n, a, lda, tau, Workspace::of(work, lwork), info);                              \
    }                                                                                                                     \
    EXPORT cusolverStatus_t ORGQR_SIZE(cusolverDnHandle_t handle, int m, int n, int k, const T*, int lda, const T*,       \
                                       int* lwork) {                                                                      \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validOrgqr(m, n, k, lda));                                                                                \
        return solver::answer(lwork, workSize(n));                                                                        \
    }                                                                                                                     \
    EXPORT cusolverStatus_t ORGQR(cusolverDnHandle_t handle, int m, int n, int k, T* a, int lda, const T* tau, T* work,   \
                                  int lwork, int* info) {                                                                 \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validOrgqr(m, n, k, lda) && lwork >= workSize(n));                                                        \
        return orgqr(__func__, handle, m, n, k, a, lda, tau, Workspace::of(work, lwork), info);                           \
    }                                                                                                                     \
    EXPORT cusolverStatus_t ORMQR_SIZE(cusolverDnHandle_t handle, cublasSideMode_t side, cublasOperation_t trans, int m,  \
                                       int n, int k, const T*, int lda, const T*, const T*, int ldc, int* lwork) {        \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validOrmqr(side, trans, m, n, k, lda, ldc));                                                              \
        return solver::answer(lwork, workSize(m + n));                                                                    \
    }                                                                                                                     \
    EXPORT cusolverStatus_t ORMQR(cusolverDnHandle_t handle, cublasSideMode_t side, cublasOperation_t trans, int m,       \
                                  int n, int k, const T* a, int lda, const T* tau, T* c, int ldc, T* work, int lwork,     \
                                  int* info) {                                                                            \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validOrmqr(side, trans, m, n, k, lda, ldc) && lwork >= workSize(m + n));                                  \
        return ormqr(__func__, handle, side, trans, m, n, k, a, lda, tau, c, ldc, Workspace::of(work, lwork), info);      \
    }

QR(float, cusolverDnSgeqrf_bufferSize, cusolverDnSgeqrf, cusolverDnSorgqr_bufferSize, cusolverDnSorgqr,
   cusolverDnSormqr_bufferSize, cusolverDnSormqr)
QR(double, cusolverDnDgeqrf_bufferSize, cusolverDnDgeqrf, cusolverDnDorgqr_bufferSize, cusolverDnDorgqr,
   cusolverDnDormqr_bufferSize, cusolverDnDormqr)

EXPORT cusolverStatus_t cusolverDnXgeqrf_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t, int64_t m, int64_t n,
                                                    cudaDataType type, const void*, int64_t lda, cudaDataType typeTau,
                                                    const void*, cudaDataType compute, size_t* device, size_t* host) {
    ENTER(__func__, handle)
    REQUIRE(valid(m, n, lda) && solver::real(type) && typeTau == type && compute == type);
    return solver::answer(device, host, 8 * workSize(n), 0);
}

EXPORT cusolverStatus_t cusolverDnXgeqrf(cusolverDnHandle_t handle, cusolverDnParams_t, int64_t m, int64_t n,
                                         cudaDataType type, void* a, int64_t lda, cudaDataType typeTau, void* tau,
                                         cudaDataType compute, void* work, size_t workBytes, void* host, size_t hostBytes,
                                         int* info) {
    ENTER(__func__, handle)
    REQUIRE(valid(m, n, lda) && solver::real(type) && typeTau == type && compute == type);
    REQUIRE((int64_t)workBytes >= 8 * workSize(n) && solver::hostWorkspace(__func__, host, hostBytes, 0));
    WITH_TYPE(type, return geqrf(__func__, handle, m, n, (T*)a, lda, (T*)tau, {work, workBytes}, info))
}
