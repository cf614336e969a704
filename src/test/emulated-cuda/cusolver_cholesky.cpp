// potrf, potrs, potri, their batched forms and trtri of the emulated cuSOLVER.
#include "cusolver.h"
#include "triangle.h"
#include <math.h>

namespace {

using solver::atLeastOne;
using solver::known;
using solver::Workspace;

int64_t workSize(int64_t n) {
    return 64 * n;
}

// Reads and writes the triangle named; 0, or k where the leading minor of order k is not positive.
template <class T>
int factor(bool lower, int64_t n, T* a, int64_t lda) {
    int64_t down = lower ? 1 : lda;  // from L(i, j) to L(i + 1, j), seen as the lower factor
    int64_t right = lower ? lda : 1;
    for (int64_t j = 0; j < n; j++) {
        T sum = a[j * (down + right)];
        for (int64_t k = 0; k < j; k++) {
            sum -= a[j * down + k * right] * a[j * down + k * right];
        }
        if (!(sum > 0)) {
            return (int)(j + 1);
        }
        T diagonal = sqrt(sum);
        a[j * (down + right)] = diagonal;
        for (int64_t i = j + 1; i < n; i++) {
            T value = a[i * down + j * right];
            for (int64_t k = 0; k < j; k++) {
                value -= a[i * down + k * right] * a[j * down + k * right];
            }
            a[i * down + j * right] = value / diagonal;
        }
    }
    return 0;
}

// x = inverse(A) x from the factor of A.
template <class T>
void solve(bool lower, int64_t n, const T* a, int64_t lda, T* x) {
    triangle::solve(lower, !lower, false, n, a, lda, x, (int64_t)1);
    triangle::solve(lower, lower, false, n, a, lda, x, (int64_t)1);
}

// Overwrites a triangle with column j of op applied to the unit vectors, for all j.
template <class T, class F>
void invert(bool lower, int64_t n, T* a, int64_t lda, F op) {
    std::vector<T> inverse((size_t)(n * n));
    for (int64_t j = 0; j < n; j++) {
        inverse[(size_t)(j + j * n)] = 1;
        op(&inverse[(size_t)(j * n)]);
    }
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = lower ? j : 0; i < (lower ? n : j + 1); i++) {
            a[i + j * lda] = inverse[(size_t)(i + j * n)];
        }
    }
}

// The triangle that is not the factor's.
template <class T>
void poisonOther(bool lower, int64_t n, T* a, int64_t lda) {
    for (int64_t j = 0; j < n; j++) {
        int64_t from = lower ? 0 : j + 1;
        int64_t to = lower ? j : n;
        dense::poison(a + from + j * lda, (size_t)(to - from) * sizeof(T));
    }
}

bool valid(cublasFillMode_t uplo, int64_t n, int64_t lda) {
    return known(uplo) && solver::isSize(n) && lda >= atLeastOne(n);
}

template <class T>
cusolverStatus_t potrf(const char* function, cusolverDnHandle_t handle, cublasFillMode_t uplo, int64_t n, T* a, int64_t lda,
                       Workspace work, int* info) {
    dense::Memory memory;
    memory.matrix("a", a, n, n, lda, sizeof(T));
    solver::claimInfo(memory, info);
    work.claim(memory);
    int forced = solver::forcedInfo(function);
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        int failed = factor(uplo == CUBLAS_FILL_MODE_LOWER, n, a, lda);
        *info = forced ? forced : failed;
    });
}

template <class T>
cusolverStatus_t potrs(const char* function, cusolverDnHandle_t handle, cublasFillMode_t uplo, int64_t n, int64_t nrhs,
                       const T* a, int64_t lda, T* b, int64_t ldb, int* info) {
    ENTER(function, handle)
    REQUIRE(valid(uplo, n, lda) && solver::isSize(nrhs) && ldb >= atLeastOne(n));
    dense::Memory memory;
    memory.matrix("a", a, n, n, lda, sizeof(T)).matrix("b", b, n, nrhs, ldb, sizeof(T));
    solver::claimInfo(memory, info);
    return solver::submit(function, handle, memory, [=]() {
        for (int64_t j = 0; j < nrhs; j++) {
            solve(uplo == CUBLAS_FILL_MODE_LOWER, n, a, lda, b + j * ldb);
        }
        *info = 0;
    });
}

template <class T>
cusolverStatus_t potri(const char* function, cusolverDnHandle_t handle, cublasFillMode_t uplo, int64_t n, T* a, int64_t lda,
                       Workspace work, int* info) {
    dense::Memory memory;
    memory.matrix("a", a, n, n, lda, sizeof(T));
    solver::claimInfo(memory, info);
    work.claim(memory);
    return solver::submit(function, handle, memory, [=]() {
        bool lower = uplo == CUBLAS_FILL_MODE_LOWER;
        work.soil();
        *info = 0;
        for (int64_t k = n; k > 0; k--) {
            *info = a[(k - 1) * (1 + lda)] == 0 ? (int)k : *info;
        }
        if (*info == 0) {
            invert(lower, n, a, lda, [=](T* x) { solve(lower, n, a, lda, x); });
        }
    });
}

// The other triangle is the real function's workspace, as documented.
template <class T>
cusolverStatus_t potrfBatched(const char* function, cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T** a, int lda,
                              int* info, int batch) {
    ENTER(function, handle)
    REQUIRE(valid(uplo, n, lda) && batch >= 0);
    dense::Memory memory;
    memory.range("the array a", a, (size_t)batch * sizeof(void*), sizeof(void*));
    solver::claimInfo(memory, info, batch);
    int forced = solver::forcedInfo(function);
    return solver::submit(function, handle, memory, [=]() {
        for (int i = 0; i < batch; i++) {
            if (!dense::Memory().matrix("a matrix of the array a", a[i], n, n, lda, sizeof(T)).usable(function)) {
                return;
            }
            info[i] = factor(uplo == CUBLAS_FILL_MODE_LOWER, n, a[i], lda);
            poisonOther(uplo == CUBLAS_FILL_MODE_LOWER, n, a[i], lda);
        }
        if (forced && batch > 0) {
            info[batch / 2] = forced;
        }
    });
}

// One right-hand side a matrix, as documented, and one info for all.
template <class T>
cusolverStatus_t potrsBatched(const char* function, cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, int nrhs,
                              T** a, int lda, T** b, int ldb, int* info, int batch) {
    ENTER(function, handle)
    REQUIRE(valid(uplo, n, lda) && batch >= 0 && nrhs == 1 && ldb >= atLeastOne(n));
    dense::Memory memory;
    memory.range("the array a", a, (size_t)batch * sizeof(void*), sizeof(void*));
    memory.range("the array b", b, (size_t)batch * sizeof(void*), sizeof(void*));
    solver::claimInfo(memory, info);
    return solver::submit(function, handle, memory, [=]() {
        for (int i = 0; i < batch; i++) {
            dense::Memory matrices;
            matrices.matrix("a matrix of the array a", a[i], n, n, lda, sizeof(T));
            matrices.matrix("a matrix of the array b", b[i], n, nrhs, ldb, sizeof(T));
            if (!matrices.usable(function)) {
                return;
            }
            solve(uplo == CUBLAS_FILL_MODE_LOWER, n, a[i], lda, b[i]);
        }
        *info = 0;
    });
}

template <class T>
cusolverStatus_t trtri(const char* function, cusolverDnHandle_t handle, bool lower, bool unit, int64_t n, T* a, int64_t lda,
                       Workspace work, int* info) {
    dense::Memory memory;
    memory.matrix("a", a, n, n, lda, sizeof(T));
    solver::claimInfo(memory, info);
    work.claim(memory);
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        *info = 0;
        for (int64_t k = n; k > 0 && !unit; k--) {
            *info = a[(k - 1) * (1 + lda)] == 0 ? (int)k : *info;
        }
        if (*info == 0) {
            std::vector<T> diagonal;
            for (int64_t k = 0; k < n && unit; k++) {
                diagonal.push_back(a[k * (1 + lda)]);
            }
            invert(lower, n, a, lda, [=](T* x) { triangle::solve(lower, false, unit, n, a, lda, x, (int64_t)1); });
            for (int64_t k = 0; k < n && unit; k++) {
                a[k * (1 + lda)] = diagonal[(size_t)k];
            }
        }
    });
}

}  // namespace

#define CHOLESKY(T, POTRF_SIZE, POTRF, POTRS, POTRI_SIZE, POTRI, POTRF_BATCHED, POTRS_BATCHED)                            \
    EXPORT cusolverStatus_t POTRF_SIZE(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T*, int lda,              \
                                       int* lwork) {                                                                      \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(uplo, n, lda));                                                                                     \
        return solver::answer(lwork, workSize(n));                                                                        \
    }                                                                                                                     \
    EXPORT cusolverStatus_t POTRF(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T* a, int lda, T* work,        \
                                  int lwork, int* info) {                                                                 \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(uplo, n, lda) && lwork >= workSize(n));                                                             \
        return potrf(__func__, handle, uplo, n, a, lda, Workspace::of(work, lwork), info);                                \
    }                                                                                                                     \
    EXPORT cusolverStatus_t POTRS(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, int nrhs, const T* a, int lda, \
                                  T* b, int ldb, int* info) {                                                             \
        return potrs(__func__, handle, uplo, n, nrhs, a, lda, b, ldb, info);                                              \
    }                                                                                                                     \
    EXPORT cusolverStatus_t POTRI_SIZE(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T*, int lda,              \
                                       int* lwork) {                                                                      \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(uplo, n, lda));                                                                                     \
        return solver::answer(lwork, workSize(n));                                                                        \
    }                                                                                                                     \
    EXPORT cusolverStatus_t POTRI(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T* a, int lda, T* work,        \
                                  int lwork, int* info) {                                                                 \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(uplo, n, lda) && lwork >= workSize(n));                                                             \
        return potri(__func__, handle, uplo, n, a, lda, Workspace::of(work, lwork), info);                                \
    }                                                                                                                     \
    EXPORT cusolverStatus_t POTRF_BATCHED(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, T* a[], int lda,       \
                                          int* info, int batch) {                                                         \
        return potrfBatched<T>(__func__, handle, uplo, n, a, lda, info, batch);                                           \
    }                                                                                                                     \
    EXPORT cusolverStatus_t POTRS_BATCHED(cusolverDnHandle_t handle, cublasFillMode_t uplo, int n, int nrhs, T* a[],      \
                                          int lda, T* b[], int ldb, int* info, int batch) {                               \
        return potrsBatched<T>(__func__, handle, uplo, n, nrhs, a, lda, b, ldb, info, batch);                             \
    }

CHOLESKY(float, cusolverDnSpotrf_bufferSize, cusolverDnSpotrf, cusolverDnSpotrs, cusolverDnSpotri_bufferSize,
         cusolverDnSpotri, cusolverDnSpotrfBatched, cusolverDnSpotrsBatched)
CHOLESKY(double, cusolverDnDpotrf_bufferSize, cusolverDnDpotrf, cusolverDnDpotrs, cusolverDnDpotri_bufferSize,
         cusolverDnDpotri, cusolverDnDpotrfBatched, cusolverDnDpotrsBatched)

EXPORT cusolverStatus_t cusolverDnXpotrf_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t, cublasFillMode_t uplo,
                                                    int64_t n, cudaDataType type, const void*, int64_t lda,
                                                    cudaDataType compute, size_t* device, size_t* host) {
    ENTER(__func__, handle)
    REQUIRE(valid(uplo, n, lda) && solver::real(type) && compute == type);
    return solver::answer(device, host, 8 * workSize(n), 0);
}

EXPORT cusolverStatus_t cusolverDnXpotrf(cusolverDnHandle_t handle, cusolverDnParams_t, cublasFillMode_t uplo, int64_t n,
                                         cudaDataType type, void* a, int64_t lda, cudaDataType compute, void* work,
                                         size_t workBytes, void* host, size_t hostBytes, int* info) {
    ENTER(__func__, handle)
    REQUIRE(valid(uplo, n, lda) && solver::real(type) && compute == type);
    REQUIRE((int64_t)workBytes >= 8 * workSize(n) && solver::hostWorkspace(__func__, host, hostBytes, 0));
    WITH_TYPE(type, return potrf(__func__, handle, uplo, n, (T*)a, lda, {work, workBytes}, info))
}

EXPORT cusolverStatus_t cusolverDnXpotrs(cusolverDnHandle_t handle, cusolverDnParams_t, cublasFillMode_t uplo, int64_t n,
                                         int64_t nrhs, cudaDataType typeA, const void* a, int64_t lda, cudaDataType typeB,
                                         void* b, int64_t ldb, int* info) {
    REQUIRE(solver::real(typeA) && typeB == typeA);
    WITH_TYPE(typeA, return potrs(__func__, handle, uplo, n, nrhs, (const T*)a, lda, (T*)b, ldb, info))
}

EXPORT cusolverStatus_t cusolverDnXtrtri_bufferSize(cusolverDnHandle_t handle, cublasFillMode_t uplo, cublasDiagType_t diag,
                                                    int64_t n, cudaDataType type, void*, int64_t lda, size_t* device,
                                                    size_t* host) {
    ENTER(__func__, handle)
    REQUIRE(valid(uplo, n, lda) && (diag == CUBLAS_DIAG_UNIT || diag == CUBLAS_DIAG_NON_UNIT) && solver::real(type));
    return solver::answer(device, host, 8 * workSize(n), 0);
}

EXPORT cusolverStatus_t cusolverDnXtrtri(cusolverDnHandle_t handle, cublasFillMode_t uplo, cublasDiagType_t diag, int64_t n,
                                         cudaDataType type, void* a, int64_t lda, void* work, size_t workBytes, void* host,
                                         size_t hostBytes, int* info) {
    ENTER(__func__, handle)
    REQUIRE(valid(uplo, n, lda) && (diag == CUBLAS_DIAG_UNIT || diag == CUBLAS_DIAG_NON_UNIT) && solver::real(type));
    REQUIRE((int64_t)workBytes >= 8 * workSize(n) && solver::hostWorkspace(__func__, host, hostBytes, 0));
    WITH_TYPE(type, return trtri(__func__, handle, uplo == CUBLAS_FILL_MODE_LOWER, diag == CUBLAS_DIAG_UNIT, n, (T*)a, lda,
                                 {work, workBytes}, info))
}
