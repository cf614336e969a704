// Softmax, or its logarithm, from what a reduction gave for each row before: its largest element and the sum of
// exponentials over that. For rows too long for registers. Macros: ELEMENT; LOG, 0 or 1; WIDTH elements are
// taken at once.
//
// Over all size elements (axes: x, out, the row's state), WIDTH neighbours along the last axis at a time: its size and
// all other steps of x and out are multiples of WIDTH, and it has no gaps, where WIDTH > 1.
#include "states.cuh"

typedef Compute<ELEMENT>::type C;
typedef Pack<ELEMENT, WIDTH> Vector;

extern "C" __global__ void __launch_bounds__(256)
    apply(const ELEMENT* x, i64 size, Axes<3> axes, const LogSumExp<ELEMENT>* states, ELEMENT* out) {
    i64 step = axes.stride[2][(int)axes.rank - 1];
    for (i64 i = GRID_START; i < size / WIDTH; i += GRID_STEP) {
        i64 at[3];
        locate(axes, i * WIDTH, at);
        Vector v = *(const Vector*)(x + at[0]);
        Vector y;
#pragma unroll
        for (int k = 0; k < WIDTH; k++) {
            LogSumExp<ELEMENT> s = states[at[2] + k * step];
            C d = load(v.v[k]) - s.top;
            C sum = (C)s.sum;
            if (!(s.top - s.top == 0)) {
                sum = s.top - s.top;
            }
            store(&y.v[k], LOG ? d - log(sum) : exp(d) / sum);
        }
        *(Vector*)(out + at[1]) = y;
    }
}
