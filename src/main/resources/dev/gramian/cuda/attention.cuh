// Rows of attention scores as they go into the softmax: scaled, capped, biased, masked. Macros: ELEMENT, f32 or f64;
// WIDTH scores are read at once; CAP, MASK, BIAS and HEADS, 0 or 1: what there is, HEADS being slopes, sinks, shifts or
// lengths.
//
// Positions that the mask blocks, or that lie outside of the band and the length, are selected to -inf and not read
// where whole vectors of them begin or end a row: nothing that stands there, NaN included, gets into a result. So is a
// bias of -inf.
#include "states.cuh"

typedef ELEMENT C;
typedef Pack<C, WIDTH> Vector;
typedef LogSumExp<C> State;

// The arguments of every kernel. count rows of keys scores (axes: scores, mask, bias), row r of query r mod queries;
// steps of each operand along the keys, 0 where a mask or bias is broadcast. Bit 0 of packed: the mask, bit 1: the bias
// can be read as vectors, as the scores where WIDTH > 1. The query at position i sees keys i + first to i + last, the
// least and the greatest i64 for none, where banded. Of heads (by_head: slopes, sinks, shifts, lengths) null are those
// there are not.
#define SCORES                                                                                                      \
    const C *scores, const b8 *mask, const C *bias, i64 count, Axes<3> axes, i64 queries, u64 by_queries, i64 keys, \
        i64 scores_step, i64 mask_step, i64 bias_step, int packed, C scale, C cap, int banded, i64 first, i64 last, \
        i64 center, const C *slopes, const C *sinks, const i64 *shifts, const i64 *lengths, Axes<4> by_head
#define SCORES_GIVEN                                                                                                   \
    scores, mask, bias, axes, queries, by_queries, keys, scores_step, mask_step, bias_step, packed, scale, cap, banded,\
        first, last, center, slopes, sinks, shifts, lengths, by_head

#define LEAST ((i64)0x8000000000000000ULL)
#define GREATEST 0x7fffffffffffffffLL

// x + y, kept in range.
__device__ __forceinline__ i64 saturated(i64 x, i64 y) {
    i64 sum = (i64)((u64)x + (u64)y);
    return ((x ^ sum) & (y ^ sum)) < 0 ? x < 0 ? LEAST : GREATEST : sum;
}

__device__ __forceinline__ i64 clamp(i64 x, i64 high) { return x < 0 ? 0 : x < high ? x : high; }

struct Row {
    const C* scores;
    const b8* mask;
    const C* bias;
    i64 scores_step, mask_step, bias_step;
    int packed;
    C scale, cap;
    i64 from, to;  // keys that band and length let through
    C sink;        // -inf for none
    C slope;
    i64 center;  // the key at distance 0

    __device__ __forceinline__ Row(i64 row, const C* scores, const b8* mask, const C* bias, const Axes<3>& axes,
                                   i64 queries,
                                   u64 by_queries, i64 keys, i64 scores_step, i64 mask_step, i64 bias_step, int packed,
                                   C scale, C cap, int banded, i64 first, i64 last, i64 center, const C* slopes,
                                   const C* sinks, const i64* shifts, const i64* lengths, const Axes<4>& by_head)
        : scores_step(scores_step), mask_step(mask_step), bias_step(bias_step), packed(packed), scale(scale), cap(cap),
          from(0), to(keys), sink(-INFINITY), slope(0), center(center) {
        i64 at[3];
        locate(axes, row, at);
        this->scores = scores + at[0];
        this->mask = mask + at[1];
        this->bias = bias + at[2];
        i64 i = 0;
        if (banded || HEADS) {
            i = row - quotient(row, queries, by_queries) * queries;
        }
        if (HEADS) {
            i64 head[4];
            locate(by_head, row, head);
            slope = slopes ? slopes[head[0]] : slope;
            sink = sinks ? sinks[head[1]] : sink;
            i = shifts ? saturated(i, shifts[head[2]]) : i;
            to = lengths ? clamp(lengths[head[3]], keys) : to;
        }
        this->center = (i64)((u64)i + (u64)center);
        if (banded) {
            i64 end = last == GREATEST ? keys : clamp(saturated(saturated(i, last), 1), keys);
            to = end < to ? end : to;
            from = first == LEAST ? 0 : clamp(saturated(i, first), to);
        }
    }

    // A vector, element by element where its step is not 1 or it is not aligned.
    template <class T> static __device__ __forceinline__ Pack<T, WIDTH> vector(const T* p, i64 step, bool packed) {
        Pack<T, WIDTH> v;
        if (packed) {
            v = *(const Pack<T, WIDTH>*)p;
        } else {
#pragma unroll
            for (int k = 0; k < WIDTH; k++) {
                v.v[k] = p[k * step];
            }
        }
        return v;
    }

    // N vectors of scores, the first of which begins at key start, the others step keys apart: -inf where not let
    // through. All that is read of one operand is asked for before any of it is used. I is int where keys and steps
    // allow it.
    template <int N, class I> __device__ __forceinline__ void read(C (&s)[N][WIDTH], I start, I step) const {
        Vector x[N];
        Vector b[N];
        Pack<b8, WIDTH> may[N];
        I begin = (I)from;
        I end = (I)to;
#pragma unroll
        for (int i = 0; i < N; i++) {
            I j = start + i * step;
            if (j < end && j + WIDTH > begin) {
                x[i] = *(const Vector*)(scores + (WIDTH > 1 ? j : j * scores_step));
            }
        }
        if (MASK) {
#pragma unroll
            for (int i = 0; i < N; i++) {
                I j = start + i * step;
                if (j < end && j + WIDTH > begin) {
                    may[i] = vector(mask + j * mask_step, mask_step, packed & 1);
                }
            }
        }
        if (BIAS) {
#pragma unroll
            for (int i = 0; i < N; i++) {
                I j = start + i * step;
                if (j < end && j + WIDTH > begin) {
                    b[i] = vector(bias + j * bias_step, bias_step, packed & 2);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < N; i++) {
#pragma unroll
            for (int k = 0; k < WIDTH; k++) {
                I j = start + i * step + k;
                bool open = j >= begin && j < end && (!MASK || may[i].v[k].value);
                C t = x[i].v[k] * scale;
                if (CAP) {
                    t = cap * tanh(t / cap);
                }
                if (BIAS || HEADS) {
                    C added = BIAS ? b[i].v[k] : 0;
                    open &= added != -INFINITY;
                    if (HEADS && slope != 0) {
                        added -= slope * fabs((C)(center - j));
                    }
                    t += added;
                }
                s[i][k] = open ? t : (C)-INFINITY;
            }
        }
    }
};

// A row's weights from its largest score and its sum of exponentials. The sink, -inf for none, is one score more.
struct Weights {
    C largest, sink;
    C top;  // what exponentials are taken over
    C total;
    C factor;
    bool broken;  // NaN or +inf is let through: all that is weighs NaN

    __device__ __forceinline__ Weights(C largest, C sink) : largest(largest), sink(sink), total(0), factor(0) {
        C both = maximum(largest, sink);
        broken = !(largest - largest == 0) && largest != -INFINITY;
        top = both - both == 0 ? both : largest - largest == 0 ? largest : 0;
    }

    // exp(s - top); positions not let through are 0 whatever stands elsewhere
    __device__ __forceinline__ C exponential(C s) const {
        return broken ? s == -INFINITY ? 0 : (C)NAN_F32 : exp(s - top);
    }

    // sum: of the row's exponentials
    __device__ __forceinline__ void sum(C sum) {
        total = sum + exp(sink - top);
        factor = broken ? 1 : total == 0 ? 0 : 1 / total;
    }

    __device__ __forceinline__ C weight(C exponential) const { return exponential == 0 ? 0 : exponential * factor; }

    // Logarithm of the sum of exponentials, -inf for a row with nothing to attend to.
    __device__ __forceinline__ C log_sum() const { return broken ? maximum(largest, sink) : top + log(total); }
};
