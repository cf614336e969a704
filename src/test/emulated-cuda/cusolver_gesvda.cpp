// gesvdaStridedBatched of the emulated cuSOLVER: approximate decompositions of tall matrices.
#include "cusolver.h"
#include "decompose.h"

namespace {

using solver::atLeastOne;
using solver::known;
using solver::Workspace;

int64_t workSize(int64_t m, int64_t n, int64_t batch) {
    return 64 * (m + n) + n * n * batch + 64;
}

bool validApproximate(cusolverEigMode_t jobz, int rank, int m, int n, int lda, long long strideA, long long strideS, int ldu,
                      long long strideU, int ldv, long long strideV, int batch) {
    bool vectors = jobz == CUSOLVER_EIG_MODE_VECTOR;
    bool apart = batch <= 1
                 || (strideA >= (long long)lda * n && strideS >= rank
                     && (!vectors || (strideU >= (long long)ldu * rank && strideV >= (long long)ldv * rank)));
    return known(jobz) && n >= 0 && m >= n && rank >= 0 && rank <= n && lda >= atLeastOne(m) && ldu >= atLeastOne(m)
           && ldv >= atLeastOne(n) && batch >= 0 && apart;
}

// By the eigenvalues of a^T a, in the type itself: small singular values are noise, as the real one's.
template <class T>
void approximate(bool vectors, int64_t rank, int64_t m, int64_t n, const T* a, int64_t lda, T* s, T* u, int64_t ldu, T* v,
                 int64_t ldv, int* info, double* residual) {
    std::vector<T> gram((size_t)(n * n));
    std::vector<T> w;
    lapack::multiply(true, false, n, n, m, a, lda, a, lda, gram.data(), n);
    bool finite = decompose::finite(n, n, gram.data(), n);
    *info = finite ? decompose::eigen(true, true, n, gram, w) : (int)n + 1;
    std::vector<T> product((size_t)(m * n));
    if (finite) {
        lapack::multiply(false, false, m, n, n, a, lda, gram.data(), n, product.data(), m);
    }
    double missing = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t from = n - 1 - i;  // ascending to descending
        const T* column = &product[(size_t)(from * m)];
        T sigma = finite ? (T)sqrt(w[(size_t)from] > 0 ? w[(size_t)from] : 0) : (T)NAN;
        if (i >= rank) {
            missing += (double)sigma * (double)sigma;
            continue;
        }
        s[i] = sigma;
        for (int64_t r = 0; r < m && vectors; r++) {
            u[r + i * ldu] = column[r] / sigma;
        }
        for (int64_t r = 0; r < n && vectors; r++) {
            v[r + i * ldv] = finite ? gram[(size_t)(r + from * n)] : (T)NAN;
        }
    }
    *residual = sqrt(missing);
}

// The residuals are host values: with them the call waits for the stream.
template <class T>
cusolverStatus_t gesvda(const char* function, cusolverDnHandle_t handle, bool vectors, int rank, int m, int n, const T* a,
                        int lda, long long strideA, T* s, long long strideS, T* u, int ldu, long long strideU, T* v, int ldv,
                        long long strideV, Workspace work, int* info, double* residuals, int batch) {
    dense::Memory memory;
    memory.matrix("a", a, m, n, lda, sizeof(T), strideA, batch).matrix("s", s, rank, 1, 1, sizeof(T), strideS, batch);
    if (vectors) {
        memory.matrix("u", u, m, rank, ldu, sizeof(T), strideU, batch).matrix("v", v, n, rank, ldv, sizeof(T), strideV, batch);
    }
    solver::claimInfo(memory, info, batch);
    work.claim(memory);
    if (!solver::openBlas(function) || !solver::capturable(function, handle)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    if (residuals && emu_is_device(residuals, 1)) {
        emu_error("%s: h_R_nrmF (%p) has to be a host address or NULL", function, (void*)residuals);
        return CUSOLVER_STATUS_EXECUTION_FAILED;
    }
    int forced = solver::forcedInfo(function);
    cusolverStatus_t status = solver::submit(function, handle, memory, [=]() {
        work.soil();
        for (int64_t i = 0; i < batch; i++) {
            double residual;
            approximate(vectors, rank, m, n, a + i * strideA, lda, s + i * strideS, u + i * strideU, ldu, v + i * strideV,
                        ldv, info + i, &residual);
            if (residuals) {
                residuals[i] = residual;
            }
            if (forced && i == batch / 2) {
                info[i] = forced;
                dense::poison(s + i * strideS, rank, 1, atLeastOne(rank));
            }
        }
    });
    if (status == CUSOLVER_STATUS_SUCCESS && residuals && cuStreamSynchronize(handle->stream) != 0) {
        return CUSOLVER_STATUS_EXECUTION_FAILED;
    }
    return status;
}

}  // namespace

#define GESVDA(T, GESVDA_SIZE, GESVDA_RUN)                                                                                \
    EXPORT cusolverStatus_t GESVDA_SIZE(cusolverDnHandle_t handle, cusolverEigMode_t jobz, int rank, int m, int n,        \
                                        const T*, int lda, long long strideA, const T*, long long strideS, const T*,      \
                                        int ldu, long long strideU, const T*, int ldv, long long strideV, int* lwork,     \
                                        int batch) {                                                                      \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validApproximate(jobz, rank, m, n, lda, strideA, strideS, ldu, strideU, ldv, strideV, batch));            \
        return solver::answer(lwork, workSize(m, n, batch));                                            \
    }                                                                                                                     \
    EXPORT cusolverStatus_t GESVDA_RUN(cusolverDnHandle_t handle, cusolverEigMode_t jobz, int rank, int m, int n,             \
                                   const T* a, int lda, long long strideA, T* s, long long strideS, T* u, int ldu,        \
                                   long long strideU, T* v, int ldv, long long strideV, T* work, int lwork, int* info,    \
                                   double* residuals, int batch) {                                                        \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(validApproximate(jobz, rank, m, n, lda, strideA, strideS, ldu, strideU, ldv, strideV, batch)              \
                && lwork >= workSize(m, n, batch));                                                     \
        return gesvda<T>(__func__, handle, jobz == CUSOLVER_EIG_MODE_VECTOR, rank, m, n, a, lda, strideA, s, strideS, u,  \
                         ldu, strideU, v, ldv, strideV, Workspace::of(work, lwork), info, residuals, batch);              \
    }

GESVDA(float, cusolverDnSgesvdaStridedBatched_bufferSize, cusolverDnSgesvdaStridedBatched)
GESVDA(double, cusolverDnDgesvdaStridedBatched_bufferSize, cusolverDnDgesvdaStridedBatched)
