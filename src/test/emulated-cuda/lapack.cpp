#include "lapack.h"
#include <atomic>
#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <mutex>
#include <stdio.h>
#include <stdlib.h>
#include <string>

namespace lapack {

namespace {

void* fromCache() {
    const char* xdg = getenv("XDG_CACHE_HOME");
    const char* home = getenv("HOME");
    std::string root = xdg ? xdg : home ? std::string(home) + "/.cache" : "";
    glob_t found;
    void* library = nullptr;
    if (glob((root + "/gramian/openblas-*/libopenblas.so.0").c_str(), 0, nullptr, &found) == 0) {
        library = dlopen(found.gl_pathv[0], RTLD_NOW);
    }
    globfree(&found);
    return library;
}

// Own copies run on one thread, as the CPU backend's does.
void* single(void* library) {
    if (library) {
        if (void* set = dlsym(library, "openblas_set_num_threads")) {
            ((void (*)(int))set)(1);
        }
    }
    return library;
}

void* find() {
    if (void* loaded = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD)) {
        return loaded;
    }
    const char* path = getenv("GRAMIAN_OPENBLAS");
    void* named = path && *path ? dlopen(path, RTLD_NOW) : nullptr;
    if (!named) {
        named = fromCache();
    }
    return single(named ? named : dlopen("libopenblas.so.0", RTLD_NOW));
}

void* library() {
    static std::atomic<void*> known;
    static std::mutex searching;
    void* handle = known.load();
    if (!handle) {
        std::lock_guard<std::mutex> lock(searching);
        handle = known.load();
        if (!handle) {
            handle = find();
            known.store(handle);
        }
    }
    return handle;
}

}  // namespace

bool present() {
    return library() != nullptr;
}

void* routine(char type, const char* name) {
    char symbol[32];
    snprintf(symbol, sizeof symbol, "%c%s_", type, name);
    void* address = present() ? dlsym(library(), symbol) : nullptr;
    if (!address) {
        fprintf(stderr, "emulated CUDA: OpenBLAS has no %s\n", symbol);
        abort();
    }
    return address;
}

template <class T>
void multiply(bool transA, bool transB, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb,
              T* c, int64_t ldc) {
    bool fits = m <= INT_MAX && n <= INT_MAX && k <= INT_MAX && lda <= INT_MAX && ldb <= INT_MAX && ldc <= INT_MAX;
    // Small products stay out of OpenBLAS, whose kernels for single rows and columns skip zeros: 0 * NaN is NaN.
    if (fits && m > 4 && n > 4 && m * n * k > 32768 && present()) {
        int sizes[] = {(int)m, (int)n, (int)k, (int)lda, (int)ldb, (int)ldc};
        T one = 1;
        T zero = 0;
        for (int64_t j = 0; j < n; j++) {
            for (int64_t i = 0; i < m; i++) {
                c[i + j * ldc] = 0;
            }
        }
        call<T>("gemm", transA ? "T" : "N", transB ? "T" : "N", &sizes[0], &sizes[1], &sizes[2], &one, a, &sizes[3], b,
                &sizes[4], &zero, c, &sizes[5]);
        return;
    }
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < m; i++) {
            T sum = 0;
            for (int64_t l = 0; l < k; l++) {
                sum += (transA ? a[l + i * lda] : a[i + l * lda]) * (transB ? b[j + l * ldb] : b[l + j * ldb]);
            }
            c[i + j * ldc] = sum;
        }
    }
}

template void multiply(bool, bool, int64_t, int64_t, int64_t, const float*, int64_t, const float*, int64_t, float*,
                       int64_t);
template void multiply(bool, bool, int64_t, int64_t, int64_t, const double*, int64_t, const double*, int64_t, double*,
                       int64_t);

}  // namespace lapack
