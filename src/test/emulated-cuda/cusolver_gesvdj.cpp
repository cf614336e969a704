// gesvdj and gesvdjBatched of the emulated cuSOLVER: LAPACK's values by the rules of the Jacobi method.
#include "cusolver.h"
#include "decompose.h"

namespace {

using decompose::Svd;
using solver::atLeastOne;
using solver::known;
using solver::Workspace;

int64_t workSize(int64_t m, int64_t n) {
    return 64 * (m + n) + (m < n ? m * m : n * n) + 64;
}

// One matrix by the Jacobi method's rules. u and v are written and read as workspace in both job modes.
template <class T>
struct JacobiSvd {
    bool vectors;
    bool full;
    int64_t m;
    int64_t n;
    T* a;
    int64_t lda;
    T* s;
    T* u;
    int64_t ldu;
    T* v;
    int64_t ldv;

    int64_t least() const {
        return m < n ? m : n;
    }
    int64_t colsU() const {
        return full ? m : least();
    }
    int64_t colsV() const {
        return full ? n : least();
    }
    int run(const Jacobi& settings, Jacobi* results) const {
        if (!decompose::finite(m, n, a, lda)) {
            plausible();
            return 0;
        }
        Svd<T> r(m, n, a, lda, full);
        // quadratic convergence: a few sweeps, more for larger matrices
        int sweeps = 2;
        for (int64_t size = 2; size < least(); size *= 2) {
            sweeps++;
        }
        bool converged = settings.maxSweeps >= sweeps || least() < 2;
        results->sweeps = converged ? sweeps : settings.maxSweeps;
        results->residual = converged ? 1e-16 * (sizeof(T) == 4 ? 1e8 : 1) : 1;
        poison();
        if (!converged) {
            return (int)least() + 1;
        }
        double error = settings.tolerance > 1e-15 * (sizeof(T) == 4 ? 1e9 : 1) ? settings.tolerance / 2 : 0;
        for (int64_t i = 0; i < least(); i++) {
            int64_t from = settings.sort ? i : decompose::shuffled(i, least());
            s[i] = (T)(r.s[(size_t)from] * (1 + error));
            if (vectors) {
                memcpy(u + i * ldu, &r.u[(size_t)(from * m)], (size_t)m * sizeof(T));
                memcpy(v + i * ldv, &r.v[(size_t)(from * n)], (size_t)n * sizeof(T));
            }
        }
        for (int64_t i = least(); vectors && i < colsU(); i++) {
            memcpy(u + i * ldu, &r.u[(size_t)(i * m)], (size_t)m * sizeof(T));
        }
        for (int64_t i = least(); vectors && i < colsV(); i++) {
            memcpy(v + i * ldv, &r.v[(size_t)(i * n)], (size_t)n * sizeof(T));
        }
        return 0;
    }
    void poison() const {
        dense::poison(a, m, n, lda);
        dense::poison(s, least(), 1, least());
        dense::poison(u, m, colsU(), ldu);
        dense::poison(v, n, colsV(), ldv);
    }
    // NaN goes in and finite numbers come out with info 0: seen with the real library.
    void plausible() const {
        poison();
        for (int64_t j = 0; j < colsU(); j++) {
            for (int64_t i = 0; i < m; i++) {
                u[i + j * ldu] = i == j;
            }
        }
        for (int64_t j = 0; j < colsV(); j++) {
            for (int64_t i = 0; i < n; i++) {
                v[i + j * ldv] = i == j;
            }
        }
        for (int64_t i = 0; i < least(); i++) {
            s[i] = (T)1.414;
        }
    }
};

bool validJacobi(cusolverEigMode_t jobz, int econ, int m, int n, int lda, int ldu, int ldv, gesvdjInfo_t params) {
    return known(jobz) && (econ == 0 || econ == 1) && m >= 0 && n >= 0 && lda >= atLeastOne(m) && ldu >= atLeastOne(m)
           && ldv >= atLeastOne(n) && params;
}

// gesvdj (batch 1, any size) and gesvdjBatched (packed square factors, at most 32 x 32).
template <class T>
cusolverStatus_t gesvdj(const char* function, cusolverDnHandle_t handle, const JacobiSvd<T>& first, Workspace work,
                        int* info, gesvdjInfo_t params, int64_t batch, bool batched) {
    int64_t strideA = first.lda * first.n;
    int64_t strideU = first.ldu * first.m;
    int64_t strideV = first.ldv * first.n;
    dense::Memory memory;
    memory.matrix("a", first.a, first.m, first.n, first.lda, sizeof(T), strideA, batch);
    memory.vector("s", first.s, first.least() * batch, 1, sizeof(T));
    memory.matrix("u", first.u, first.m, first.colsU(), first.ldu, sizeof(T), strideU, batch);
    memory.matrix("v", first.v, first.n, first.colsV(), first.ldv, sizeof(T), strideV, batch);
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
            JacobiSvd<T> one = first;
            one.a += i * strideA;
            one.s += i * first.least();
            one.u += i * strideU;
            one.v += i * strideV;
            if (forced && i == batch / 2) {
                one.poison();
                info[i] = forced;
            } else {
                info[i] = one.run(settings, results.get());
            }
        }
    });
}

}  // namespace

#define JACOBI_SVD(T, GESVDJ_SIZE, GESVDJ, BATCHED_SIZE, BATCHED)                                                         \
    EXPORT cusolverStatus_t GESVDJ_SIZE(cusolverDnHandle_t handle, cusolverEigMode_t jobz, int econ, int m, int n,        \
                                        const T*, int lda, const T*, const T*, int ldu, const T*, int ldv, int* lwork,    \
                                        gesvdjInfo_t params) {                                                            \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validJacobi(jobz, econ, m, n, lda, ldu, ldv, params));                                                    \
        return solver::answer(lwork, workSize(m, n));                                                                     \
    }                                                                                                                     \
    EXPORT cusolverStatus_t GESVDJ(cusolverDnHandle_t handle, cusolverEigMode_t jobz, int econ, int m, int n, T* a,       \
                                   int lda, T* s, T* u, int ldu, T* v, int ldv, T* work, int lwork, int* info,            \
                                   gesvdjInfo_t params) {                                                                 \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validJacobi(jobz, econ, m, n, lda, ldu, ldv, params) && lwork >= workSize(m, n));                         \
        return gesvdj<T>(__func__, handle,                                                                                \
                         {jobz == CUSOLVER_EIG_MODE_VECTOR, econ == 0, m, n, a, lda, s, u, ldu, v, ldv},                  \
                         Workspace::of(work, lwork), info, params, 1, false);                                             \
    }                                                                                                                     \
    EXPORT cusolverStatus_t BATCHED_SIZE(cusolverDnHandle_t handle, cusolverEigMode_t jobz, int m, int n, const T*,       \
                                         int lda, const T*, const T*, int ldu, const T*, int ldv, int* lwork,             \
                                         gesvdjInfo_t params, int batch) {                                                \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validJacobi(jobz, 0, m, n, lda, ldu, ldv, params) && m <= 32 && n <= 32 && batch >= 0);                   \
        return solver::answer(lwork, workSize(m, n) + batch);                                                             \
    }                                                                                                                     \
    EXPORT cusolverStatus_t BATCHED(cusolverDnHandle_t handle, cusolverEigMode_t jobz, int m, int n, T* a, int lda,       \
                                    T* s, T* u, int ldu, T* v, int ldv, T* work, int lwork, int* info,                    \
                                    gesvdjInfo_t params, int batch) {                                                     \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validJacobi(jobz, 0, m, n, lda, ldu, ldv, params) && m <= 32 && n <= 32 && batch >= 0                     \
                && lwork >= workSize(m, n) + batch);                                                                      \
        return gesvdj<T>(__func__, handle, {jobz == CUSOLVER_EIG_MODE_VECTOR, true, m, n, a, lda, s, u, ldu, v, ldv},     \
                         Workspace::of(work, lwork), info, params, batch, true);                                          \
    }

JACOBI_SVD(float, cusolverDnSgesvdj_bufferSize, cusolverDnSgesvdj, cusolverDnSgesvdjBatched_bufferSize,
           cusolverDnSgesvdjBatched)
JACOBI_SVD(double, cusolverDnDgesvdj_bufferSize, cusolverDnDgesvdj, cusolverDnDgesvdjBatched_bufferSize,
           cusolverDnDgesvdjBatched)
