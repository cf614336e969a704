// LU with or without row exchanges, as cuBLAS's and cuSOLVER's getrf offer it: pivots may be NULL.
#pragma once
#include "triangle.h"
#include <math.h>
#include <utility>

namespace lu {

// Factors in place; P is int or int64_t, 1-based. Returns 0 or k where U(k, k), 1-based, is the first to be zero.
template <class T, class P>
int factor(int64_t m, int64_t n, T* a, int64_t lda, P* pivots) {
    int info = 0;
    for (int64_t k = 0; k < (m < n ? m : n); k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < m && pivots; i++) {
            if (fabs(a[i + k * lda]) > fabs(a[pivot + k * lda])) {
                pivot = i;
            }
        }
        if (pivots) {
            pivots[k] = (P)(pivot + 1);
        }
        for (int64_t j = 0; j < n && pivot != k; j++) {
            std::swap(a[k + j * lda], a[pivot + j * lda]);
        }
        T diagonal = a[k + k * lda];
        if (diagonal == 0) {
            info = info == 0 ? (int)(k + 1) : info;
            continue;
        }
        for (int64_t i = k + 1; i < m; i++) {
            a[i + k * lda] /= diagonal;
        }
        for (int64_t j = k + 1; j < n; j++) {
            T top = a[k + j * lda];
            for (int64_t i = k + 1; i < m; i++) {
                a[i + j * lda] -= a[i + k * lda] * top;
            }
        }
    }
    return info;
}

// Solves op(A) x = b in place for one right-hand side with the factors above.
template <class T, class P>
void solve(bool trans, int64_t n, const T* a, int64_t lda, const P* pivots, T* b) {
    if (!trans) {
        for (int64_t k = 0; k < n && pivots; k++) {
            std::swap(b[k], b[pivots[k] - 1]);
        }
        triangle::solve(true, false, true, n, a, lda, b, (int64_t)1);
        triangle::solve(false, false, false, n, a, lda, b, (int64_t)1);
        return;
    }
    triangle::solve(false, true, false, n, a, lda, b, (int64_t)1);
    triangle::solve(true, true, true, n, a, lda, b, (int64_t)1);
    for (int64_t k = n - 1; k >= 0 && pivots; k--) {
        std::swap(b[k], b[pivots[k] - 1]);
    }
}

// Whether all pivots are row numbers: garbage there would make the solve write anywhere.
template <class P>
bool sane(int64_t n, const P* pivots) {
    for (int64_t k = 0; k < n && pivots; k++) {
        if (pivots[k] < 1 || pivots[k] > n) {
            return false;
        }
    }
    return true;
}

}  // namespace lu
