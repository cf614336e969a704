// syevj and syevjBatched of the emulated cuSOLVER: LAPACK's values by the rules of the Jacobi method.
#include "cusolver.h"
#include "decompose.h"

namespace {

using solver::atLeastOne;
using solver::known;
using solver::Workspace;

int64_t workSize(int64_t n, int64_t batch) {
    return n * n + 64 * n + batch + 64;
}

bool valid(cusolverEigMode_t jobz, cublasFillMode_t uplo, int n, int lda, syevjInfo_t params, int batch) {
    return known(jobz) && known(uplo) && n >= 0 && lda >= atLeastOne(n) && params && batch >= 0;
}

template <class T>
int decomposeOne(const Jacobi& settings, Jacobi* results, bool vectors, bool lower, int64_t n, T* a, int64_t lda, T* w) {
    bool finite = decompose::finite(n, n, a, lda, lower, !lower);
    std::vector<T> values;
    std::vector<T> packed = decompose::copy(n, n, a, lda);
    int sweeps = 2;
    for (int64_t size = 2; size < n; size *= 2) {
        sweeps++;
    }
    bool converged = finite && (settings.maxSweeps >= sweeps || n < 2)
                     && decompose::eigen(vectors, lower, n, packed, values) == 0;
    results->sweeps = converged ? sweeps : settings.maxSweeps;
    results->residual = converged ? 1e-16 * (sizeof(T) == 4 ? 1e8 : 1) : 1;
    dense::poison(a, n, n, lda);
    dense::poison(w, n, 1, atLeastOne(n));
    if (!converged) {
        return (int)n + 1;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t from = settings.sort ? i : decompose::shuffled(i, n);
        w[i] = values[(size_t)from];
        if (vectors) {
            memcpy(a + i * lda, &packed[(size_t)(from * n)], (size_t)n * sizeof(T));
        }
    }
    return 0;
}

template <class T>
cusolverStatus_t syevj(const char* function, cusolverDnHandle_t handle, cusolverEigMode_t jobz, cublasFillMode_t uplo,
                       int64_t n, T* a, int64_t lda, T* w, Workspace work, int* info, syevjInfo_t params, int64_t batch,
                       bool batched) {
    dense::Memory memory;
    memory.matrix("a", a, n, n, lda, sizeof(T), lda * n, batch).vector("w", w, n * batch, 1, sizeof(T));
    solver::claimInfo(memory, info, batch);
    work.claim(memory);
    if (!solver::openBlas(function) || !solver::capturable(function, handle)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    int forced = solver::forcedInfo(function);
    std::shared_ptr<Jacobi> results = params->state;
    Jacobi settings = *results;
    settings.sort = settings.sort || !batched;
    results->batched = batched;
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        for (int64_t i = 0; i < batch; i++) {
            T* one = a + i * lda * n;
            if (forced && i == batch / 2) {
                dense::poison(one, n, n, lda);
                dense::poison(w + i * n, n, 1, atLeastOne(n));
                info[i] = forced;
            } else {
                info[i] = decomposeOne(settings, results.get(), jobz == CUSOLVER_EIG_MODE_VECTOR,
                                       uplo == CUBLAS_FILL_MODE_LOWER, n, one, lda, w + i * n);
            }
        }
    });
}

}  // namespace

#define JACOBI_EIGEN(T, SIZE, RUN, BATCHED_SIZE, BATCHED)                                                                 \
    EXPORT cusolverStatus_t SIZE(cusolverDnHandle_t handle, cusolverEigMode_t jobz, cublasFillMode_t uplo, int n,         \
                                 const T*, int lda, const T*, int* lwork, syevjInfo_t params) {                           \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(jobz, uplo, n, lda, params, 1));                                                                    \
        return solver::answer(lwork, workSize(n, 1));                                                                     \
    }                                                                                                                     \
    EXPORT cusolverStatus_t RUN(cusolverDnHandle_t handle, cusolverEigMode_t jobz, cublasFillMode_t uplo, int n, T* a,    \
                                int lda, T* w, T* work, int lwork, int* info, syevjInfo_t params) {                       \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(jobz, uplo, n, lda, params, 1) && lwork >= workSize(n, 1));                                         \
        return syevj(__func__, handle, jobz, uplo, n, a, lda, w, Workspace::of(work, lwork), info, params, 1, false);     \
    }                                                                                                                     \
    EXPORT cusolverStatus_t BATCHED_SIZE(cusolverDnHandle_t handle, cusolverEigMode_t jobz, cublasFillMode_t uplo, int n, \
                                         const T*, int lda, const T*, int* lwork, syevjInfo_t params, int batch) {        \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(jobz, uplo, n, lda, params, batch));                                                                \
        return solver::answer(lwork, workSize(n, batch));                                                                 \
    }                                                                                                                     \
    EXPORT cusolverStatus_t BATCHED(cusolverDnHandle_t handle, cusolverEigMode_t jobz, cublasFillMode_t uplo, int n,      \
                                    T* a, int lda, T* w, T* work, int lwork, int* info, syevjInfo_t params, int batch) {  \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(jobz, uplo, n, lda, params, batch) && lwork >= workSize(n, batch));                                 \
        return syevj(__func__, handle, jobz, uplo, n, a, lda, w, Workspace::of(work, lwork), info, params, batch, true);  \
    }

JACOBI_EIGEN(float, cusolverDnSsyevj_bufferSize, cusolverDnSsyevj, cusolverDnSsyevjBatched_bufferSize,
             cusolverDnSsyevjBatched)
JACOBI_EIGEN(double, cusolverDnDsyevj_bufferSize, cusolverDnDsyevj, cusolverDnDsyevjBatched_bufferSize,
             cusolverDnDsyevjBatched)
