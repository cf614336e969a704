// cuBLAS's factorisations of many small matrices: arrays of addresses in device memory, read at the run.
#include "cublas.h"
#include "lapack.h"
#include "lu.h"

namespace {

using blas::atLeastOne;
using blas::status;

// The device memory that holds one value per matrix, and the arrays.
void claimArray(dense::Memory& memory, const char* name, const void* p, int64_t batch) {
    memory.range(name, p, (size_t)batch * sizeof(void*), sizeof(void*));
}

void claimInts(dense::Memory& memory, const char* name, const int* p, int64_t count) {
    memory.range(name, p, (size_t)count * sizeof(int), sizeof(int));
}

// A matrix of an array at the run.
bool usable(const char* function, const char* name, const void* p, int64_t rows, int64_t cols, int64_t ld, size_t size) {
    return dense::Memory().matrix(name, p, rows, cols, ld, size).usable(function);
}

template <class T>
cublasStatus_t getrf(const char* function, cublasHandle_t handle, int n, T* const a[], int lda, int* pivots, int* info,
                     int batch) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    REQUIRE(n >= 0 && batch >= 0 && lda >= atLeastOne(n) && a && info);
    if (batch == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    dense::Memory memory;
    claimArray(memory, "the array a", a, batch);
    claimInts(memory, "info", info, batch);
    if (pivots) {
        claimInts(memory, "pivots", pivots, (int64_t)n * batch);
    }
    return status(dense::submit(handle->stream, function, memory, [=]() {
        for (int i = 0; i < batch; i++) {
            if (!usable(function, "a matrix of the array a", a[i], n, n, lda, sizeof(T))) {
                return;
            }
            info[i] = lu::factor(n, n, a[i], lda, pivots ? pivots + (int64_t)i * n : nullptr);
        }
    }));
}

// Validates the pivots of one matrix and records garbage.
bool usablePivots(const char* function, int n, const int* pivots) {
    if (!lu::sane(n, pivots)) {
        emu_error("%s: the pivots are not row numbers from 1 to %d", function, n);
        return false;
    }
    return true;
}

// Whether an info that is documented to be a host value can be one; the real library writes through whatever it gets.
bool hostInfo(const char* function, const int* info) {
    if (!info || emu_is_device(info, 1)) {
        emu_error("%s: info (%p) has to be a host address", function, (const void*)info);
        return false;
    }
    return true;
}

// info is a host value here, as documented: 0 or minus the number of a bad argument.
template <class T>
cublasStatus_t getrs(const char* function, cublasHandle_t handle, cublasOperation_t trans, int n, int nrhs,
                     const T* const a[], int lda, const int* pivots, T* const b[], int ldb, int* info, int batch) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    if (!hostInfo(function, info)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    *info = !blas::known(trans) ? -1 : n < 0 ? -2 : nrhs < 0 ? -3 : !a ? -4 : lda < atLeastOne(n) ? -5
            : !b ? -7 : ldb < atLeastOne(n) ? -8 : batch < 0 ? -10 : 0;
    REQUIRE(*info == 0);
    if (n == 0 || nrhs == 0 || batch == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    dense::Memory memory;
    claimArray(memory, "the array a", a, batch);
    claimArray(memory, "the array b", b, batch);
    if (pivots) {
        claimInts(memory, "pivots", pivots, (int64_t)n * batch);
    }
    return status(dense::submit(handle->stream, function, memory, [=]() {
        for (int i = 0; i < batch; i++) {
            const int* p = pivots ? pivots + (int64_t)i * n : nullptr;
            if (!usable(function, "a matrix of the array a", a[i], n, n, lda, sizeof(T))
                || !usable(function, "a matrix of the array b", b[i], n, nrhs, ldb, sizeof(T))
                || !usablePivots(function, n, p)) {
                return;
            }
            for (int j = 0; j < nrhs; j++) {
                lu::solve(trans != CUBLAS_OP_N, n, a[i], lda, p, b[i] + (int64_t)j * ldb);
            }
        }
    }));
}

// The inverse from LU factors, column by column; garbage where a diagonal element of U is zero, whose number it returns.
template <class T>
int invert(int n, const T* a, int lda, const int* pivots, T* c, int ldc) {
    for (int k = 0; k < n; k++) {
        if (a[k + (int64_t)k * lda] == 0) {
            dense::poison(c, n, n, ldc);
            return k + 1;
        }
    }
    for (int j = 0; j < n; j++) {
        T* column = c + (int64_t)j * ldc;
        for (int i = 0; i < n; i++) {
            column[i] = i == j ? 1 : 0;
        }
        lu::solve(false, n, a, lda, pivots, column);
    }
    return 0;
}

// getri and matinv: the inverses of a, which are factors or, with `factored` false, the matrices themselves.
template <class T>
cublasStatus_t inverse(const char* function, cublasHandle_t handle, bool factored, int n, const T* const a[], int lda,
                       const int* pivots, T* const c[], int ldc, int* info, int batch) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    REQUIRE(n >= 0 && batch >= 0 && lda >= atLeastOne(n) && ldc >= atLeastOne(n) && a && c && info);
    REQUIRE(factored || n <= 32);
    if (n == 0 || batch == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    dense::Memory memory;
    claimArray(memory, "the array a", a, batch);
    claimArray(memory, "the array c", c, batch);
    claimInts(memory, "info", info, batch);
    if (pivots) {
        claimInts(memory, "pivots", pivots, (int64_t)n * batch);
    }
    return status(dense::submit(handle->stream, function, memory, [=]() {
        for (int i = 0; i < batch; i++) {
            const int* p = pivots ? pivots + (int64_t)i * n : nullptr;
            if (!usable(function, "a matrix of the array a", a[i], n, n, lda, sizeof(T))
                || !usable(function, "a matrix of the array c", c[i], n, n, ldc, sizeof(T))
                || !usablePivots(function, n, p)) {
                return;
            }
            if (a[i] == c[i]) {
                emu_error("%s: the inverse cannot take its matrix's place", function);
                return;
            }
            if (factored) {
                info[i] = invert(n, a[i], lda, p, c[i], ldc);
                continue;
            }
            std::vector<T> factors((size_t)n * (size_t)n);
            std::vector<int> own((size_t)n);
            for (int j = 0; j < n; j++) {
                memcpy(&factors[(size_t)j * (size_t)n], a[i] + (int64_t)j * lda, (size_t)n * sizeof(T));
            }
            lu::factor(n, n, factors.data(), n, own.data());
            info[i] = invert(n, factors.data(), n, own.data(), c[i], ldc);
        }
    }));
}

bool openBlas(const char* function) {
    if (!lapack::present()) {
        emu_error("%s: the emulation needs OpenBLAS for this; load the CPU backend or set GRAMIAN_OPENBLAS", function);
        return false;
    }
    return true;
}

template <class T>
void factorQr(int m, int n, T* a, int lda, T* tau) {
    int info;
    int size = (n + 1) * 64;
    std::vector<T> work((size_t)size);
    lapack::call<T>("geqrf", &m, &n, a, &lda, tau, work.data(), &size, &info);
}

template <class T>
cublasStatus_t geqrf(const char* function, cublasHandle_t handle, int m, int n, T* const a[], int lda, T* const tau[],
                     int* info, int batch) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    if (!hostInfo(function, info)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    *info = m < 0 ? -1 : n < 0 ? -2 : !a ? -3 : lda < atLeastOne(m) ? -4 : !tau ? -5 : batch < 0 ? -7 : 0;
    REQUIRE(*info == 0);
    if (m == 0 || n == 0 || batch == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    dense::Memory memory;
    claimArray(memory, "the array a", a, batch);
    claimArray(memory, "the array tau", tau, batch);
    return status(openBlas(function) && dense::submit(handle->stream, function, memory, [=]() {
        for (int i = 0; i < batch; i++) {
            if (!usable(function, "a matrix of the array a", a[i], m, n, lda, sizeof(T))
                || !usable(function, "a vector of the array tau", tau[i], 1, m < n ? m : n, 1, sizeof(T))) {
                return;
            }
            factorQr(m, n, a[i], lda, tau[i]);
        }
    }));
}

// Least squares of overdetermined systems by QR: a becomes its QR, the first n rows of c the solution.
template <class T>
cublasStatus_t gels(const char* function, cublasHandle_t handle, cublasOperation_t trans, int m, int n, int nrhs,
                    T* const a[], int lda, T* const c[], int ldc, int* info, int* devInfo, int batch) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    if (!hostInfo(function, info)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    *info = m < 0 ? -2 : n < 0 ? -3 : nrhs < 0 ? -4 : lda < atLeastOne(m) ? -6 : ldc < atLeastOne(m) ? -8 : batch < 0 ? -11 : 0;
    REQUIRE(*info == 0 && blas::known(trans));
    if (trans != CUBLAS_OP_N || m < n) {
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    if (m == 0 || n == 0 || nrhs == 0 || batch == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    dense::Memory memory;
    claimArray(memory, "the array a", a, batch);
    claimArray(memory, "the array c", c, batch);
    if (devInfo) {
        claimInts(memory, "devInfo", devInfo, batch);
    }
    return status(openBlas(function) && dense::submit(handle->stream, function, memory, [=]() {
        for (int i = 0; i < batch; i++) {
            if (!usable(function, "a matrix of the array a", a[i], m, n, lda, sizeof(T))
                || !usable(function, "a matrix of the array c", c[i], m, nrhs, ldc, sizeof(T))) {
                return;
            }
            std::vector<T> tau((size_t)n);
            std::vector<T> work((size_t)(nrhs + 1) * 64);
            int size = (int)work.size();
            int ignored;
            factorQr(m, n, a[i], lda, tau.data());
            lapack::call<T>("ormqr", "L", "T", &m, &nrhs, &n, a[i], &lda, tau.data(), c[i], &ldc, work.data(), &size,
                            &ignored);
            int zero = 0;
            for (int k = n; k > 0; k--) {
                zero = a[i][k - 1 + (int64_t)(k - 1) * lda] == 0 ? k : zero;
            }
            for (int j = 0; j < nrhs && zero == 0; j++) {
                triangle::solve(false, false, false, n, a[i], lda, c[i] + (int64_t)j * ldc, (int64_t)1);
            }
            if (devInfo) {
                devInfo[i] = zero;
            }
        }
    }));
}

}  // namespace

#define BATCHED(T, GETRF, GETRS, GETRI, MATINV, GEQRF, GELS)                                                              \
    EXPORT cublasStatus_t GETRF(cublasHandle_t handle, int n, T* const a[], int lda, int* pivots, int* info, int batch) { \
        return getrf<T>(__func__, handle, n, a, lda, pivots, info, batch);                                                \
    }                                                                                                                     \
    EXPORT cublasStatus_t GETRS(cublasHandle_t handle, cublasOperation_t trans, int n, int nrhs, const T* const a[],      \
                                int lda, const int* pivots, T* const b[], int ldb, int* info, int batch) {                \
        return getrs<T>(__func__, handle, trans, n, nrhs, a, lda, pivots, b, ldb, info, batch);                           \
    }                                                                                                                     \
    EXPORT cublasStatus_t GETRI(cublasHandle_t handle, int n, const T* const a[], int lda, const int* pivots,             \
                                T* const c[], int ldc, int* info, int batch) {                                            \
        return inverse<T>(__func__, handle, true, n, a, lda, pivots, c, ldc, info, batch);                                \
    }                                                                                                                     \
    EXPORT cublasStatus_t MATINV(cublasHandle_t handle, int n, const T* const a[], int lda, T* const c[], int ldc,        \
                                 int* info, int batch) {                                                                  \
        return inverse<T>(__func__, handle, false, n, a, lda, nullptr, c, ldc, info, batch);                              \
    }                                                                                                                     \
    EXPORT cublasStatus_t GEQRF(cublasHandle_t handle, int m, int n, T* const a[], int lda, T* const tau[], int* info,    \
                                int batch) {                                                                              \
        return geqrf<T>(__func__, handle, m, n, a, lda, tau, info, batch);                                                \
    }                                                                                                                     \
    EXPORT cublasStatus_t GELS(cublasHandle_t handle, cublasOperation_t trans, int m, int n, int nrhs, T* const a[],      \
                               int lda, T* const c[], int ldc, int* info, int* devInfo, int batch) {                      \
        return gels<T>(__func__, handle, trans, m, n, nrhs, a, lda, c, ldc, info, devInfo, batch);                        \
    }

BATCHED(float, cublasSgetrfBatched, cublasSgetrsBatched, cublasSgetriBatched, cublasSmatinvBatched, cublasSgeqrfBatched,
        cublasSgelsBatched)
BATCHED(double, cublasDgetrfBatched, cublasDgetrsBatched, cublasDgetriBatched, cublasDmatinvBatched, cublasDgeqrfBatched,
        cublasDgelsBatched)
