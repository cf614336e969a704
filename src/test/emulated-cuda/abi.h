// Between a compiled kernel and the driver: plain C, included by both.
#pragma once

struct emu_index {
    unsigned x, y, z;
};

// Kinds of collective calls.
enum { EMU_SYNC, EMU_SYNC_COUNT, EMU_SYNC_AND, EMU_SYNC_OR };
enum {
    EMU_WARP_SYNC,
    EMU_WARP_SHUFFLE,
    EMU_WARP_BALLOT,
    EMU_WARP_MATCH_ANY,
    EMU_WARP_MATCH_ALL,
    EMU_WARP_ADD,
    EMU_WARP_MIN,
    EMU_WARP_MAX,
    EMU_WARP_MIN_SIGNED,
    EMU_WARP_MAX_SIGNED,
    EMU_WARP_AND,
    EMU_WARP_OR,
    EMU_WARP_XOR,
};

// What kernels call.
struct emu_api {
    // __syncthreads and its kin; line: where it stands in the text.
    int (*barrier)(int kind, int predicate, int line);
    // A collective of the lanes in mask. Shuffles: value of lane `source`.
    unsigned long long (*warp)(int kind, unsigned mask, unsigned long long value, int source, int line);
    unsigned (*active)(void);
    void (*yield)(void);
    int (*print)(const char* format, ...);
    void (*assertion)(const char* expression, int line);
    // A load or store that is not plainly inside of device memory (checked kernels).
    void (*access)(unsigned long long address, unsigned long long bytes, int write);
};

// One in each module.
struct emu_state {
    struct emu_index thread, block, block_size, grid_size;
    unsigned dynamic_bytes;
    unsigned lane;
    const struct emu_api* api;
    // The shadow of device memory (checked kernels).
    unsigned long long shadow_base, shadow_bytes;
    unsigned char* shadow_map;
};

struct emu_kernel_info {
    const char* name;  // null: the end
    void (*call)(void** arguments);
    unsigned count;
    const unsigned* sizes;
    const unsigned* aligns;
    int bound;   // of __launch_bounds__, or 0
    int public_name;  // extern "C" before it, or a lowered name; else the driver looks for a symbol
};
