// syevd, syevdx, sytrd and orgtr of the emulated cuSOLVER, by LAPACK.
#include "cusolver.h"
#include "decompose.h"

namespace {

using solver::atLeastOne;
using solver::isSize;
using solver::known;
using solver::Workspace;

int64_t workSize(int64_t n) {
    return 2 * n * n + 64 * n + 64;
}

size_t hostSize(int64_t n) {
    return (size_t)(16 * n + 256);
}

bool valid(cusolverEigMode_t jobz, cublasFillMode_t uplo, int64_t n, int64_t lda) {
    return known(jobz) && known(uplo) && isSize(n) && lda >= atLeastOne(n);
}

// Which eigenvalues are wanted: all, numbers il to iu from 1, or those in (vl, vu].
struct Selection {
    cusolverEigRange_t range = CUSOLVER_EIG_RANGE_ALL;
    double vl = 0;
    double vu = 0;
    int64_t il = 0;
    int64_t iu = 0;
    int64_t* count = nullptr;

    bool valid(int64_t n) const {
        switch (range) {
            case CUSOLVER_EIG_RANGE_ALL: return true;
            case CUSOLVER_EIG_RANGE_I: return n == 0 || (il >= 1 && il <= iu && iu <= n);
            case CUSOLVER_EIG_RANGE_V: return vl < vu;
            default: return false;
        }
    }
    bool has(int64_t i, double value) const {
        return range == CUSOLVER_EIG_RANGE_ALL
               || (range == CUSOLVER_EIG_RANGE_I ? i + 1 >= il && i + 1 <= iu : value > vl && value <= vu);
    }
};

template <class T>
cusolverStatus_t syev(const char* function, cusolverDnHandle_t handle, cusolverEigMode_t jobz, cublasFillMode_t uplo,
                      int64_t n, T* a, int64_t lda, T* w, Workspace work, int* info, Selection selection) {
    bool vectors = jobz == CUSOLVER_EIG_MODE_VECTOR;
    bool lower = uplo == CUBLAS_FILL_MODE_LOWER;
    dense::Memory memory;
    memory.matrix("a", a, n, n, lda, sizeof(T)).vector("w", w, n, 1, sizeof(T));
    solver::claimInfo(memory, info);
    work.claim(memory);
    if (!solver::openBlas(function) || !solver::capturable(function, handle)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    int forced = solver::forcedInfo(function);
    std::shared_ptr<int64_t> found = std::make_shared<int64_t>(0);
    cusolverStatus_t status = solver::submit(function, handle, memory, [=]() {
        work.soil();
        bool finite = decompose::finite(n, n, a, lda, lower, !lower);
        std::vector<T> values;
        std::vector<T> packed = decompose::copy(n, n, a, lda);
        *info = forced ? forced : finite ? decompose::eigen(vectors, lower, n, packed, values) : 1;
        dense::poison(a, n, n, lda);
        dense::poison(w, n, 1, atLeastOne(n));
        *found = 0;
        for (int64_t i = 0; i < n && *info == 0; i++) {
            if (selection.has(i, (double)values[(size_t)i])) {
                w[*found] = values[(size_t)i];
                if (vectors) {
                    memcpy(a + *found * lda, &packed[(size_t)(i * n)], (size_t)n * sizeof(T));
                }
                ++*found;
            }
        }
    });
    if (status == CUSOLVER_STATUS_SUCCESS && selection.count) {  // a host value: the call waits
        if (cuStreamSynchronize(handle->stream) != 0) {
            return CUSOLVER_STATUS_EXECUTION_FAILED;
        }
        *selection.count = *found;
    }
    return status;
}

// sytrd and orgtr on the matrix itself: LAPACK's conventions are the documented ones.
template <class T>
cusolverStatus_t sytrd(const char* function, cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T* a, int lda, T* d,
                       T* e, T* tau, Workspace work, int* info) {
    dense::Memory memory;
    memory.matrix("a", a, n, n, lda, sizeof(T)).vector("d", d, n, 1, sizeof(T));
    memory.vector("e", e, n - 1, 1, sizeof(T)).vector("tau", tau, n - 1, 1, sizeof(T));
    solver::claimInfo(memory, info);
    work.claim(memory);
    if (!solver::openBlas(function)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        int size = 64 * n + 64;
        std::vector<T> space((size_t)size);
        lapack::call<T>("sytrd", uplo == CUBLAS_FILL_MODE_LOWER ? "L" : "U", &n, a, &lda, d, e, tau, space.data(), &size,
                        info);
    });
}

template <class T>
cusolverStatus_t orgtr(const char* function, cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T* a, int lda,
                       const T* tau, Workspace work, int* info) {
    dense::Memory memory;
    memory.matrix("a", a, n, n, lda, sizeof(T)).vector("tau", tau, n - 1, 1, sizeof(T));
    solver::claimInfo(memory, info);
    work.claim(memory);
    if (!solver::openBlas(function)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        int size = 64 * n + 64;
        std::vector<T> space((size_t)size);
        lapack::call<T>("orgtr", uplo == CUBLAS_FILL_MODE_LOWER ? "L" : "U", &n, a, &lda, tau, space.data(), &size, info);
    });
}

bool valid(cublasFillMode_t uplo, int n, int lda) {
    return known(uplo) && n >= 0 && lda >= atLeastOne(n);
}

}  // namespace

#define EIGEN(T, SYEVD_SIZE, SYEVD, SYTRD_SIZE, SYTRD, ORGTR_SIZE, ORGTR)                                                 \
    EXPORT cusolverStatus_t SYEVD_SIZE(cusolverDnHandle_t handle, cusolverEigMode_t jobz, cublasFillMode_t uplo, int n,   \
                                       const T*, int lda, const T*, int* lwork) {                                         \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(jobz, uplo, n, lda));                                                                               \
        return solver::answer(lwork, workSize(n));                                                                        \
    }                                                                                                                     \
    EXPORT cusolverStatus_t SYEVD(cusolverDnHandle_t handle, cusolverEigMode_t jobz, cublasFillMode_t uplo, int n, T* a,  \
                                  int lda, T* w, T* work, int lwork, int* info) {                                         \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(jobz, uplo, n, lda) && lwork >= workSize(n));                                                       \
        return syev(__func__, handle, jobz, uplo, n, a, lda, w, Workspace::of(work, lwork), info, Selection());           \
    }                                                                                                                     \
    EXPORT cusolverStatus_t SYTRD_SIZE(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, const T*, int lda,        \
                                       const T*, const T*, const T*, int* lwork) {                                        \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(uplo, n, lda));                                                                                     \
        return solver::answer(lwork, 64 * (int64_t)n);                                                                    \
    }                                                                                                                     \
    EXPORT cusolverStatus_t SYTRD(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T* a, int lda, T* d, T* e,     \
                                  T* tau, T* work, int lwork, int* info) {                                                \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(uplo, n, lda) && lwork >= 64 * (int64_t)n);                                                         \
        return sytrd(__func__, handle, uplo, n, a, lda, d, e, tau, Workspace::of(work, lwork), info);                     \
    }                                                                                                                     \
    EXPORT cusolverStatus_t ORGTR_SIZE(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, const T*, int lda,        \
                                       const T*, int* lwork) {                                                            \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(uplo, n, lda));                                                                                     \
        return solver::answer(lwork, 64 * (int64_t)n);                                                                    \
    }                                                                                                                     \
    EXPORT cusolverStatus_t ORGTR(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T* a, int lda, const T* tau,   \
                                  T* work, int lwork, int* info) {                                                        \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(uplo, n, lda) && lwork >= 64 * (int64_t)n);                                                         \
        return orgtr(__func__, handle, uplo, n, a, lda, tau, Workspace::of(work, lwork), info);                           \
    }

EIGEN(float, cusolverDnSsyevd_bufferSize, cusolverDnSsyevd, cusolverDnSsytrd_bufferSize, cusolverDnSsytrd,
      cusolverDnSorgtr_bufferSize, cusolverDnSorgtr)
EIGEN(double, cusolverDnDsyevd_bufferSize, cusolverDnDsyevd, cusolverDnDsytrd_bufferSize, cusolverDnDsytrd,
      cusolverDnDorgtr_bufferSize, cusolverDnDorgtr)

EXPORT cusolverStatus_t cusolverDnXsyevd_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t jobz,
                                                    cublasFillMode_t uplo, int64_t n, cudaDataType type, const void*,
                                                    int64_t lda, cudaDataType typeW, const void*, cudaDataType compute,
                                                    size_t* device, size_t* host) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobz, uplo, n, lda) && solver::real(type) && typeW == type && compute == type);
    return solver::answer(device, host, 8 * workSize(n), hostSize(n));
}

EXPORT cusolverStatus_t cusolverDnXsyevd(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t jobz,
                                         cublasFillMode_t uplo, int64_t n, cudaDataType type, void* a, int64_t lda,
                                         cudaDataType typeW, void* w, cudaDataType compute, void* work, size_t workBytes,
                                         void* host, size_t hostBytes, int* info) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobz, uplo, n, lda) && solver::real(type) && typeW == type && compute == type);
    REQUIRE((int64_t)workBytes >= 8 * workSize(n) && solver::hostWorkspace(__func__, host, hostBytes, hostSize(n)));
    WITH_TYPE(type, return syev(__func__, handle, jobz, uplo, n, (T*)a, lda, (T*)w, {work, workBytes}, info, Selection()))
}

EXPORT cusolverStatus_t cusolverDnXsyevdx_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t jobz,
                                                     cusolverEigRange_t range, cublasFillMode_t uplo, int64_t n,
                                                     cudaDataType type, const void*, int64_t lda, void*, void*, int64_t,
                                                     int64_t, int64_t*, cudaDataType typeW, const void*,
                                                     cudaDataType compute, size_t* device, size_t* host) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobz, uplo, n, lda) && solver::real(type) && typeW == type && compute == type);
    REQUIRE(range >= CUSOLVER_EIG_RANGE_ALL && range <= CUSOLVER_EIG_RANGE_V);
    return solver::answer(device, host, 8 * workSize(n), hostSize(n));
}

EXPORT cusolverStatus_t cusolverDnXsyevdx(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t jobz,
                                          cusolverEigRange_t range, cublasFillMode_t uplo, int64_t n, cudaDataType type,
                                          void* a, int64_t lda, void* vl, void* vu, int64_t il, int64_t iu, int64_t* count,
                                          cudaDataType typeW, void* w, cudaDataType compute, void* work, size_t workBytes,
                                          void* host, size_t hostBytes, int* info) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobz, uplo, n, lda) && solver::real(type) && typeW == type && compute == type && count);
    REQUIRE(range != CUSOLVER_EIG_RANGE_V || (vl && vu));
    bool ranged = range == CUSOLVER_EIG_RANGE_V;
    Selection selection{range, 0, 0, il, iu, count};
    WITH_TYPE(type, selection.vl = ranged ? (double)*(const T*)vl : 0; selection.vu = ranged ? (double)*(const T*)vu : 0)
    REQUIRE(selection.valid(n));
    REQUIRE((int64_t)workBytes >= 8 * workSize(n) && solver::hostWorkspace(__func__, host, hostBytes, hostSize(n)));
    WITH_TYPE(type, return syev(__func__, handle, jobz, uplo, n, (T*)a, lda, (T*)w, {work, workBytes}, info, selection))
}
