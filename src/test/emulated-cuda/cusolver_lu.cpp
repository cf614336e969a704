// getrf and getrs of the emulated cuSOLVER.
#include "cusolver.h"
#include "lu.h"

namespace {

using solver::atLeastOne;
using solver::known;
using solver::Workspace;

int64_t workSize(int64_t m, int64_t n) {
    return 32 * n + m;
}

template <class T, class P>
cusolverStatus_t getrf(const char* function, cusolverDnHandle_t handle, int64_t m, int64_t n, T* a, int64_t lda,
                       Workspace work, P* pivots, int* info) {
    int64_t steps = m < n ? m : n;
    dense::Memory memory;
    memory.matrix("a", a, m, n, lda, sizeof(T));
    if (pivots) {
        memory.range("ipiv", pivots, (size_t)steps * sizeof(P), sizeof(P));
    }
    solver::claimInfo(memory, info);
    work.claim(memory);
    int forced = solver::forcedInfo(function);
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        *info = lu::factor(m, n, a, lda, pivots);
        if (forced) {
            *info = forced;
            dense::poison(a, m, n, lda);
        }
    });
}

template <class T, class P>
cusolverStatus_t getrs(const char* function, cusolverDnHandle_t handle, cublasOperation_t trans, int64_t n, int64_t nrhs,
                       const T* a, int64_t lda, const P* pivots, T* b, int64_t ldb, int* info) {
    ENTER(function, handle)
    REQUIRE(known(trans) && solver::isSize(n) && solver::isSize(nrhs) && lda >= atLeastOne(n) && ldb >= atLeastOne(n));
    dense::Memory memory;
    memory.matrix("a", a, n, n, lda, sizeof(T)).matrix("b", b, n, nrhs, ldb, sizeof(T));
    if (pivots) {
        memory.range("ipiv", pivots, (size_t)n * sizeof(P), sizeof(P));
    }
    solver::claimInfo(memory, info);
    return solver::submit(function, handle, memory, [=]() {
        if (!lu::sane(n, pivots)) {
            emu_error("%s: the pivots are not row numbers from 1 to %lld", function, (long long)n);
            return;
        }
        for (int64_t j = 0; j < nrhs; j++) {
            lu::solve(trans != CUBLAS_OP_N, n, a, lda, pivots, b + j * ldb);
        }
        *info = 0;
    });
}

bool valid(int64_t m, int64_t n, int64_t lda) {
    return solver::isSize(m) && solver::isSize(n) && lda >= atLeastOne(m);
}

}  // namespace

#define LU(T, GETRF_SIZE, GETRF, GETRS)                                                                                   \
    EXPORT cusolverStatus_t GETRF_SIZE(cusolverDnHandle_t handle, int m, int n, T*, int lda, int* lwork) {                \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(m, n, lda));                                                                                        \
        return solver::answer(lwork, workSize(m, n));                                                                     \
    }                                                                                                                     \
    EXPORT cusolverStatus_t GETRF(cusolverDnHandle_t handle, int m, int n, T* a, int lda, T* work, int* pivots,           \
                                  int* info) {                                                                            \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(m, n, lda));                                                                                        \
        return getrf(__func__, handle, m, n, a, lda, Workspace::of(work, atLeastOne(workSize(m, n))), pivots, info);      \
    }                                                                                                                     \
    EXPORT cusolverStatus_t GETRS(cusolverDnHandle_t handle, cublasOperation_t trans, int n, int nrhs, const T* a,        \
                                  int lda, const int* pivots, T* b, int ldb, int* info) {                                 \
        return getrs(__func__, handle, trans, n, nrhs, a, lda, pivots, b, ldb, info);                                     \
    }

LU(float, cusolverDnSgetrf_bufferSize, cusolverDnSgetrf, cusolverDnSgetrs)
LU(double, cusolverDnDgetrf_bufferSize, cusolverDnDgetrf, cusolverDnDgetrs)

EXPORT cusolverStatus_t cusolverDnXgetrf_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t, int64_t m, int64_t n,
                                                    cudaDataType type, const void*, int64_t lda, cudaDataType compute,
                                                    size_t* device, size_t* host) {
    ENTER(__func__, handle)
    REQUIRE(valid(m, n, lda) && solver::real(type) && compute == type);
    return solver::answer(device, host, 8 * workSize(m, n), 0);
}

EXPORT cusolverStatus_t cusolverDnXgetrf(cusolverDnHandle_t handle, cusolverDnParams_t, int64_t m, int64_t n,
                                         cudaDataType type, void* a, int64_t lda, int64_t* pivots, cudaDataType compute,
                                         void* work, size_t workBytes, void* host, size_t hostBytes, int* info) {
    ENTER(__func__, handle)
    REQUIRE(valid(m, n, lda) && solver::real(type) && compute == type);
    REQUIRE((int64_t)workBytes >= 8 * workSize(m, n) && solver::hostWorkspace(__func__, host, hostBytes, 0));
    WITH_TYPE(type, return getrf(__func__, handle, m, n, (T*)a, lda, {work, workBytes}, pivots, info))
}

EXPORT cusolverStatus_t cusolverDnXgetrs(cusolverDnHandle_t handle, cusolverDnParams_t, cublasOperation_t trans, int64_t n,
                                         int64_t nrhs, cudaDataType typeA, const void* a, int64_t lda,
                                         const int64_t* pivots, cudaDataType typeB, void* b, int64_t ldb, int* info) {
    REQUIRE(solver::real(typeA) && typeB == typeA);
    WITH_TYPE(typeA, return getrs(__func__, handle, trans, n, nrhs, (const T*)a, lda, pivots, (T*)b, ldb, info))
}
