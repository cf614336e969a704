// Xgesvdp (polar decomposition) and Xgesvdr (randomised, rank k) of the emulated cuSOLVER.
#include "cusolver.h"
#include "decompose.h"
#include <algorithm>
#include <limits>
#include <random>

namespace {

using decompose::Svd;
using solver::atLeastOne;
using solver::isSize;
using solver::known;
using solver::Workspace;

int64_t workSize(int64_t m, int64_t n) {
    return 2 * m * n + 64 * (m + n) + 64;
}

size_t hostSize(int64_t m, int64_t n) {
    return (size_t)(16 * (m + n) + 256);
}

// ---- gesvdp ----------------------------------------------------------------------------------------------------

bool valid(cusolverEigMode_t jobz, int econ, int64_t m, int64_t n, int64_t lda, int64_t ldu, int64_t ldv) {
    return known(jobz) && (econ == 0 || econ == 1) && isSize(m) && isSize(n) && lda >= atLeastOne(m)
           && ldu >= atLeastOne(m) && ldv >= atLeastOne(n);
}

// The polar iteration needs full rank: the real function shifts (nearly) singular matrices a little and says by how much,
// so the smallest singular values are not to be believed then. Returns the shift, a host value: the call waits.
template <class T>
double shifted(std::vector<T>& s) {
    if (s.empty() || s.front() == 0) {
        return 0;
    }
    double noise = (double)s.size() * std::numeric_limits<T>::epsilon() * (double)s.front();
    if ((double)s.back() > noise) {
        return 0;
    }
    for (T& value : s) {
        value = (T)((double)value + ((double)value <= noise ? noise : 0));
    }
    std::sort(s.begin(), s.end(), std::greater<T>());
    return noise;
}

template <class T>
cusolverStatus_t gesvdp(const char* function, cusolverDnHandle_t handle, bool vectors, bool econ, int64_t m, int64_t n, T* a,
                        int64_t lda, T* s, T* u, int64_t ldu, T* v, int64_t ldv, Workspace work, int* info,
                        double* errSigma) {
    int64_t least = std::min(m, n);
    int64_t colsU = econ ? least : m;
    int64_t colsV = econ ? least : n;
    dense::Memory memory;
    memory.matrix("a", a, m, n, lda, sizeof(T)).vector("s", s, least, 1, sizeof(T));
    if (vectors) {
        memory.matrix("u", u, m, colsU, ldu, sizeof(T)).matrix("v", v, n, colsV, ldv, sizeof(T));
    }
    solver::claimInfo(memory, info);
    work.claim(memory);
    if (!solver::openBlas(function) || !solver::capturable(function, handle)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    if (!errSigma || emu_is_device(errSigma, 1)) {
        emu_error("%s: h_err_sigma (%p) has to be a host address", function, (void*)errSigma);
        return CUSOLVER_STATUS_EXECUTION_FAILED;
    }
    int forced = solver::forcedInfo(function);
    // emu_inject("cusolverDnXgesvdp:err_sigma", 1, p) reports p per mille of the largest singular value
    int perMille = emu_fault("cusolverDnXgesvdp:err_sigma");
    cusolverStatus_t status = solver::submit(function, handle, memory, [=]() {
        work.soil();
        bool finite = decompose::finite(m, n, a, lda);
        *info = forced;
        *errSigma = finite && !forced ? 0 : (double)NAN;
        if (forced || !finite) {
            dense::poison(a, m, n, lda);
            dense::poison(s, least, 1, atLeastOne(least));
            if (vectors) {
                dense::poison(u, m, colsU, ldu);
                dense::poison(v, n, colsV, ldv);
            }
            return;
        }
        Svd<T> r(m, n, a, lda, !econ);
        dense::poison(a, m, n, lda);
        *info = r.info;
        *errSigma = shifted(r.s);
        if (perMille && least > 0) {
            *errSigma = perMille * 1e-3 * (double)r.s.front();
        }
        decompose::store(r.s, least, 1, s, atLeastOne(least));
        if (vectors) {
            decompose::store(r.u, m, colsU, u, ldu);
            decompose::store(r.v, n, colsV, v, ldv);
        }
    });
    if (status == CUSOLVER_STATUS_SUCCESS && cuStreamSynchronize(handle->stream) != 0) {
        return CUSOLVER_STATUS_EXECUTION_FAILED;
    }
    return status;
}

// ---- gesvdr ----------------------------------------------------------------------------------------------------

bool valid(int jobU, int jobV, int64_t m, int64_t n, int64_t k, int64_t p, int64_t iterations, int64_t lda, int64_t ldu,
           int64_t ldv) {
    return (jobU == 'S' || jobU == 'N') && (jobV == 'S' || jobV == 'N') && isSize(m) && isSize(n) && k > 0 && p >= 0
           && k + p < std::min(m, n) && iterations >= 0 && lda >= atLeastOne(m) && ldu >= atLeastOne(m)
           && ldv >= atLeastOne(n);
}

// Orthonormal columns that span those of x, rows x cols.
template <class T>
void orthonormalize(std::vector<T>& x, int64_t rows, int64_t cols) {
    int sizes[] = {(int)rows, (int)cols, (int)(64 * cols + 64)};
    std::vector<T> tau((size_t)cols);
    std::vector<T> space((size_t)sizes[2]);
    int info;
    lapack::call<T>("geqrf", &sizes[0], &sizes[1], x.data(), &sizes[0], tau.data(), space.data(), &sizes[2], &info);
    lapack::call<T>("orgqr", &sizes[0], &sizes[1], &sizes[1], x.data(), &sizes[0], tau.data(), space.data(), &sizes[2],
                    &info);
}

// A basis of about the range of a: random columns and power steps, orthonormalised at each.
template <class T>
std::vector<T> range(int64_t m, int64_t n, const T* a, int64_t lda, int64_t width, int64_t iterations) {
    std::mt19937 generator(1);
    std::normal_distribution<double> normal;
    std::vector<T> right((size_t)(n * width));
    for (T& x : right) {
        x = (T)normal(generator);
    }
    std::vector<T> left((size_t)(m * width));
    for (int64_t i = 0; i <= iterations; i++) {
        lapack::multiply(false, false, m, width, n, a, lda, right.data(), n, left.data(), m);
        orthonormalize(left, m, width);
        if (i < iterations) {
            lapack::multiply(true, false, n, width, m, a, lda, left.data(), m, right.data(), n);
            orthonormalize(right, n, width);
        }
    }
    return left;
}

template <class T>
cusolverStatus_t gesvdr(const char* function, cusolverDnHandle_t handle, bool wantU, bool wantV, int64_t m, int64_t n,
                        int64_t k, int64_t p, int64_t iterations, T* a, int64_t lda, T* s, T* u, int64_t ldu, T* v,
                        int64_t ldv, Workspace work, int* info) {
    dense::Memory memory;
    memory.matrix("a", a, m, n, lda, sizeof(T)).vector("Srand", s, std::min(m, n), 1, sizeof(T));
    if (wantU) {
        memory.matrix("Urand", u, m, k, ldu, sizeof(T));
    }
    if (wantV) {
        memory.matrix("Vrand", v, n, k, ldv, sizeof(T));
    }
    solver::claimInfo(memory, info);
    work.claim(memory);
    if (!solver::openBlas(function) || !solver::capturable(function, handle)) {
        return CUSOLVER_STATUS_INTERNAL_ERROR;
    }
    int forced = solver::forcedInfo(function);
    return solver::submit(function, handle, memory, [=]() {
        work.soil();
        dense::poison(s, std::min(m, n), 1, std::min(m, n));
        *info = forced;
        if (forced || !decompose::finite(m, n, a, lda)) {
            dense::poison(u, m, wantU ? k : 0, ldu);
            dense::poison(v, n, wantV ? k : 0, ldv);
            dense::poison(a, m, n, lda);
            return;
        }
        int64_t width = k + p;
        std::vector<T> basis = range(m, n, a, lda, width, iterations);
        std::vector<T> small((size_t)(width * n));
        lapack::multiply(true, false, width, n, m, basis.data(), m, a, lda, small.data(), width);
        dense::poison(a, m, n, lda);
        Svd<T> r(width, n, small.data(), width, false);
        *info = r.info;
        decompose::store(r.s, k, 1, s, k);
        if (wantU) {
            lapack::multiply(false, false, m, k, width, basis.data(), m, r.u.data(), width, u, ldu);
        }
        if (wantV) {
            decompose::store(r.v, n, k, v, ldv);
        }
    });
}

}  // namespace

EXPORT cusolverStatus_t cusolverDnXgesvdp_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t jobz,
                                                     int econ, int64_t m, int64_t n, cudaDataType type, const void*,
                                                     int64_t lda, cudaDataType typeS, const void*, cudaDataType typeU,
                                                     const void*, int64_t ldu, cudaDataType typeV, const void*, int64_t ldv,
                                                     cudaDataType compute, size_t* device, size_t* host) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobz, econ, m, n, lda, ldu, ldv) && solver::real(type));
    REQUIRE(typeS == type && typeU == type && typeV == type && compute == type);
    return solver::answer(device, host, 8 * workSize(m, n), hostSize(m, n));
}

EXPORT cusolverStatus_t cusolverDnXgesvdp(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t jobz, int econ,
                                          int64_t m, int64_t n, cudaDataType type, void* a, int64_t lda, cudaDataType typeS,
                                          void* s, cudaDataType typeU, void* u, int64_t ldu, cudaDataType typeV, void* v,
                                          int64_t ldv, cudaDataType compute, void* work, size_t workBytes, void* host,
                                          size_t hostBytes, int* info, double* errSigma) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobz, econ, m, n, lda, ldu, ldv) && solver::real(type));
    REQUIRE(typeS == type && typeU == type && typeV == type && compute == type);
    REQUIRE((int64_t)workBytes >= 8 * workSize(m, n)
            && solver::hostWorkspace(__func__, host, hostBytes, hostSize(m, n)));
    WITH_TYPE(type, return gesvdp<T>(__func__, handle, jobz == CUSOLVER_EIG_MODE_VECTOR, econ == 1, m, n, (T*)a, lda, (T*)s,
                                     (T*)u, ldu, (T*)v, ldv, {work, workBytes}, info, errSigma))
}

EXPORT cusolverStatus_t cusolverDnXgesvdr_bufferSize(cusolverDnHandle_t handle, cusolverDnParams_t, signed char jobU,
                                                     signed char jobV, int64_t m, int64_t n, int64_t k, int64_t p,
                                                     int64_t iterations, cudaDataType type, const void*, int64_t lda,
                                                     cudaDataType typeS, const void*, cudaDataType typeU, const void*,
                                                     int64_t ldu, cudaDataType typeV, const void*, int64_t ldv,
                                                     cudaDataType compute, size_t* device, size_t* host) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobU, jobV, m, n, k, p, iterations, lda, ldu, ldv) && solver::real(type));
    REQUIRE(typeS == type && typeU == type && typeV == type && compute == type);
    return solver::answer(device, host, 8 * (workSize(m, n) + (m + n) * (k + p)), hostSize(m, n));
}

EXPORT cusolverStatus_t cusolverDnXgesvdr(cusolverDnHandle_t handle, cusolverDnParams_t, signed char jobU, signed char jobV,
                                          int64_t m, int64_t n, int64_t k, int64_t p, int64_t iterations, cudaDataType type,
                                          void* a, int64_t lda, cudaDataType typeS, void* s, cudaDataType typeU, void* u,
                                          int64_t ldu, cudaDataType typeV, void* v, int64_t ldv, cudaDataType compute,
                                          void* work, size_t workBytes, void* host, size_t hostBytes, int* info) {
    ENTER(__func__, handle)
    REQUIRE(valid(jobU, jobV, m, n, k, p, iterations, lda, ldu, ldv) && solver::real(type));
    REQUIRE(typeS == type && typeU == type && typeV == type && compute == type);
    REQUIRE((int64_t)workBytes >= 8 * (workSize(m, n) + (m + n) * (k + p))
            && solver::hostWorkspace(__func__, host, hostBytes, hostSize(m, n)));
    WITH_TYPE(type, return gesvdr<T>(__func__, handle, jobU == 'S', jobV == 'S', m, n, k, p, iterations, (T*)a, lda, (T*)s,
                                     (T*)u, ldu, (T*)v, ldv, {work, workBytes}, info))
}
