// A triangle of each matrix of a batch, the rest zeros. T: an element by its width, N: how many are read at once, along
// a row. What is not kept is not read: half of the traffic of a copy's reads.

typedef Pack<T, N> Word;

// Words of `across` a row, `rows` rows a matrix, with divisors. lower: columns up to i + k of row i are kept, else
// those from i + k on; -rows <= k <= columns.
extern "C" __global__ void triangle(i64 count, i64 across, u64 across_divisor, i64 rows, u64 rows_divisor, i64 k,
                                    i32 lower, Axes<1> axes, const Word* x, Word* out) {
    for (i64 i = GRID_START; i < count; i += GRID_STEP) {
        i64 line = quotient(i, across, across_divisor);
        i64 column = (i - line * across) * N;
        i64 row = line - quotient(line, rows, rows_divisor) * rows;
        i64 cut = row + k + lower - column;  // elements of the word before the cut
        Word w = {};
        if (lower ? cut > 0 : cut < N) {
            i64 at[1];
            locate(axes, i, at);
            w = x[at[0]];
            #pragma unroll
            for (int e = 0; e < N; e++) {
                w.v[e] = (e < cut) == (lower != 0) ? w.v[e] : (T)0;
            }
        }
        out[i] = w;
    }
}
