// Triangular solves by substitution, shared by cuBLAS's trsm and the getrs, potrs kinds of both libraries.
#pragma once
#include <stdint.h>

namespace triangle {

// Solves op(A) x = x in place for one vector, `inc` apart. Only the named triangle is read, not its diagonal where unit.
template <class T>
void solve(bool lower, bool trans, bool unit, int64_t n, const T* a, int64_t lda, T* x, int64_t inc) {
    bool forward = lower != trans;
    for (int64_t s = 0; s < n; s++) {
        int64_t i = forward ? s : n - 1 - s;
        T value = x[i * inc];
        for (int64_t t = 0; t < s; t++) {
            int64_t j = forward ? t : n - 1 - t;
            value -= (trans ? a[j + i * lda] : a[i + j * lda]) * x[j * inc];
        }
        x[i * inc] = unit ? value : value / a[i + i * lda];
    }
}

}  // namespace triangle
