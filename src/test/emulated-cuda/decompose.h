// Singular and eigenvalue decompositions by LAPACK on host copies, and the garbage that stands for unsaid results.
#pragma once
#include "dense.h"
#include "lapack.h"
#include <math.h>

namespace decompose {

template <class T>
std::vector<T> copy(int64_t m, int64_t n, const T* a, int64_t lda) {
    std::vector<T> copied((size_t)(m * n));
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < m; i++) {
            copied[(size_t)(i + j * m)] = a[i + j * lda];
        }
    }
    return copied;
}

// Whether all elements are finite; of one triangle where `lower` or `upper` alone is to be read.
template <class T>
bool finite(int64_t m, int64_t n, const T* a, int64_t lda, bool lower = true, bool upper = true) {
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < m; i++) {
            bool read = i == j || (i > j ? lower : upper);
            if (read && !isfinite(a[i + j * lda])) {
                return false;
            }
        }
    }
    return true;
}

template <class T>
double frobenius(int64_t m, int64_t n, const T* a, int64_t lda) {
    double sum = 0;
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < m; i++) {
            sum += (double)a[i + j * lda] * (double)a[i + j * lda];
        }
    }
    return sqrt(sum);
}

// a = u diag(s) v^T with packed columns: u is m x colsU, v is n x colsV, s has min(m, n) values.
template <class T>
struct Svd {
    int64_t m;
    int64_t n;
    int64_t colsU;
    int64_t colsV;
    std::vector<T> u;
    std::vector<T> s;
    std::vector<T> v;
    int info = 0;

    // Of a finite matrix; full: square u and v.
    Svd(int64_t m, int64_t n, const T* a, int64_t lda, bool full) : m(m), n(n) {
        int64_t least = m < n ? m : n;
        colsU = full ? m : least;
        colsV = full ? n : least;
        u.assign((size_t)(m * colsU), 0);
        v.assign((size_t)(n * colsV), 0);
        s.assign((size_t)least, 0);
        if (least == 0) {
            identity(u, m, colsU);
            identity(v, n, colsV);
            return;
        }
        std::vector<T> work = copy(m, n, a, lda);
        std::vector<T> vt((size_t)(colsV * n));
        int sizes[] = {(int)m, (int)n, (int)colsV, (int)(5 * (m + n) + 64 * (m + n))};
        std::vector<T> space((size_t)sizes[3]);
        const char* job = full ? "A" : "S";
        lapack::call<T>("gesvd", job, job, &sizes[0], &sizes[1], work.data(), &sizes[0], s.data(), u.data(), &sizes[0],
                        vt.data(), &sizes[2], space.data(), &sizes[3], &info);
        for (int64_t i = 0; i < colsV; i++) {
            for (int64_t j = 0; j < n; j++) {
                v[(size_t)(j + i * n)] = vt[(size_t)(i + j * colsV)];
            }
        }
    }

    static void identity(std::vector<T>& x, int64_t rows, int64_t cols) {
        for (int64_t i = 0; i < rows && i < cols; i++) {
            x[(size_t)(i + i * rows)] = 1;
        }
    }
};

// The eigenvalues, ascending, and vectors of the named triangle, finite: a becomes the vectors where wanted. Returns info.
template <class T>
int eigen(bool vectors, bool lower, int64_t n, std::vector<T>& a, std::vector<T>& w) {
    w.assign((size_t)n, 0);
    if (n == 0) {
        return 0;
    }
    int info;
    int sizes[] = {(int)n, (int)(1 + 6 * n + 2 * n * n + 64 * n), (int)(3 + 5 * n)};
    std::vector<T> space((size_t)sizes[1]);
    std::vector<int> integers((size_t)sizes[2]);
    lapack::call<T>("syevd", vectors ? "V" : "N", lower ? "L" : "U", &sizes[0], a.data(), &sizes[0], w.data(), space.data(),
                    &sizes[1], integers.data(), &sizes[2], &info);
    return info;
}

// Columns into memory with a leading dimension.
template <class T>
void store(const std::vector<T>& packed, int64_t rows, int64_t cols, T* a, int64_t lda) {
    for (int64_t j = 0; j < cols && rows > 0; j++) {
        memcpy(a + j * lda, &packed[(size_t)(j * rows)], (size_t)rows * sizeof(T));
    }
}

// The same with the rows becoming columns: cols x rows.
template <class T>
void storeTransposed(const std::vector<T>& packed, int64_t rows, int64_t cols, T* a, int64_t lda) {
    for (int64_t j = 0; j < cols; j++) {
        for (int64_t i = 0; i < rows; i++) {
            a[j + i * lda] = packed[(size_t)(i + j * rows)];
        }
    }
}

// An order other than sorted, for results that are documented to come in any order.
inline int64_t shuffled(int64_t i, int64_t count) {
    return (i + count / 2) % count;
}

}  // namespace decompose
