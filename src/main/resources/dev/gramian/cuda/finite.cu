// The search for NaN and infinities. T: an element as an unsigned number, N: how many are read at once; EXPONENT: the
// bits that only NaN and infinities have all of.

#define UNROLL 4

typedef Pack<T, N> Word;

// *first: all ones before, which is -1; then the row-major position of the first element that is not finite. count:
// words; what is left of size is at the end of contiguous elements.
extern "C" __global__ void first_non_finite(i64 size, i64 count, Axes<1> axes, const Word* x, u64* first) {
    for (i64 base = GRID_START; base < count; base += UNROLL * GRID_STEP) {
        Word w[UNROLL];
        #pragma unroll
        for (int u = 0; u < UNROLL; u++) {
            i64 i = base + u * GRID_STEP;
            i64 at[1];
            locate(axes, i < count ? i : base, at);
            w[u] = x[at[0]];
        }
        u64 found = ~0ull;
        #pragma unroll
        for (int u = UNROLL - 1; u >= 0; u--) {
            i64 i = base + u * GRID_STEP;
            #pragma unroll
            for (int e = N - 1; e >= 0; e--) {
                // what a load beyond the end repeats is found where it is, further ahead
                found = (w[u].v[e] & EXPONENT) == EXPONENT && i < count ? (u64)(i * N + e) : found;
            }
        }
        if (found != ~0ull) {
            atomicMin(first, found);
            break;  // all that this thread has left lies behind
        }
        if (*(volatile u64*)first < (u64)(base * N)) {
            break;
        }
    }
    for (i64 i = count * N + GRID_START; i < size; i += GRID_STEP) {
        if ((((const T*)x)[i] & EXPONENT) == EXPONENT) {
            atomicMin(first, (u64)i);
        }
    }
}
