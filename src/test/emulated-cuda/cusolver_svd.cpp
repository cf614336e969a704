// gesvd of the emulated cuSOLVER, by LAPACK; tall or square matrices only, as documented.
#include "cusolver.h"
#include "decompose.h"

namespace {

using decompose::Svd;
using solver::atLeastOne;
using solver::isSize;
using solver::Workspace;

int64_t workSize(int64_t m, int64_t n) {
    return 64 * (m + n) + (m < n ? m * m : n * n) + 64;
}

bool valid(int job, int64_t rows, int64_t needed, int64_t ld) {
    return job == 'A' || job == 'S' ? ld >= atLeastOne(job == 'A' ? rows : needed) : (job == 'O' || job == 'N') && ld >= 1;
}

bool valid(int jobU, int jobV, int64_t m, int64_t n, int64_t lda, int64_t ldu, int64_t ldvt) {
    // m >= n is documented; jobs A and S of u have m rows, of v^T n or, for S, min(m, n) = n
    return isSize(m) && isSize(n) && m >= n && lda >= atLeastOne(m) && valid(jobU, m, m, ldu) && valid(jobV, n, n, ldvt)
           && !(jobU == 'O' && jobV == 'O');
}

template <class T>
cusolverStatus_t gesvd(const char* function, cusolverDnHandle_t handle, int jobU, int jobV, int64_t m, int64_t n, T* a,
                       int64_t lda, T* s, T* u, int64_t ldu, T* vt, int64_t ldvt, Workspace work, T* rwork, int* info) {
    int64_t colsU = jobU == 'A' ? m : n;
    dense::Memory memory;
    memory.matrix("a", a, m, n, lda, sizeof(T)).vector("s", s, n, 1, sizeof(T));
    if (jobU == 'A' || jobU == 'S') {
        memory.matrix("u", u, m, colsU, ldu, sizeof(T));
    }
    if (jobV == 'A' || jobV == 'S') {
        memory.matrix("vt", vt, n, n, ldvt, sizeof(T));
    }
    if (rwork) {
        memory.vector("rwork", rwork, n - 1, 1, sizeof(T));
    }
    solver::claimInfo(memory, info);
    work.claim(memory);
    if (!solver::openBlas(function) || !solver::capturable(function, handle)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    int forced = solver::forcedInfo(function);
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        if (rwork) {
            dense::poison(rwork, atLeastOne(n) - 1, 1, atLeastOne(n));
        }
        bool finite = decompose::finite(m, n, a, lda);
        if (forced || !finite) {
            // not converged: infos count superdiagonals; the results are whatever there is
            *info = forced ? forced : (int)atLeastOne(n - 1);
            dense::poison(s, n, 1, atLeastOne(n));
            if (jobU == 'A' || jobU == 'S') {
                dense::poison(u, m, colsU, ldu);
            }
            if (jobV == 'A' || jobV == 'S') {
                dense::poison(vt, n, n, ldvt);
            }
            dense::poison(a, m, n, lda);
            return;
        }
        Svd<T> r(m, n, a, lda, jobU == 'A');
        dense::poison(a, m, n, lda);
        *info = r.info;
        decompose::store(r.s, n, 1, s, atLeastOne(n));
        if (jobU == 'A' || jobU == 'S') {
            decompose::store(r.u, m, colsU, u, ldu);
        } else if (jobU == 'O') {
            decompose::store(r.u, m, n, a, lda);
        }
        if (jobV == 'A' || jobV == 'S') {
            decompose::storeTransposed(r.v, n, n, vt, ldvt);
        } else if (jobV == 'O') {
            decompose::storeTransposed(r.v, n, n, a, lda);
        }
    });
}

}  // namespace

#define SVD(T, GESVD_SIZE, GESVD)                                                                                         \
    EXPORT cusolverStatus_t GESVD_SIZE(cusolverDnHandle_t handle, int m, int n, int* lwork) {                             \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(n >= 0 && m >= n);                                                                                        \
        return solver::answer(lwork, workSize(m, n));                                                                     \
    }                                                                                                                     \
    EXPORT cusolverStatus_t GESVD(cusolverDnHandle_t handle, signed char jobU, signed char jobV, int m, int n, T* a,      \
                                  int lda, T* s, T* u, int ldu, T* vt, int ldvt, T* work, int lwork, T* rwork,            \
                                  int* info) {                                                                            \
        ENTER(__func__, handle)                                                                                           \
        REQUIRE(valid(jobU, jobV, m, n, lda, ldu, ldvt) && lwork >= workSize(m, n));                                 \
        return gesvd(__func__, handle, jobU, jobV, m, n, a, lda, s, u, ldu, vt, ldvt, Workspace::of(work, lwork),    \
                          rwork, info);                                                                                   \
    }

SVD(float, cusolverDnSgesvd_bufferSize, cusolverDnSgesvd)
SVD(double, cusolverDnDgesvd_bufferSize, cusolverDnDgesvd)

// The 64-bit form keeps a part of its work on the host.
static size_t hostSize(int64_t m, int64_t n) {
    return (size_t)(64 * (m + n) + 256);
}

EXPORT cusolverStatus_t cusolverDnXgesvd_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t, signed char jobU,
                                                    signed char jobV, int64_t m, int64_t n, cudaDataType type, const void*,
                                                    int64_t lda, cudaDataType typeS, const void*, cudaDataType typeU,
                                                    const void*, int64_t ldu, cudaDataType typeVt, const void*,
                                                    int64_t ldvt, cudaDataType compute, size_t* device, size_t* host) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobU, jobV, m, n, lda, ldu, ldvt) && solver::real(type));
    REQUIRE(typeS == type && typeU == type && typeVt == type && compute == type);
    return solver::answer(device, host, 8 * workSize(m, n), hostSize(m, n));
}

EXPORT cusolverStatus_t cusolverDnXgesvd(cusolverDnHandle_t handle, cusolverDnParams_t, signed char jobU, signed char jobV,
                                         int64_t m, int64_t n, cudaDataType type, void* a, int64_t lda, cudaDataType typeS,
                                         void* s, cudaDataType typeU, void* u, int64_t ldu, cudaDataType typeVt, void* vt,
                                         int64_t ldvt, cudaDataType compute, void* work, size_t workBytes, void* host,
                                         size_t hostBytes, int* info) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobU, jobV, m, n, lda, ldu, ldvt) && solver::real(type));
    REQUIRE(typeS == type && typeU == type && typeVt == type && compute == type);
    REQUIRE((int64_t)workBytes >= 8 * workSize(m, n)
            && solver::hostWorkspace(__func__, host, hostBytes, hostSize(m, n)));
    WITH_TYPE(type, return gesvd<T>(__func__, handle, jobU, jobV, m, n, (T*)a, lda, (T*)s, (T*)u, ldu, (T*)vt, ldvt,
                                    {work, workBytes}, nullptr, info))
}
