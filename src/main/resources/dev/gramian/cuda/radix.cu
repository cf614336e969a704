// Stable sort of long rows of keys (K: u32 or u64) with their places, from the lowest byte up: a pass per byte of the
// element type. Rows follow one another, n elements each, in tiles of TILE; all rows go through a pass together.
//
// A pass: count writes how often each byte value occurs in a tile; spans turns the counts of SPAN tiles into sums over
// the tiles before, and leaves the total of the span; bases does the same for the spans of a row and adds where a value
// begins in it; scatter then knows where its tile's keys of each value go. 20 bytes of traffic for an element of four
// bytes and a pass. One kernel a pass, in which tiles wait for the sums of earlier ones, moves 16, but hangs where
// blocks do not run in order; it can come when there is a card to try it on.
//
// No float is added and no place depends on the order of threads: the same rows give the same bits.

#define THREADS 256
#define WARPS (THREADS / 32)
#define EACH 16
#define TILE (THREADS * EACH)
#define VALUES 256
#define SPAN 64

__device__ __forceinline__ u32 byte_of(K key, i32 shift) { return (u32)(key >> shift) & 255u; }

// Lanes of the warp that hold the same byte.
__device__ __forceinline__ u32 alike(u32 byte) {
    u32 r = FULL_WARP;
    #pragma unroll
    for (int b = 0; b < 8; b++) {
        u32 bit = byte >> b & 1u;
        u32 votes = __ballot_sync(FULL_WARP, bit);
        r &= bit ? votes : ~votes;
    }
    return r;
}

// One block per tile; counts (rows, tiles, VALUES).
extern "C" __global__ void __launch_bounds__(THREADS) count(i64 n, i64 tiles, const K* keys, i32 shift, u32* counts) {
    __shared__ u32 sum[VALUES];
    sum[threadIdx.x] = 0;
    __syncthreads();
    i64 row = (i64)blockIdx.x / tiles;
    i64 from = ((i64)blockIdx.x - row * tiles) * TILE;
    const K* line = keys + row * n;
    #pragma unroll
    for (int q = 0; q < EACH; q++) {
        i64 i = from + q * THREADS + threadIdx.x;
        bool there = i < n;
        u32 byte = there ? byte_of(line[i], shift) : VALUES;
        // high bytes are often all the same: one addition then, not 32 in turn
        u32 first = __shfl_sync(FULL_WARP, byte, 0);
        if (__ballot_sync(FULL_WARP, byte == first) == FULL_WARP) {
            if (LANE == 0 && there) {
                atomicAdd(&sum[byte], 32u);
            }
        } else if (there) {
            atomicAdd(&sum[byte], 1u);
        }
    }
    __syncthreads();
    counts[(i64)blockIdx.x * VALUES + threadIdx.x] = sum[threadIdx.x];
}

// One block per span, a thread per value; totals (rows, spans, VALUES).
extern "C" __global__ void __launch_bounds__(VALUES) spans(i64 tiles, i64 spans, u32* counts, u32* totals) {
    i64 row = (i64)blockIdx.x / spans;
    i64 first = ((i64)blockIdx.x - row * spans) * SPAN;
    i64 end = first + SPAN < tiles ? first + SPAN : tiles;
    u32* at = counts + (row * tiles) * VALUES + threadIdx.x;
    u32 sum = 0;
    #pragma unroll 8
    for (i64 t = first; t < end; t++) {
        u32 c = at[t * VALUES];
        at[t * VALUES] = sum;
        sum += c;
    }
    totals[(i64)blockIdx.x * VALUES + threadIdx.x] = sum;
}

// Sum of x over the threads before, of a block of VALUES threads.
__device__ __forceinline__ u32 sum_before(u32 x, u32* shared) {
    u32 s = x;
    for (int o = 1; o < 32; o *= 2) {
        u32 y = __shfl_up_sync(FULL_WARP, s, o);
        s += LANE >= o ? y : 0;
    }
    if (LANE == 31) {
        shared[threadIdx.x >> 5] = s;
    }
    __syncthreads();
    u32 base = 0;
    for (int w = 0; w < VALUES / 32; w++) {
        base += w < (int)(threadIdx.x >> 5) ? shared[w] : 0;
    }
    return base + s - x;
}

// One block per row.
extern "C" __global__ void __launch_bounds__(VALUES) bases(i64 spans, u32* totals) {
    __shared__ u32 shared[VALUES / 32];
    u32* at = totals + (i64)blockIdx.x * spans * VALUES + threadIdx.x;
    u32 sum = 0;
    #pragma unroll 8
    for (i64 s = 0; s < spans; s++) {
        sum += at[s * VALUES];
    }
    sum = sum_before(sum, shared);
    #pragma unroll 8
    for (i64 s = 0; s < spans; s++) {
        u32 c = at[s * VALUES];
        at[s * VALUES] = sum;
        sum += c;
    }
}

// One block per tile. places 0: those of the first pass, where each element is still at its own. to_keys 0: nobody
// needs them after the last. Keys are put in order within the tile first, so that those of one value are written side
// by side.
extern "C" __global__ void __launch_bounds__(THREADS, sizeof(K) == 4 ? 3 : 2)
scatter(i64 n, i64 tiles, i64 spans, const K* keys, const u32* places, i32 shift, const u32* counts, const u32* totals,
        K* to_keys, u32* to_places) {
    __shared__ union {
        K keys[TILE];
        u32 places[TILE];
    } staged;
    __shared__ u32 before[WARPS][VALUES];  // elements of a value in this tile and earlier warps; then where they go
    __shared__ u32 target[VALUES];         // from a position in the ordered tile to one in the row
    __shared__ u32 shared[VALUES / 32];
    i64 row = (i64)blockIdx.x / tiles;
    i64 tile = (i64)blockIdx.x - row * tiles;
    i64 from = tile * TILE;
    i32 here = n - from < TILE ? (i32)(n - from) : TILE;
    int warp = threadIdx.x >> 5;
    keys += row * n;
    for (int w = 0; w < WARPS; w++) {
        before[w][threadIdx.x] = 0;
    }
    __syncthreads();

    // a warp has EACH * 32 elements in a row, 32 at a time, so that the sort is stable
    K key[EACH];
    u32 rank[EACH];
    #pragma unroll
    for (int q = 0; q < EACH; q++) {
        int i = (warp * EACH + q) * 32 + LANE;
        key[q] = i < here ? keys[from + i] : ~(K)0;  // after all others, never written
    }
    #pragma unroll
    for (int q = 0; q < EACH; q++) {
        u32 byte = byte_of(key[q], shift);
        u32 same = alike(byte);
        u32 earlier = same & ((1u << LANE) - 1u);
        u32 sum = before[warp][byte];
        rank[q] = sum + __popc(earlier);
        __syncwarp();
        if (earlier == 0) {
            before[warp][byte] = sum + __popc(same);
        }
        __syncwarp();
    }
    __syncthreads();

    u32 sum = 0;
    for (int w = 0; w < WARPS; w++) {
        u32 c = before[w][threadIdx.x];
        before[w][threadIdx.x] = sum;
        sum += c;
    }
    u32 start = sum_before(sum, shared);
    target[threadIdx.x] = counts[(i64)blockIdx.x * VALUES + threadIdx.x]
        + totals[(row * spans + tile / SPAN) * VALUES + threadIdx.x] - start;
    for (int w = 0; w < WARPS; w++) {
        before[w][threadIdx.x] += start;
    }
    __syncthreads();

    #pragma unroll
    for (int q = 0; q < EACH; q++) {
        rank[q] += before[warp][byte_of(key[q], shift)];
        staged.keys[rank[q]] = key[q];
    }
    __syncthreads();
    u32 to[EACH];
    #pragma unroll
    for (int q = 0; q < EACH; q++) {
        int i = q * THREADS + threadIdx.x;
        K k = staged.keys[i];
        to[q] = target[byte_of(k, shift)] + i;
        if (to_keys && i < here) {
            to_keys[row * n + to[q]] = k;
        }
    }
    __syncthreads();
    #pragma unroll
    for (int q = 0; q < EACH; q++) {
        int i = (warp * EACH + q) * 32 + LANE;
        u32 place = (u32)(from + i);
        if (places && i < here) {
            place = places[row * n + from + i];
        }
        staged.places[rank[q]] = place;
    }
    __syncthreads();
    #pragma unroll
    for (int q = 0; q < EACH; q++) {
        int i = q * THREADS + threadIdx.x;
        if (i < here) {
            to_places[row * n + to[q]] = staged.places[i];
        }
    }
}
