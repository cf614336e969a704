// Rows in order, and the first k of them. T: the element type; TILE: slots of a block, which has TILE / 8 threads.
//
// An element is an Item: its key, unsigned and in the order asked for, and its place in the row. All items of a row
// differ, so every way of sorting them gives the same result: stable, whatever the order of threads.
//
// sort_rows: rows of at most TILE elements by a merge sort in shared memory, several short rows to a block.
// select_first: the first k of long rows in passes. A block reads its stretch of a row and keeps what comes before the
// k-th best so far; the survivors of all stretches are the rows of the next pass. Each element is read once, and most
// of a row in no special order is dropped by one comparison.
// make_keys, ranked: before and after the radix sort of rows too long for a block (radix.cu).
//
// A bitonic sort needs no search but moves every element log^2 times: 78 rounds for 4096 against 9 here. Considered for
// the k first: finding the k-th key by radix; it reads a row once per digit.

#define ITEMS 8
#define THREADS (TILE / ITEMS)
#define PADDED(i) ((i) + ((i) >> 3))  // slots of one thread lie 9 apart: in different banks

// ---- order
// -----------------------------------------------------------------------------------------------------------

// Elements as unsigned numbers in their order: NaN above everything and equal to any NaN, both zeros equal.
__device__ __forceinline__ u64 order(f64 x) {
    u64 u = (u64)__double_as_longlong(x + 0.0);  // + 0.0: no negative zero
    return x != x ? ~0ull : u >> 63 ? ~u : u | 1ull << 63;
}

__device__ __forceinline__ u32 order(f32 x) {
    u32 u = __float_as_uint(x + 0.0f);
    return x != x ? ~0u : u >> 31 ? ~u : u | 1u << 31;
}

__device__ __forceinline__ u32 order_half(u32 bits, u32 infinite) {
    u32 magnitude = bits & 0x7fffu;
    return magnitude > infinite ? 0xffffu : bits >> 15 ? 0x8000u - magnitude : 0x8000u + magnitude;
}

__device__ __forceinline__ u32 order(f16 x) { return order_half(x.bits, 0x7c00u); }
__device__ __forceinline__ u32 order(bf16 x) { return order_half(x.bits, 0x7f80u); }
__device__ __forceinline__ u64 order(i64 x) { return (u64)x ^ 1ull << 63; }
__device__ __forceinline__ u32 order(i32 x) { return (u32)x ^ 1u << 31; }
__device__ __forceinline__ u32 order(u8 x) { return x; }
__device__ __forceinline__ u32 order(b8 x) { return x.value; }

// ---- items
// -----------------------------------------------------------------------------------------------------------

template <int BYTES> struct Item;

// Keys of up to four bytes: key and place in one number.
template <> struct Item<4> {
    u64 both;
    __device__ __forceinline__ Item() : both(~0ull) {}
    __device__ __forceinline__ Item(u32 key, u32 place) : both((u64)key << 32 | place) {}
    __device__ __forceinline__ Item(const u64* keys, const u32*, i64 i) : both(keys[i]) {}
    __device__ __forceinline__ u32 place() const { return (u32)both; }
    __device__ __forceinline__ bool before(const Item& o) const { return both < o.both; }
    __device__ __forceinline__ void write(u64* keys, u32*, i64 i) const { keys[i] = both; }
};

template <> struct Item<8> {
    u64 key;
    u32 at;
    __device__ __forceinline__ Item() : key(~0ull), at(~0u) {}
    __device__ __forceinline__ Item(u64 k, u32 place) : key(k), at(place) {}
    __device__ __forceinline__ Item(const u64* keys, const u32* places, i64 i) : key(keys[i]), at(places[i]) {}
    __device__ __forceinline__ u32 place() const { return at; }
    __device__ __forceinline__ bool before(const Item& o) const { return key < o.key || key == o.key && at < o.at; }
    __device__ __forceinline__ void write(u64* keys, u32* places, i64 i) const {
        keys[i] = key;
        places[i] = at;
    }
};

#define WIDE (sizeof(T) == 8)
typedef Item<WIDE ? 8 : 4> Entry;  // Entry() comes after all others: it fills what a row leaves of its slots

// A block's slots in shared memory.
struct Slots {
    u64* keys;
    u32* places;
    __device__ __forceinline__ Entry get(int i) const { return Entry(keys, places, PADDED(i)); }
    __device__ __forceinline__ void set(int i, const Entry& e) const { e.write(keys, places, PADDED(i)); }
};

#define SLOTS(name)                                           \
    __shared__ u64 name##_keys[PADDED(TILE)];                  \
    __shared__ u32 name##_places[WIDE ? PADDED(TILE) : 1];     \
    Slots name = {name##_keys, name##_places}

__device__ __forceinline__ void exchange(Entry& a, Entry& b) {
    if (b.before(a)) {
        Entry t = a;
        a = b;
        b = t;
    }
}

// Sorts each stretch of width slots of the first `used`; both powers of two, 8 <= width <= used <= TILE. A barrier
// before (the slots are written) and one after.
__device__ __forceinline__ void sort_slots(Slots s, int width, int used) {
    int first = threadIdx.x * ITEMS;
    bool busy = first < used;
    Entry x[ITEMS];
    __syncthreads();
    if (busy) {
        #pragma unroll
        for (int i = 0; i < ITEMS; i++) {
            x[i] = s.get(first + i);
        }
        // Batcher's network for 8
        exchange(x[0], x[1]); exchange(x[2], x[3]); exchange(x[4], x[5]); exchange(x[6], x[7]);
        exchange(x[0], x[2]); exchange(x[1], x[3]); exchange(x[4], x[6]); exchange(x[5], x[7]);
        exchange(x[1], x[2]); exchange(x[5], x[6]);
        exchange(x[0], x[4]); exchange(x[1], x[5]); exchange(x[2], x[6]); exchange(x[3], x[7]);
        exchange(x[2], x[4]); exchange(x[3], x[5]);
        exchange(x[1], x[2]); exchange(x[3], x[4]); exchange(x[5], x[6]);
        #pragma unroll
        for (int i = 0; i < ITEMS; i++) {
            s.set(first + i, x[i]);
        }
    }
    __syncthreads();
    // pairs of sorted lists of w slots: each thread finds where its 8 of the merged list begin in both
    for (int w = ITEMS; w < width; w *= 2) {
        if (busy) {
            int a = first & ~(2 * w - 1);
            int b = a + w;
            int diagonal = first - a;
            int low = diagonal > w ? diagonal - w : 0;
            int high = diagonal < w ? diagonal : w;
            while (low < high) {
                int middle = (low + high) >> 1;
                if (s.get(b + diagonal - 1 - middle).before(s.get(a + middle))) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            int i = low;
            int j = diagonal - low;
            Entry p = i < w ? s.get(a + i) : Entry();
            Entry q = j < w ? s.get(b + j) : Entry();
            #pragma unroll
            for (int o = 0; o < ITEMS; o++) {
                if (j >= w || i < w && !q.before(p)) {
                    x[o] = p;
                    i++;
                    p = i < w ? s.get(a + i) : Entry();
                } else {
                    x[o] = q;
                    j++;
                    q = j < w ? s.get(b + j) : Entry();
                }
            }
        }
        __syncthreads();
        if (busy) {
            #pragma unroll
            for (int i = 0; i < ITEMS; i++) {
                s.set(first + i, x[i]);
            }
        }
        __syncthreads();
    }
}

// ---- rows
// ------------------------------------------------------------------------------------------------------------

// Rows along one axis of x: where they begin (others: all other axes), the step along them; results have k in place of
// n on that axis, inner elements behind it.
struct Rows {
    const T* x;
    i64 step;
    i64 k;
    i64 inner;
    T* values;
    i64* indices;

    __device__ __forceinline__ void write(const T* row, i64 number, i64 j, u32 place) const {
        i64 outer = inner == 1 ? number : number / inner;
        i64 to = outer * k * inner + (number - outer * inner) + j * inner;
        values[to] = row[(i64)place * step];
        indices[to] = place;
    }
};

__device__ __forceinline__ Entry entry(T x, u32 place, u64 flip) {
    return Entry(order(x) ^ (decltype(order(x)))flip, place);
}

// The first k of rows of n <= width <= TILE elements; flip: 0, or ones for all bits of a key to turn the order.
extern "C" __global__ void __launch_bounds__(THREADS)
sort_rows(i64 rows, i32 n, i32 width, u64 flip, Axes<1> others, const T* x, i64 step, i64 k, i64 inner, T* values,
          i64* indices) {
    SLOTS(s);
    Rows out = {x, step, k, inner, values, indices};
    int each = TILE / width;
    // neighbouring threads take neighbouring elements: of a row, or of rows that lie side by side
    bool across = step != 1 && each > 1;
    int shift = 31 - __clz(across ? each : width);
    int mask = (1 << shift) - 1;
    i64 row0 = (i64)blockIdx.x * each;
    #pragma unroll
    for (int q = 0; q < ITEMS; q++) {
        int u = q * THREADS + threadIdx.x;
        int r = across ? u & mask : u >> shift;
        int i = across ? u >> shift : u & mask;
        Entry e;
        if (i < n && row0 + r < rows) {
            i64 at[1];
            locate(others, row0 + r, at);
            e = entry(x[at[0] + i * step], i, flip);
        }
        s.set(r * width + i, e);
    }
    sort_slots(s, width, TILE);
    #pragma unroll
    for (int q = 0; q < ITEMS; q++) {
        int u = q * THREADS + threadIdx.x;
        int r = across ? u & mask : u >> shift;
        int i = across ? u >> shift : u & mask;
        if (i < k && row0 + r < rows) {
            i64 at[1];
            locate(others, row0 + r, at);
            out.write(x + at[0], row0 + r, i, s.get(r * width + i).place());
        }
    }
}

// ---- the first k of long rows
// ----------------------------------------------------------------------------------------

#define STEP 4
#define HALF (TILE / 2)

// k <= HALF. Each row has n elements, of x or, where keys is not 0, of the items that a pass before has left; a block
// takes one of `stretches` of `length` elements. Its first k go to to_keys and to_places, or to the results where
// stretches is 1.
extern "C" __global__ void __launch_bounds__(THREADS)
select_first(i64 n, i64 stretches, i64 length, u64 flip, Axes<1> others, const T* x, i64 step, i64 k, i64 inner,
             T* values, i64* indices, const u64* keys, const u32* places, u64* to_keys, u32* to_places) {
    SLOTS(s);
    __shared__ int count;
    i64 row = (i64)blockIdx.x / stretches;
    i64 stretch = (i64)blockIdx.x - row * stretches;
    i64 from = stretch * length;
    i64 to = from + length < n ? from + length : n;
    i64 at[1];
    locate(others, row, at);
    const T* line = x + at[0];
    int kept = 0;  // entries in the slots
    Entry limit;   // the k-th of those that were looked at when they were sorted
    bool limited = false;
    Entry ahead[STEP];
    if (threadIdx.x == 0) {
        count = 0;
    }
    for (i64 base = from; base < to + STEP * THREADS; base += STEP * THREADS) {
        Entry now[STEP];
        #pragma unroll
        for (int q = 0; q < STEP; q++) {
            now[q] = ahead[q];
            i64 i = base + q * THREADS + threadIdx.x;
            ahead[q] = i >= to ? Entry()
                : keys ? Entry(keys, places, row * n + i) : entry(line[i * step], (u32)i, flip);
        }
        if (base == from) {
            continue;  // nothing has been read before
        }
        bool last = base >= to;
        int mine = 0;
        #pragma unroll
        for (int q = 0; q < STEP; q++) {
            mine += now[q].before(limit);
        }
        if (__syncthreads_or(mine)) {
            if (mine) {
                int slot = atomicAdd(&count, mine);
                #pragma unroll
                for (int q = 0; q < STEP; q++) {
                    if (now[q].before(limit)) {
                        s.set(slot++, now[q]);
                    }
                }
            }
            __syncthreads();
            kept = count;
        }
        if (last || kept > HALF || !limited && kept >= k) {
            int used = ITEMS;
            while (used < kept) {
                used *= 2;
            }
            for (int i = kept + threadIdx.x; i < used; i += THREADS) {
                s.set(i, Entry());
            }
            sort_slots(s, used, used);
            kept = kept < k ? kept : (int)k;
            if (threadIdx.x == 0) {
                count = kept;
            }
            limited = kept == k;
            limit = limited ? s.get(kept - 1) : Entry();
        }
    }
    Rows out = {x, step, k, inner, values, indices};
    for (int j = threadIdx.x; j < k; j += THREADS) {
        Entry e = j < kept ? s.get(j) : Entry();
        if (stretches == 1) {
            out.write(line, row, j, e.place());
        } else {
            e.write(to_keys, to_places, (i64)blockIdx.x * k + j);
        }
    }
}

// ---- around the radix sort
// -------------------------------------------------------------------------------------------

typedef decltype(order(T())) Key;

// keys of elements first to first + count of the rows, row after row; rows: all axes, that of the rows last.
extern "C" __global__ void make_keys(i64 first, i64 count, Axes<1> rows, u64 flip, const T* x, Key* keys) {
    for (i64 i = GRID_START; i < count; i += GRID_STEP) {
        i64 at[1];
        locate(rows, first + i, at);
        keys[i] = order(x[at[0]]) ^ (Key)flip;
    }
}

// Results from places: element i of first to first + count lies at at[0] of the results, at[1] of the places, in the
// row of x that begins at at[2].
extern "C" __global__ void ranked(i64 first, i64 count, Axes<3> axes, const u32* places, const T* x, i64 step,
                                  T* values, i64* indices) {
    for (i64 i = GRID_START; i < count; i += GRID_STEP) {
        i64 at[3];
        locate(axes, first + i, at);
        u32 place = places[at[1]];
        values[at[0]] = x[at[2] + (i64)place * step];
        indices[at[0]] = place;
    }
}
