/*
 * Median GFLOP/s of cblas_sgemm, row-major, from a library given by path:  sgemm LIB THREADS [M N K]...
 * With "-" for sizes: reads lines "M N K GFLOP", times about so many GFLOP of such products (at least one) and answers with
 * the milliseconds of one and the cores it had (processor time over wall time), for compare-openblas.sh.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void (*sgemm_fn)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static float *filled(size_t count) {
    float *p = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!p) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        p[i] = (float)((uint32_t)i * 2654435761u ^ (uint32_t)i * 40503u << 7) / 4294967296.0f - 0.5f;
    }
    return p;
}

/* Seconds per product, over at least so many GFLOP. */
static double timed(sgemm_fn sgemm, int m, int n, int k, double gflop, const float *a, const float *b, float *out,
                    double *cores) {
    double flop = 2.0 * m * n * k;
    int inner = flop > 1e9 * gflop ? 1 : (int)(1e9 * gflop / flop) + 1;
    /* untimed: after a pause the operands have left the caches */
    sgemm(101, 111, 111, m, n, k, 1.0f, a, k, b, n, 0.0f, out, n);
    double before = cpu(), start = now();
    for (int i = 0; i < inner; i++) {
        sgemm(101, 111, 111, m, n, k, 1.0f, a, k, b, n, 0.0f, out, n);
    }
    double wall = now() - start;
    *cores = (cpu() - before) / wall;
    return wall / inner;
}

static void answer(sgemm_fn sgemm) {
    int m, n, k;
    double gflop;
    while (scanf("%d %d %d %lf", &m, &n, &k, &gflop) == 4) {
        float *a = filled((size_t)m * k), *b = filled((size_t)k * n), *out = filled((size_t)m * n);
        double used, ms = 1e3 * timed(sgemm, m, n, k, gflop, a, b, out, &used);
        printf("%.4f %.3f\n", ms, used);
        fflush(stdout);
        free(a);
        free(b);
        free(out);
    }
}

int main(int argc, char **argv) {
    static int defaults[] = {512, 512, 512, 1024, 1024, 1024, 2048, 2048, 2048, 4096, 4096, 4096, 4096, 768, 768};
    enum { REPEATS = 9 };
    int turns = argc == 4 && strcmp(argv[3], "-") == 0;
    if (argc < 3 || (!turns && (argc - 3) % 3 != 0)) {
        fprintf(stderr, "usage: sgemm LIBRARY THREADS [- | M N K...]\n");
        return 2;
    }
    void *lib = dlopen(argv[1], RTLD_NOW);
    if (!lib) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    sgemm_fn sgemm = (sgemm_fn)dlsym(lib, "cblas_sgemm");
    void (*set_threads)(int) = (void (*)(int))dlsym(lib, "openblas_set_num_threads");
    if (!sgemm || !set_threads) {
        fprintf(stderr, "%s has no cblas_sgemm or openblas_set_num_threads\n", argv[1]);
        return 1;
    }
    int threads = atoi(argv[2]);
    set_threads(threads);
    if (turns) {
        answer(sgemm);
        return 0;
    }
    int cases = argc > 3 ? (argc - 3) / 3 : (int)(sizeof defaults / sizeof *defaults / 3);
    for (int c = 0; c < cases; c++) {
        int size[3];
        for (int i = 0; i < 3; i++) {
            size[i] = argc > 3 ? atoi(argv[3 + 3 * c + i]) : defaults[3 * c + i];
        }
        int m = size[0], n = size[1], k = size[2];
        double flop = 2.0 * m * n * k, times[REPEATS];
        float *a = filled((size_t)m * k), *b = filled((size_t)k * n), *out = filled((size_t)m * n);
        for (int r = -1; r < REPEATS; r++) {
            double cores, t = timed(sgemm, m, n, k, 2, a, b, out, &cores);
            if (r >= 0) {
                times[r] = t;
            }
        }
        qsort(times, REPEATS, sizeof *times, ascending);
        printf("openblas-c threads=%d %dx%dx%d %.1f GFLOP/s\n", threads, m, n, k, flop / times[REPEATS / 2] / 1e9);
        fflush(stdout);
        free(a);
        free(b);
        free(out);
    }
    return 0;
}
