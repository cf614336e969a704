// cuBLAS's vector routines, as far as they are needed: gemv, scal, copy, nrm2.
#include "cublas.h"
#include <algorithm>
#include <math.h>

namespace {

using blas::atLeastOne;
using blas::element;
using blas::first;
using blas::known;
using blas::Scalar;
using blas::status;
using blas::typeOf;

template <class T>
cublasStatus_t gemv(const char* function, cublasHandle_t handle, cublasOperation_t trans, int64_t m, int64_t n,
                    const T* alpha, const T* a, int64_t lda, const T* x, int64_t incx, const T* beta, T* y, int64_t incy) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    REQUIRE(known(trans) && m >= 0 && n >= 0 && lda >= atLeastOne(m) && incx != 0 && incy != 0 && alpha && beta);
    if (m == 0 || n == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    if (!blas::readable(function, handle, alpha, beta)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    int64_t rows = trans == CUBLAS_OP_N ? m : n;
    int64_t depth = m + n - rows;
    Scalar scale(handle, alpha, typeOf<T>);
    Scalar keep(handle, beta, typeOf<T>);
    dense::Memory memory;
    scale.claim("alpha", memory);
    keep.claim("beta", memory);
    memory.matrix("a", a, m, n, lda, sizeof(T)).vector("x", x, depth, incx, sizeof(T)).vector("y", y, rows, incy, sizeof(T));
    return status(dense::submit(handle->stream, function, memory, [=]() {
        T s = (T)scale.get();
        T t = (T)keep.get();
        for (int64_t i = 0; i < rows; i++) {
            T sum = 0;
            for (int64_t j = 0; j < depth && s != 0; j++) {
                sum += element(trans, a, lda, i, j) * x[first(depth, incx) + j * incx];
            }
            T& result = y[first(rows, incy) + i * incy];
            result = t == 0 ? s * sum : s * sum + t * result;
        }
    }));
}

template <class T>
cublasStatus_t scal(const char* function, cublasHandle_t handle, int64_t n, const T* alpha, T* x, int64_t inc) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    REQUIRE(alpha);
    if (n <= 0 || inc <= 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    if (!blas::readable(function, handle, alpha, nullptr)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    Scalar scale(handle, alpha, typeOf<T>);
    dense::Memory memory;
    scale.claim("alpha", memory);
    memory.vector("x", x, n, inc, sizeof(T));
    return status(dense::submit(handle->stream, function, memory, [=]() {
        for (int64_t i = 0; i < n; i++) {
            x[i * inc] *= (T)scale.get();
        }
    }));
}

template <class T>
cublasStatus_t copy(const char* function, cublasHandle_t handle, int64_t n, const T* x, int64_t incx, T* y, int64_t incy) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    if (n <= 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    dense::Memory memory;
    memory.vector("x", x, n, incx, sizeof(T)).vector("y", y, n, incy, sizeof(T));
    return status(dense::submit(handle->stream, function, memory, [=]() {
        for (int64_t i = 0; i < n; i++) {
            y[first(n, incy) + i * incy] = x[first(n, incx) + i * incx];
        }
    }));
}

// Scaled by the largest element, so that squares neither overflow nor vanish.
template <class T>
T norm(int64_t n, const T* x, int64_t inc) {
    T largest = 0;
    for (int64_t i = 0; i < n; i++) {
        T magnitude = fabs(x[i * inc]);
        if (magnitude != magnitude) {
            return magnitude;
        }
        largest = std::max(largest, magnitude);
    }
    if (largest == 0 || largest == (T)INFINITY) {
        return largest;
    }
    T sum = 0;
    for (int64_t i = 0; i < n; i++) {
        T scaled = x[i * inc] / largest;
        sum += scaled * scaled;
    }
    return largest * sqrt(sum);
}

// In host pointer mode the result is a host value: the call waits for the stream, which a capture does not allow.
template <class T>
cublasStatus_t nrm2(const char* function, cublasHandle_t handle, int64_t n, const T* x, int64_t inc, T* result) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    REQUIRE(result);
    bool device = handle->pointerMode == CUBLAS_POINTER_MODE_DEVICE;
    if (!device && (emu_is_device(result, 1) || dense::capturing(handle->stream))) {
        emu_error("%s: a result in host pointer mode %s", function,
                  emu_is_device(result, 1) ? "with a device address" : "while the stream is being captured");
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    bool none = n <= 0 || inc <= 0;
    dense::Memory memory;
    if (!none) {
        memory.vector("x", x, n, inc, sizeof(T));
    }
    if (device) {
        memory.range("the result", result, sizeof(T), sizeof(T));
    }
    bool submitted = dense::submit(handle->stream, function, memory, [=]() { *result = none ? 0 : norm(n, x, inc); });
    return status(submitted && (device || cuStreamSynchronize(handle->stream) == 0));
}

}  // namespace

#define ROUTINES(T, INT, GEMV, SCAL, COPY, NRM2)                                                                          \
    EXPORT cublasStatus_t GEMV(cublasHandle_t handle, cublasOperation_t trans, INT m, INT n, const T* alpha, const T* a,  \
                               INT lda, const T* x, INT incx, const T* beta, T* y, INT incy) {                            \
        return gemv<T>(__func__, handle, trans, m, n, alpha, a, lda, x, incx, beta, y, incy);                             \
    }                                                                                                                     \
    EXPORT cublasStatus_t SCAL(cublasHandle_t handle, INT n, const T* alpha, T* x, INT inc) {                             \
        return scal<T>(__func__, handle, n, alpha, x, inc);                                                               \
    }                                                                                                                     \
    EXPORT cublasStatus_t COPY(cublasHandle_t handle, INT n, const T* x, INT incx, T* y, INT incy) {                      \
        return copy<T>(__func__, handle, n, x, incx, y, incy);                                                            \
    }                                                                                                                     \
    EXPORT cublasStatus_t NRM2(cublasHandle_t handle, INT n, const T* x, INT inc, T* result) {                            \
        return nrm2<T>(__func__, handle, n, x, inc, result);                                                              \
    }

ROUTINES(float, int, cublasSgemv_v2, cublasSscal_v2, cublasScopy_v2, cublasSnrm2_v2)
ROUTINES(double, int, cublasDgemv_v2, cublasDscal_v2, cublasDcopy_v2, cublasDnrm2_v2)
ROUTINES(float, int64_t, cublasSgemv_v2_64, cublasSscal_v2_64, cublasScopy_v2_64, cublasSnrm2_v2_64)
ROUTINES(double, int64_t, cublasDgemv_v2_64, cublasDscal_v2_64, cublasDcopy_v2_64, cublasDnrm2_v2_64)
