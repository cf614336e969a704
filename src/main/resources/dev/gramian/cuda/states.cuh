// What reductions carry along: one struct per ReduceFn over elements T. A state has
//   clear()                  of no elements
//   add<N, RUN>(v, first, step)  N more elements as their compute type, in runs of RUN neighbours: v[k] is number
//                            first + k / RUN * step + k % RUN of its slice; the numbers ascend, also from call to call
//   merge(s)                 of other elements; order does not matter to the result's meaning
//   down(o)                  the state of the lane o up in the warp
//   result(n, ddof)          what the reduction of n elements gives, in the type that is stored
//
// Sums of floats are F64, as on the CPU: F32 values neither overflow nor lose digits on the way, and a memory-bound
// kernel hides the conversions (16 a clock on the SMs that matter, 3.5e12/s on an H100, against 1.1e12 F32 values/s
// that its memory gives). Eight half values are added in F32 first. Elements go in in blocks of N, so that the running
// sum sees one addition, and a variance one division, per block.


template <class T> struct Wide { typedef f64 type; };
template <> struct Wide<i64> { typedef i64 type; };

__device__ __forceinline__ i64 down(i64 x, int o) { return __shfl_down_sync(FULL_WARP, x, o); }
__device__ __forceinline__ f64 down(f64 x, int o) { return __shfl_down_sync(FULL_WARP, x, o); }
__device__ __forceinline__ f32 down(f32 x, int o) { return __shfl_down_sync(FULL_WARP, x, o); }
__device__ __forceinline__ u32 down(u32 x, int o) { return __shfl_down_sync(FULL_WARP, x, o); }

template <class T> struct Range;  // of floats
template <> struct Range<f64> {
    static __device__ __forceinline__ f64 lowest() { return -INFINITE_F64; }
    static __device__ __forceinline__ f64 highest() { return INFINITE_F64; }
};
template <> struct Range<f32> {
    static __device__ __forceinline__ f32 lowest() { return -INFINITE_F32; }
    static __device__ __forceinline__ f32 highest() { return INFINITE_F32; }
};
template <> struct Range<i64> {
    static __device__ __forceinline__ i64 lowest() { return (i64)0x8000000000000000ULL; }
    static __device__ __forceinline__ i64 highest() { return 0x7fffffffffffffffLL; }
};

// Sums of N values, pairwise. Halves in F32: an eighth of each, so that eight large BF16 values do not overflow.
template <class C, int N> struct Pairs {
    template <class W> static __device__ __forceinline__ W sum(const C* v) {
        return Pairs<C, N / 2>::template sum<W>(v) + Pairs<C, N - N / 2>::template sum<W>(v + N / 2);
    }
};
template <class C> struct Pairs<C, 1> {
    template <class W> static __device__ __forceinline__ W sum(const C* v) { return (W)v[0]; }
};

template <class T, class C, int N> struct Block {
    typedef typename Wide<C>::type W;
    static __device__ __forceinline__ W sum(const C (&v)[N]) { return Pairs<C, N>::template sum<W>(v); }
};
template <int N> struct HalfBlock {
    static __device__ __forceinline__ f64 sum(const f32 (&v)[N]) {
        if (N < 8) {
            return Pairs<f32, N>::template sum<f64>(v);
        }
        f64 s = 0;
#pragma unroll
        for (int i = 0; i < N; i += 8) {
            f32 part[8];
#pragma unroll
            for (int k = 0; k < 8; k++) {
                part[k] = i + k < N ? 0.125f * v[i + k < N ? i + k : 0] : 0;
            }
            s += Pairs<f32, 8>::template sum<f32>(part);
        }
        return 8 * s;
    }
};
template <int N> struct Block<f16, f32, N> : HalfBlock<N> {};
template <int N> struct Block<bf16, f32, N> : HalfBlock<N> {};

// ---- sums and products
// -------------------------------------------------------------------------------------------------

template <class T> struct Total {
    typedef typename Compute<T>::type C;
    typedef typename Wide<C>::type W;
    W sum;
    __device__ __forceinline__ void clear() { sum = 0; }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
        sum += Block<T, C, N>::sum(v);
    }
    __device__ __forceinline__ void merge(const Total& s) { sum += s.sum; }
    __device__ __forceinline__ Total down(int o) const { return {::down(sum, o)}; }
    __device__ __forceinline__ W result(i64, f64) const { return sum; }
};

template <class T> struct Mean : Total<T> {
    __device__ __forceinline__ f64 result(i64 n, f64) const { return this->sum / (f64)n; }
};

template <class T> struct Norm1 : Total<T> {
    typedef typename Compute<T>::type C;
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
        C a[N];
#pragma unroll
        for (int k = 0; k < N; k++) {
            a[k] = fabs(v[k]);
        }
        this->sum += Block<T, C, N>::sum(a);
    }
};

template <class T> struct Product {
    typedef typename Compute<T>::type C;
    typedef typename Wide<C>::type W;
    W product;
    __device__ __forceinline__ void clear() { product = 1; }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
#pragma unroll
        for (int k = 0; k < N; k++) {
            product *= (W)v[k];
        }
    }
    __device__ __forceinline__ void merge(const Product& s) { product *= s.product; }
    __device__ __forceinline__ Product down(int o) const { return {::down(product, o)}; }
    __device__ __forceinline__ W result(i64, f64) const { return product; }
};

// ---- variance
// ----------------------------------------------------------------------------------------------------------

// Blocks in two passes over registers, merged by mean and squared distance (Chan): nothing cancels.
template <class T> struct Variance {
    typedef typename Compute<T>::type C;
    f64 count, mean, squares;
    __device__ __forceinline__ void clear() { count = mean = squares = 0; }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
        f64 m = Block<T, C, N>::sum(v) / N;
        f64 q = 0;
#pragma unroll
        for (int k = 0; k < N; k++) {
            f64 d = (f64)v[k] - m;
            q += d * d;
        }
        merge(Variance{(f64)N, m, q});
    }
    __device__ __forceinline__ void merge(const Variance& s) {
        if (s.count == 0) {
            return;
        }
        f64 n = count + s.count;
        f64 d = s.mean - mean;
        f64 share = s.count / n;
        mean = count == 0 ? s.mean : mean + d * share;
        squares += count == 0 ? s.squares : s.squares + d * d * share * count;
        count = n;
    }
    __device__ __forceinline__ Variance down(int o) const {
        return {::down(count, o), ::down(mean, o), ::down(squares, o)};
    }
    // NaN where too few elements are left to divide by
    __device__ __forceinline__ f64 result(i64 n, f64 ddof) const {
        return (f64)n - ddof > 0 ? squares / ((f64)n - ddof) : NAN_F64;
    }
};

template <class T> struct Deviation : Variance<T> {
    __device__ __forceinline__ f64 result(i64 n, f64 ddof) const { return sqrt(Variance<T>::result(n, ddof)); }
};

// ---- extremes
// ----------------------------------------------------------------------------------------------------------

template <class T> struct Minimum {
    typedef typename Compute<T>::type C;
    C best;
    __device__ __forceinline__ void clear() { best = Range<C>::highest(); }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
#pragma unroll
        for (int k = 0; k < N; k++) {
            best = minimum(best, v[k]);
        }
    }
    __device__ __forceinline__ void merge(const Minimum& s) { best = minimum(best, s.best); }
    __device__ __forceinline__ Minimum down(int o) const { return {::down(best, o)}; }
    __device__ __forceinline__ C result(i64, f64) const { return best; }
};

template <class T> struct Maximum {
    typedef typename Compute<T>::type C;
    C best;
    __device__ __forceinline__ void clear() { best = Range<C>::lowest(); }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
#pragma unroll
        for (int k = 0; k < N; k++) {
            best = maximum(best, v[k]);
        }
    }
    __device__ __forceinline__ void merge(const Maximum& s) { best = maximum(best, s.best); }
    __device__ __forceinline__ Maximum down(int o) const { return {::down(best, o)}; }
    __device__ __forceinline__ C result(i64, f64) const { return best; }
};

template <class T> struct NormInf : Maximum<T> {
    typedef typename Compute<T>::type C;
    __device__ __forceinline__ void clear() { this->best = 0; }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
#pragma unroll
        for (int k = 0; k < N; k++) {
            this->best = maximum(this->best, fabs(v[k]));
        }
    }
};

// Index of the best element: the first NaN, else the first of those equal to the best, 0.0 and -0.0 alike.
template <class T, bool LARGEST> struct Best {
    typedef typename Compute<T>::type C;
    C best;
    i64 at;  // -1: no element yet
    static __device__ __forceinline__ bool no_better(C a, C b) { return LARGEST ? a <= b : a >= b; }
    __device__ __forceinline__ void clear() {
        best = 0;
        at = -1;
    }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64 first, i64 step) {
#pragma unroll
        for (int k = 0; k < N; k++) {
            // a NaN is not "no better"; what came first stays where both are NaN
            if (!no_better(v[k], best) && best == best || at < 0) {
                best = v[k];
                at = first + k / RUN * step + k % RUN;
            }
        }
    }
    __device__ __forceinline__ void merge(const Best& s) {
        bool nan = best != best;
        bool better = s.best != s.best
            ? !nan || s.at < at
            : !nan && (!no_better(s.best, best) || s.best == best && s.at < at);
        if (s.at >= 0 && (at < 0 || better)) {
            best = s.best;
            at = s.at;
        }
    }
    __device__ __forceinline__ Best down(int o) const { return {::down(best, o), ::down(at, o)}; }
    __device__ __forceinline__ i64 result(i64, f64) const { return at; }
};

template <class T> using ArgMin = Best<T, false>;
template <class T> using ArgMax = Best<T, true>;

template <class T> struct Any {
    typedef typename Compute<T>::type C;
    u32 yes;
    __device__ __forceinline__ void clear() { yes = 0; }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
#pragma unroll
        for (int k = 0; k < N; k++) {
            yes |= v[k] != 0;
        }
    }
    __device__ __forceinline__ void merge(const Any& s) { yes |= s.yes; }
    __device__ __forceinline__ Any down(int o) const { return {::down(yes, o)}; }
    __device__ __forceinline__ i64 result(i64, f64) const { return yes; }
};

template <class T> struct All {
    typedef typename Compute<T>::type C;
    u32 yes;
    __device__ __forceinline__ void clear() { yes = 1; }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
#pragma unroll
        for (int k = 0; k < N; k++) {
            yes &= v[k] != 0;
        }
    }
    __device__ __forceinline__ void merge(const All& s) { yes &= s.yes; }
    __device__ __forceinline__ All down(int o) const { return {::down(yes, o)}; }
    __device__ __forceinline__ i64 result(i64, f64) const { return yes; }
};

// ---- exponentials and squares
// -----------------------------------------------------------------------------------------

// sum is of exp(x - top). Where top is infinite sum means nothing, but is no NaN either while top is -inf.
template <class T> struct LogSumExp {
    typedef typename Compute<T>::type C;
    C top;
    f64 sum;
    __device__ __forceinline__ void clear() {
        top = Range<C>::lowest();
        sum = 0;
    }
    static __device__ __forceinline__ C shift(C top) { return top == Range<C>::lowest() ? 0 : top; }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
        C m = top;
#pragma unroll
        for (int k = 0; k < N; k++) {
            m = maximum(m, v[k]);
        }
        if (m != top) {
            sum *= exp(top - shift(m));
            top = m;
        }
        C by = shift(m);
        C e[N];
#pragma unroll
        for (int k = 0; k < N; k++) {
            e[k] = exp(v[k] - by);
        }
        sum += Pairs<C, N>::template sum<C>(e);
    }
    __device__ __forceinline__ void merge(const LogSumExp& s) {
        C m = maximum(top, s.top);
        C by = shift(m);
        sum = sum * exp(top - by) + s.sum * exp(s.top - by);
        top = m;
    }
    __device__ __forceinline__ LogSumExp down(int o) const { return {::down(top, o), ::down(sum, o)}; }
    __device__ __forceinline__ f64 result(i64, f64) const {
        return top - top == 0 ? (f64)top + log(sum) : (f64)top;  // inf - inf and NaN are not 0
    }
};

// Squares of F32 values in F64 neither over- nor underflow.
template <class T> struct Norm2 {
    typedef typename Compute<T>::type C;
    f64 squares;
    __device__ __forceinline__ void clear() { squares = 0; }
    template <int N, int RUN> __device__ __forceinline__ void add(const C (&v)[N], i64, i64) {
        f64 q[N];
#pragma unroll
        for (int k = 0; k < N; k++) {
            q[k] = (f64)v[k] * (f64)v[k];
        }
        squares += Pairs<f64, N>::template sum<f64>(q);
    }
    __device__ __forceinline__ void merge(const Norm2& s) { squares += s.squares; }
    __device__ __forceinline__ Norm2 down(int o) const { return {::down(squares, o)}; }
    __device__ __forceinline__ f64 result(i64, f64) const { return sqrt(squares); }
};

// F64 in three sums: of squares that may be taken as they are, and of those scaled up and down first (Blue 1978).
template <> struct Norm2<f64> {
    f64 small, middle, big;
    static __device__ __forceinline__ f64 tiny() { return 0x1p-511; }
    static __device__ __forceinline__ f64 huge() { return 0x1p+486; }
    static __device__ __forceinline__ f64 up() { return 0x1p+537; }
    static __device__ __forceinline__ f64 lower() { return 0x1p-538; }
    __device__ __forceinline__ void clear() { small = middle = big = 0; }
    template <int N, int RUN> __device__ __forceinline__ void add(const f64 (&v)[N], i64, i64) {
        f64 q[N];
#pragma unroll
        for (int k = 0; k < N; k++) {
            f64 a = fabs(v[k]);
            q[k] = a * a;
            if (a > huge()) {
                q[k] = 0;
                big += a * lower() * (a * lower());
            } else if (a < tiny()) {
                q[k] = 0;
                small += a * up() * (a * up());
            }
        }
        middle += Pairs<f64, N>::template sum<f64>(q);
    }
    __device__ __forceinline__ void merge(const Norm2& s) {
        small += s.small;
        middle += s.middle;
        big += s.big;
    }
    __device__ __forceinline__ Norm2 down(int o) const {
        return {::down(small, o), ::down(middle, o), ::down(big, o)};
    }
    __device__ __forceinline__ f64 result(i64, f64) const {
        if (big > 0) {
            return sqrt(big + middle * lower() * lower()) / lower();
        }
        if (small > 0 && !(middle > huge())) {
            // a NaN in the middle stays one
            f64 m = sqrt(middle);
            f64 s = sqrt(small) / up();
            f64 high = maximum(m, s);
            f64 share = minimum(m, s) / high;
            return high * sqrt(1 + share * share);
        }
        return sqrt(middle);
    }
};
