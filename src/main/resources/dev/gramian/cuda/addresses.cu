// Addresses of the matrices of a batch whose axes do not collapse, for cuBLAS's pointer-array calls.

// count matrices, in row-major order of the batch axes; strides in elements of width bytes (c: result_width).
extern "C" __global__ void addresses(i64 count, Axes<3> axes, i64 width, i64 result_width, i64 a, i64 b, i64 c,
                                     i64* to_a, i64* to_b, i64* to_c) {
    for (i64 i = GRID_START; i < count; i += GRID_STEP) {
        i64 at[3];
        locate(axes, i, at);
        to_a[i] = a + at[0] * width;
        to_b[i] = b + at[1] * width;
        to_c[i] = c + at[2] * result_width;
    }
}
