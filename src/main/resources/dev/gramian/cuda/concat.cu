// Tensors side by side: many pieces by one launch. T: a word of 1 to 16 bytes that fits into all pieces.
//
// The result is rows of `length` words. A piece is a stretch of each row; it is read as rows too, some words apart,
// whose words are `step` apart. Threads go over the words of the result's rows that these pieces fill and look their
// piece up in the table, which comes with the launch: no copy of it to the device that could be changed before it is
// read.

#define MOST 64
#define UNROLL 4

struct Pieces {
    i64 count;
    i64 start[MOST];  // first word of a piece in a row, counted from the first piece's; rising
    i64 from[MOST];   // address
    i64 row[MOST];    // words between its rows
    i64 step[MOST];   // and within them
};

// words: total of a row that the pieces fill; divisor: words as divide takes it; out: where the first piece goes.
extern "C" __global__ void concat(i64 rows, i64 words, u64 divisor, i64 length, Pieces pieces, T* out) {
    i64 count = rows * words;
    for (i64 base = GRID_START; base < count; base += UNROLL * GRID_STEP) {
        T v[UNROLL];
        i64 to[UNROLL];
        #pragma unroll
        for (int u = 0; u < UNROLL; u++) {
            i64 i = base + u * GRID_STEP;
            i = i < count ? i : base;
            i64 row = quotient(i, words, divisor);
            i64 column = i - row * words;
            int p = 0;
            #pragma unroll
            for (int half = MOST / 2; half > 0; half /= 2) {
                if (p + half < pieces.count && pieces.start[p + half] <= column) {
                    p += half;
                }
            }
            const T* from = (const T*)pieces.from[p];
            v[u] = from[row * pieces.row[p] + (column - pieces.start[p]) * pieces.step[p]];
            to[u] = row * length + column;
        }
        #pragma unroll
        for (int u = 0; u < UNROLL; u++) {
            if (base + u * GRID_STEP < count) {
                out[to[u]] = v[u];
            }
        }
    }
}
