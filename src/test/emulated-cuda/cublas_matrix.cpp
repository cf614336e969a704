// cuBLAS's other matrix routines: trsm, geam, dgmm, syrk.
#include "cublas.h"
#include "overlap.h"
#include "triangle.h"

namespace {

using blas::atLeastOne;
using blas::element;
using blas::first;
using blas::known;
using blas::Scalar;
using blas::status;
using blas::typeOf;

bool known(cublasFillMode_t uplo) {
    return uplo == CUBLAS_FILL_MODE_LOWER || uplo == CUBLAS_FILL_MODE_UPPER;
}

bool known(cublasSideMode_t side) {
    return side == CUBLAS_SIDE_LEFT || side == CUBLAS_SIDE_RIGHT;
}

bool known(cublasDiagType_t diag) {
    return diag == CUBLAS_DIAG_NON_UNIT || diag == CUBLAS_DIAG_UNIT;
}

// ---- trsm ------------------------------------------------------------------------------------------------------

struct Trsm {
    cublasSideMode_t side;
    cublasFillMode_t uplo;
    cublasOperation_t trans;
    cublasDiagType_t diag;
    int64_t m;
    int64_t n;
    int64_t lda;
    int64_t ldb;
    int64_t batch;
    bool pointers;

    int64_t order() const {
        return side == CUBLAS_SIDE_LEFT ? m : n;
    }
};

template <class T>
void solve(const Trsm& c, T alpha, const T* a, T* b) {
    for (int64_t j = 0; j < c.n; j++) {
        for (int64_t i = 0; i < c.m; i++) {
            b[i + j * c.ldb] = alpha == 0 ? 0 : alpha * b[i + j * c.ldb];
        }
    }
    if (alpha == 0) {
        return;
    }
    bool lower = c.uplo == CUBLAS_FILL_MODE_LOWER;
    bool trans = c.trans != CUBLAS_OP_N;
    bool unit = c.diag == CUBLAS_DIAG_UNIT;
    if (c.side == CUBLAS_SIDE_LEFT) {
        for (int64_t j = 0; j < c.n; j++) {
            triangle::solve(lower, trans, unit, c.m, a, c.lda, b + j * c.ldb, (int64_t)1);
        }
    } else {  // X op(A) = B is op(A)^T X^T = B^T
        for (int64_t i = 0; i < c.m; i++) {
            triangle::solve(lower, !trans, unit, c.n, a, c.lda, b + i, c.ldb);
        }
    }
}

template <class T>
cublasStatus_t trsm(const char* function, cublasHandle_t handle, const Trsm& c, const T* alpha, const void* a, void* b) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    REQUIRE(known(c.side) && known(c.uplo) && known(c.trans) && known(c.diag));
    REQUIRE(c.m >= 0 && c.n >= 0 && c.batch >= 0 && alpha);
    REQUIRE(c.lda >= atLeastOne(c.order()) && c.ldb >= atLeastOne(c.m));
    if (c.m == 0 || c.n == 0 || c.batch == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    if (!blas::readable(function, handle, alpha, nullptr)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    Scalar scale(handle, alpha, typeOf<T>);
    dense::Memory memory;
    scale.claim("alpha", memory);
    blas::claimWorkspace(handle, memory);
    if (!c.pointers) {
        memory.matrix("a", a, c.order(), c.order(), c.lda, sizeof(T)).matrix("b", b, c.m, c.n, c.ldb, sizeof(T));
        return status(dense::submit(handle->stream, function, memory, [c, scale, a, b]() {
            solve(c, (T)scale.get(), (const T*)a, (T*)b);
        }));
    }
    size_t bytes = (size_t)c.batch * sizeof(void*);
    memory.range("the array a", a, bytes, sizeof(void*)).range("the array b", b, bytes, sizeof(void*));
    return status(dense::submit(handle->stream, function, memory, [function, c, scale, a, b]() {
        for (int64_t i = 0; i < c.batch; i++) {
            const T* ai = ((const T* const*)a)[i];
            T* bi = ((T* const*)b)[i];
            dense::Memory matrices;
            matrices.matrix("a matrix of the array a", ai, c.order(), c.order(), c.lda, sizeof(T));
            matrices.matrix("a matrix of the array b", bi, c.m, c.n, c.ldb, sizeof(T));
            if (!matrices.usable(function)) {
                return;
            }
            solve(c, (T)scale.get(), ai, bi);
        }
    }));
}

// ---- geam, dgmm ------------------------------------------------------------------------------------------------

template <class T>
cublasStatus_t geam(const char* function, cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, int64_t m,
                    int64_t n, const T* alpha, const T* a, int64_t lda, const T* beta, const T* b, int64_t ldb, T* c,
                    int64_t ldc) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    REQUIRE(known(opA) && known(opB) && m >= 0 && n >= 0 && alpha && beta);
    REQUIRE(lda >= atLeastOne(opA == CUBLAS_OP_N ? m : n) && ldb >= atLeastOne(opB == CUBLAS_OP_N ? m : n)
            && ldc >= atLeastOne(m));
    REQUIRE(c != a || (opA == CUBLAS_OP_N && lda == ldc));  // in place only as documented
    REQUIRE(c != b || (opB == CUBLAS_OP_N && ldb == ldc));
    if (m == 0 || n == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    if (!blas::readable(function, handle, alpha, beta)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    Scalar scaleA(handle, alpha, typeOf<T>);
    Scalar scaleB(handle, beta, typeOf<T>);
    dense::Memory memory;
    scaleA.claim("alpha", memory);
    scaleB.claim("beta", memory);
    auto rows = [m, n](cublasOperation_t op) { return op == CUBLAS_OP_N ? m : n; };
    overlap::Grid result{c, sizeof(T), m, n, ldc, 0, 1};
    bool shared = false;
    if (!scaleA.isHost(0)) {
        memory.matrix("a", a, rows(opA), m + n - rows(opA), lda, sizeof(T));
        shared |= c != a && overlap::between(result, {a, sizeof(T), rows(opA), m + n - rows(opA), lda, 0, 1});
    }
    if (!scaleB.isHost(0)) {
        memory.matrix("b", b, rows(opB), m + n - rows(opB), ldb, sizeof(T));
        shared |= c != b && overlap::between(result, {b, sizeof(T), rows(opB), m + n - rows(opB), ldb, 0, 1});
    }
    memory.matrix("c", c, m, n, ldc, sizeof(T));
    if (shared) {
        emu_error("%s: c shares elements with an operand and is not that operand", function);
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    return status(dense::submit(handle->stream, function, memory, [=]() {
        T x = (T)scaleA.get();
        T y = (T)scaleB.get();
        for (int64_t j = 0; j < n; j++) {
            for (int64_t i = 0; i < m; i++) {
                T left = x == 0 ? 0 : x * element(opA, a, lda, i, j);
                T right = y == 0 ? 0 : y * element(opB, b, ldb, i, j);
                c[i + j * ldc] = y == 0 ? left : x == 0 ? right : left + right;
            }
        }
    }));
}

template <class T>
cublasStatus_t dgmm(const char* function, cublasHandle_t handle, cublasSideMode_t side, int64_t m, int64_t n, const T* a,
                    int64_t lda, const T* x, int64_t inc, T* c, int64_t ldc) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    REQUIRE(known(side) && m >= 0 && n >= 0 && lda >= atLeastOne(m) && ldc >= atLeastOne(m));
    if (m == 0 || n == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    int64_t length = side == CUBLAS_SIDE_LEFT ? m : n;
    dense::Memory memory;
    memory.matrix("a", a, m, n, lda, sizeof(T)).vector("x", x, length, inc, sizeof(T)).matrix("c", c, m, n, ldc, sizeof(T));
    if (!(c == a && lda == ldc) && overlap::between({c, sizeof(T), m, n, ldc, 0, 1}, {a, sizeof(T), m, n, lda, 0, 1})) {
        emu_error("%s: c shares elements with a and is not a", function);
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    return status(dense::submit(handle->stream, function, memory, [=]() {
        for (int64_t j = 0; j < n; j++) {
            for (int64_t i = 0; i < m; i++) {
                c[i + j * ldc] = a[i + j * lda] * x[first(length, inc) + (side == CUBLAS_SIDE_LEFT ? i : j) * inc];
            }
        }
    }));
}

// ---- syrk ------------------------------------------------------------------------------------------------------

template <class T>
cublasStatus_t syrk(const char* function, cublasHandle_t handle, cublasFillMode_t uplo, cublasOperation_t trans, int64_t n,
                    int64_t k, const T* alpha, const T* a, int64_t lda, const T* beta, T* c, int64_t ldc) {
    if (cublasStatus_t status = blas::enter(function, handle)) {
        return status;
    }
    bool plain = trans == CUBLAS_OP_N;
    REQUIRE(known(uplo) && known(trans) && n >= 0 && k >= 0 && alpha && beta);
    REQUIRE(lda >= atLeastOne(plain ? n : k) && ldc >= atLeastOne(n));
    if (n == 0) {
        return CUBLAS_STATUS_SUCCESS;
    }
    if (!blas::readable(function, handle, alpha, beta)) {
        return CUBLAS_STATUS_EXECUTION_FAILED;
    }
    Scalar scale(handle, alpha, typeOf<T>);
    Scalar keep(handle, beta, typeOf<T>);
    dense::Memory memory;
    scale.claim("alpha", memory);
    keep.claim("beta", memory);
    memory.matrix("a", a, plain ? n : k, plain ? k : n, lda, sizeof(T)).matrix("c", c, n, n, ldc, sizeof(T));
    return status(dense::submit(handle->stream, function, memory, [=]() {
        T x = (T)scale.get();
        T y = (T)keep.get();
        for (int64_t j = 0; j < n; j++) {
            bool lower = uplo == CUBLAS_FILL_MODE_LOWER;
            for (int64_t i = lower ? j : 0; i < (lower ? n : j + 1); i++) {
                T sum = 0;
                for (int64_t l = 0; l < k && x != 0; l++) {
                    sum += element(trans, a, lda, i, l) * element(trans, a, lda, j, l);
                }
                c[i + j * ldc] = y == 0 ? x * sum : x * sum + y * c[i + j * ldc];
            }
        }
    }));
}

}  // namespace

// ---- Exports ---------------------------------------------------------------------------------------------------

#define ROUTINES(T, INT, TRSM, TRSM_BATCHED, GEAM, DGMM, SYRK)                                                            \
    EXPORT cublasStatus_t TRSM(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t uplo,                       \
                               cublasOperation_t trans, cublasDiagType_t diag, INT m, INT n, const T* alpha, const T* a,  \
                               INT lda, T* b, INT ldb) {                                                                  \
        return trsm<T>(__func__, handle, {side, uplo, trans, diag, m, n, lda, ldb, 1, false}, alpha, a, b);               \
    }                                                                                                                     \
    EXPORT cublasStatus_t TRSM_BATCHED(cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t uplo,               \
                                       cublasOperation_t trans, cublasDiagType_t diag, INT m, INT n, const T* alpha,      \
                                       const T* const a[], INT lda, T* const b[], INT ldb, INT batch) {                   \
        return trsm<T>(__func__, handle, {side, uplo, trans, diag, m, n, lda, ldb, batch, true}, alpha, a, (void*)b);     \
    }                                                                                                                     \
    EXPORT cublasStatus_t GEAM(cublasHandle_t handle, cublasOperation_t opA, cublasOperation_t opB, INT m, INT n,         \
                               const T* alpha, const T* a, INT lda, const T* beta, const T* b, INT ldb, T* c, INT ldc) {  \
        return geam<T>(__func__, handle, opA, opB, m, n, alpha, a, lda, beta, b, ldb, c, ldc);                            \
    }                                                                                                                     \
    EXPORT cublasStatus_t DGMM(cublasHandle_t handle, cublasSideMode_t side, INT m, INT n, const T* a, INT lda,           \
                               const T* x, INT inc, T* c, INT ldc) {                                                      \
        return dgmm<T>(__func__, handle, side, m, n, a, lda, x, inc, c, ldc);                                             \
    }                                                                                                                     \
    EXPORT cublasStatus_t SYRK(cublasHandle_t handle, cublasFillMode_t uplo, cublasOperation_t trans, INT n, INT k,       \
                               const T* alpha, const T* a, INT lda, const T* beta, T* c, INT ldc) {                       \
        return syrk<T>(__func__, handle, uplo, trans, n, k, alpha, a, lda, beta, c, ldc);                                 \
    }

ROUTINES(float, int, cublasStrsm_v2, cublasStrsmBatched, cublasSgeam, cublasSdgmm, cublasSsyrk_v2)
ROUTINES(double, int, cublasDtrsm_v2, cublasDtrsmBatched, cublasDgeam, cublasDdgmm, cublasDsyrk_v2)
ROUTINES(float, int64_t, cublasStrsm_v2_64, cublasStrsmBatched_64, cublasSgeam_64, cublasSdgmm_64, cublasSsyrk_v2_64)
ROUTINES(double, int64_t, cublasDtrsm_v2_64, cublasDtrsmBatched_64, cublasDgeam_64, cublasDdgmm_64, cublasDsyrk_v2_64)
