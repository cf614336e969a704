// OpenBLAS's Fortran routines, found at run time: the copy that the CPU backend has loaded into this process, else the
// file named by GRAMIAN_OPENBLAS, else the copy in the CPU backend's cache directory, else the system's.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace lapack {

// Whether there is an OpenBLAS. Asked anew until there is one.
bool present();

// The routine's address: name "gesvd" is sgesvd_ or dgesvd_. Aborts where it is missing.
void* routine(char type, const char* name);

template <class T>
constexpr char prefix = sizeof(T) == 4 ? 's' : 'd';

// Calls a Fortran routine by reference; the caller passes pointers in LAPACK's order. The hidden lengths of character
// arguments, all 1, follow the arguments: four cover every routine, and extra ones are harmless.
template <class T, class... A>
void call(const char* name, A*... arguments) {
    using Routine = void (*)(A*..., size_t, size_t, size_t, size_t);
    ((Routine)routine(prefix<T>, name))(arguments..., 1, 1, 1, 1);
}

// c = op(a) op(b), m x n, column-major; c is written only. Plain loops where there is no OpenBLAS or a size is beyond its
// integers.
template <class T>
void multiply(bool transA, bool transB, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb,
              T* c, int64_t ldc);

}  // namespace lapack
