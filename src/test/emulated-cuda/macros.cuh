// For the first pass over kernel text: CUDA's keywords become names that the second pass, and the search for kernels
// between the two, can tell apart. Calls whose place matters take their line along.
#define GRAMIAN_EMULATED 1
#define __CUDACC__ 1
#define __CUDACC_RTC__ 1
#define __CUDACC_VER_MAJOR__ 12
#define __CUDACC_VER_MINOR__ 6
#define __CUDACC_VER_BUILD__ 0
#define __NVCC__ 1

#define __global__ __emu_global__
#define __device__ __emu_device__
#define __host__
#define __shared__ __emu_shared__
#define __constant__ __emu_constant__
#define __managed__ static_assert(false, "__managed__ is not emulated")
#define __launch_bounds__(...) __emu_bounds__(__VA_ARGS__)
#define __grid_constant__
#define __cluster_dims__(...) static_assert(false, "clusters are not emulated")
#define __restrict__ __restrict
#define __forceinline__ inline __attribute__((always_inline))
#define __inline_hint__ inline
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))

#define threadIdx emu_thread_idx
#define blockIdx emu_block_idx
#define blockDim emu_block_dim
#define gridDim emu_grid_dim
#define warpSize 32

#define __syncthreads() emu_here.api->barrier(EMU_SYNC, 0, __LINE__)
#define __syncthreads_count(p) emu_here.api->barrier(EMU_SYNC_COUNT, (p) != 0, __LINE__)
#define __syncthreads_and(p) emu_here.api->barrier(EMU_SYNC_AND, (p) != 0, __LINE__)
#define __syncthreads_or(p) emu_here.api->barrier(EMU_SYNC_OR, (p) != 0, __LINE__)
#define __syncwarp(...) emu_syncwarp(__LINE__, ##__VA_ARGS__)
#define __shfl_sync(...) emu_shfl(__LINE__, __VA_ARGS__)
#define __shfl_up_sync(...) emu_shfl_up(__LINE__, __VA_ARGS__)
#define __shfl_down_sync(...) emu_shfl_down(__LINE__, __VA_ARGS__)
#define __shfl_xor_sync(...) emu_shfl_xor(__LINE__, __VA_ARGS__)
#define __ballot_sync(mask, p) emu_ballot(__LINE__, mask, p)
#define __any_sync(mask, p) (emu_ballot(__LINE__, mask, p) != 0)
#define __all_sync(mask, p) (emu_ballot(__LINE__, mask, !(p)) == 0)
#define __match_any_sync(mask, v) emu_match_any(__LINE__, mask, v)
#define __match_all_sync(mask, v, p) emu_match_all(__LINE__, mask, v, p)
#define __reduce_add_sync(mask, v) emu_reduce(__LINE__, EMU_WARP_ADD, EMU_WARP_ADD, mask, v)
#define __reduce_min_sync(mask, v) emu_reduce(__LINE__, EMU_WARP_MIN, EMU_WARP_MIN_SIGNED, mask, v)
#define __reduce_max_sync(mask, v) emu_reduce(__LINE__, EMU_WARP_MAX, EMU_WARP_MAX_SIGNED, mask, v)
#define __reduce_and_sync(mask, v) emu_reduce(__LINE__, EMU_WARP_AND, EMU_WARP_AND, mask, v)
#define __reduce_or_sync(mask, v) emu_reduce(__LINE__, EMU_WARP_OR, EMU_WARP_OR, mask, v)
#define __reduce_xor_sync(mask, v) emu_reduce(__LINE__, EMU_WARP_XOR, EMU_WARP_XOR, mask, v)

#define printf(...) emu_here.api->print(__VA_ARGS__)
#define assert(e) ((e) ? (void)0 : emu_here.api->assertion(#e, __LINE__))
#define __trap() __builtin_trap()
#define __builtin_assume(e) ((void)0)
#define __builtin_align__(n) __align__(n)
