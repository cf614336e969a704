// Devices, contexts, error names: the questions a program asks before it works.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>

#include "driver.h"

namespace emu {

std::set<Context*> contexts;

namespace {

constexpr int DEVICES_MOST = 2;
constexpr const char* NAME = "Gramian CUDA emulation (no GPU)";

Context* primary[DEVICES_MOST];
int retained[DEVICES_MOST];
thread_local std::vector<Context*> stack;  // of current contexts

bool device_exists(CUdevice d) {
    return d >= 0 && d < device_count();
}

}  // namespace

Context* current() {
    return stack.empty() || contexts.count(stack.back()) == 0 ? nullptr : stack.back();
}

// GRAMIAN_EMULATED_DEVICES=2 gives a second card.
int device_count() {
    static const char* wanted = getenv("GRAMIAN_EMULATED_DEVICES");
    int n = wanted ? atoi(wanted) : 1;
    return n < 0 ? 0 : n > DEVICES_MOST ? DEVICES_MOST : n;
}

Context::Context(int device, bool primary) : device(device), primary(primary), legacy(new Stream(this, 0)) {
    legacy->legacy = true;
    contexts.insert(this);
}

Context::~Context() {
    contexts.erase(this);
}

}  // namespace emu

using namespace emu;

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT CUresult cuInit(unsigned flags) {
    EMU_HEAD(cuInit);
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    initialised = true;
    return device_count() == 0 ? 100 /* CUDA_ERROR_NO_DEVICE */ : CUDA_SUCCESS;
}

EXPORT CUresult cuDriverGetVersion(int* version) {
    EMU_HEAD(cuDriverGetVersion);
    if (!version) return CUDA_ERROR_INVALID_VALUE;
    *version = 12060;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetCount(int* count) {
    EMU_DEVICE(cuDeviceGetCount);
    if (!count) return CUDA_ERROR_INVALID_VALUE;
    *count = device_count();
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    EMU_DEVICE(cuDeviceGet);
    if (!device) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(ordinal)) return CUDA_ERROR_INVALID_DEVICE;
    *device = ordinal;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    EMU_DEVICE(cuDeviceGetName);
    if (!name || length <= 0) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    snprintf(name, length, "%s", NAME);
    return CUDA_SUCCESS;
}

static CUresult uuid(unsigned char* uuid, CUdevice device) {
    if (!uuid) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    memcpy(uuid, "GramianEmulated", 16);
    uuid[15] = (unsigned char)device;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetUuid(unsigned char* to, CUdevice device) {
    EMU_DEVICE(cuDeviceGetUuid);
    return uuid(to, device);
}

EXPORT CUresult cuDeviceGetUuid_v2(unsigned char* to, CUdevice device) {
    EMU_DEVICE(cuDeviceGetUuid_v2);
    return uuid(to, device);
}

EXPORT CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
    EMU_DEVICE(cuDeviceGetPCIBusId);
    if (!id || length <= 0) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    snprintf(id, length, "0000:%02X:00.0", device + 1);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    EMU_DEVICE(cuDeviceTotalMem_v2);
    if (!bytes) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    *bytes = (size_t)memory_limit;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
    EMU_DEVICE(cuDeviceComputeCapability);
    if (!major || !minor) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    *major = 9;
    *minor = 0;
    return CUDA_SUCCESS;
}

// The values of an H100 where they bear on what a program does; few multiprocessors, so that grids stay small.
EXPORT CUresult cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
    EMU_DEVICE(cuDeviceGetAttribute);
    if (!value) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    switch (attribute) {
        case 1: *value = 1024; break;                // MAX_THREADS_PER_BLOCK
        case 2: case 3: *value = 1024; break;        // MAX_BLOCK_DIM_X, Y
        case 4: *value = 64; break;                  // MAX_BLOCK_DIM_Z
        case 5: *value = 0x7fffffff; break;          // MAX_GRID_DIM_X
        case 6: case 7: *value = 65535; break;       // MAX_GRID_DIM_Y, Z
        case 8: *value = MAX_SHARED; break;          // MAX_SHARED_MEMORY_PER_BLOCK
        case 9: *value = 65536; break;               // TOTAL_CONSTANT_MEMORY
        case 10: *value = 32; break;                 // WARP_SIZE
        case 11: *value = 0x7fffffff; break;         // MAX_PITCH
        case 12: case 82: *value = 65536; break;     // MAX_REGISTERS_PER_BLOCK, _PER_MULTIPROCESSOR
        case 13: *value = 1980000; break;            // CLOCK_RATE, kHz
        case 14: *value = 512; break;                // TEXTURE_ALIGNMENT
        case 15: *value = 1; break;                  // GPU_OVERLAP
        case 16: *value = MULTIPROCESSORS; break;    // MULTIPROCESSOR_COUNT
        case 17: *value = 0; break;                  // KERNEL_EXEC_TIMEOUT
        case 18: *value = 0; break;                  // INTEGRATED
        case 19: *value = 1; break;                  // CAN_MAP_HOST_MEMORY
        case 20: *value = 0; break;                  // COMPUTE_MODE
        case 31: *value = 1; break;                  // CONCURRENT_KERNELS
        case 32: *value = 1; break;                  // ECC_ENABLED
        case 33: *value = device + 1; break;         // PCI_BUS_ID
        case 34: case 50: *value = 0; break;         // PCI_DEVICE_ID, PCI_DOMAIN_ID
        case 35: *value = 0; break;                  // TCC_DRIVER
        case 36: *value = 2619000; break;            // MEMORY_CLOCK_RATE, kHz
        case 37: *value = 5120; break;               // GLOBAL_MEMORY_BUS_WIDTH
        case 38: *value = 50 << 20; break;           // L2_CACHE_SIZE
        case 39: *value = 2048; break;               // MAX_THREADS_PER_MULTIPROCESSOR
        case 40: *value = 3; break;                  // ASYNC_ENGINE_COUNT
        case 41: *value = 1; break;                  // UNIFIED_ADDRESSING
        case 75: *value = 9; break;                  // COMPUTE_CAPABILITY_MAJOR
        case 76: *value = 0; break;                  // COMPUTE_CAPABILITY_MINOR
        case 78: *value = 1; break;                  // STREAM_PRIORITIES_SUPPORTED
        case 81: *value = 228 << 10; break;          // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
        case 83: *value = 0; break;                  // MANAGED_MEMORY
        case 89: *value = 0; break;                  // CONCURRENT_MANAGED_ACCESS
        case 95: *value = 0; break;                  // COOPERATIVE_LAUNCH
        case 97: *value = MAX_SHARED_OPT_IN; break;  // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
        case 106: *value = 32; break;                // MAX_BLOCKS_PER_MULTIPROCESSOR
        case 111: *value = 1 << 10; break;           // RESERVED_SHARED_MEMORY_PER_BLOCK
        case 115: *value = 1; break;                 // MEMORY_POOLS_SUPPORTED
        default:
            if (attribute <= 0 || attribute > 150) return CUDA_ERROR_INVALID_VALUE;
            *value = 0;
    }
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceCanAccessPeer(int* can, CUdevice device, CUdevice peer) {
    EMU_DEVICE(cuDeviceCanAccessPeer);
    if (!can) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device) || !device_exists(peer)) return CUDA_ERROR_INVALID_DEVICE;
    *can = 0;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxEnablePeerAccess(void*, unsigned) {
    EMU_CURRENT(cuCtxEnablePeerAccess);
    return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
}

// ---- Contexts --------------------------------------------------------------------------------------------------------

EXPORT CUresult cuDevicePrimaryCtxRetain(void** context, CUdevice device) {
    EMU_DEVICE(cuDevicePrimaryCtxRetain);
    if (!context) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    if (!primary[device]) {
        primary[device] = new Context(device, true);
    }
    retained[device]++;
    *context = primary[device];
    return CUDA_SUCCESS;
}

static CUresult release(Lock& lock, CUdevice device) {
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    if (retained[device] == 0) return CUDA_ERROR_INVALID_CONTEXT;
    if (--retained[device] == 0) {
        // The real one destroys the context; here it stays for the next to retain it.
        force_all(lock, primary[device]);
    }
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxRelease(CUdevice device) {
    EMU_DEVICE(cuDevicePrimaryCtxRelease);
    return release(lock, device);
}

EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    EMU_DEVICE(cuDevicePrimaryCtxRelease_v2);
    return release(lock, device);
}

EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    EMU_DEVICE(cuDevicePrimaryCtxGetState);
    if (!flags || !active) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    *flags = 0;
    *active = retained[device] > 0;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned) {
    EMU_DEVICE(cuDevicePrimaryCtxSetFlags_v2);
    return device_exists(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

EXPORT CUresult cuCtxCreate_v2(void** context, unsigned, CUdevice device) {
    EMU_DEVICE(cuCtxCreate_v2);
    if (!context) return CUDA_ERROR_INVALID_VALUE;
    if (!device_exists(device)) return CUDA_ERROR_INVALID_DEVICE;
    Context* c = new Context(device, false);
    stack.push_back(c);
    *context = c;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxDestroy_v2(void* handle) {
    EMU_DEVICE(cuCtxDestroy_v2);
    Context* c = static_cast<Context*>(handle);
    if (contexts.count(c) == 0 || c->primary) return CUDA_ERROR_INVALID_CONTEXT;
    force_all(lock, c);
    if (!stack.empty() && stack.back() == c) {
        stack.pop_back();
    }
    delete c;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxSetCurrent(void* handle) {
    EMU_DEVICE(cuCtxSetCurrent);
    Context* c = static_cast<Context*>(handle);
    if (c && contexts.count(c) == 0) return CUDA_ERROR_INVALID_CONTEXT;
    if (!stack.empty()) {
        stack.pop_back();
    }
    if (c) {
        stack.push_back(c);
    }
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetCurrent(void** context) {
    EMU_DEVICE(cuCtxGetCurrent);
    if (!context) return CUDA_ERROR_INVALID_VALUE;
    *context = stack.empty() ? nullptr : stack.back();
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxPushCurrent_v2(void* handle) {
    EMU_DEVICE(cuCtxPushCurrent_v2);
    Context* c = static_cast<Context*>(handle);
    if (!c) return CUDA_ERROR_INVALID_VALUE;
    if (contexts.count(c) == 0) return CUDA_ERROR_INVALID_CONTEXT;
    stack.push_back(c);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxPopCurrent_v2(void** context) {
    EMU_DEVICE(cuCtxPopCurrent_v2);
    if (stack.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    if (context) {
        *context = stack.back();
    }
    stack.pop_back();
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetDevice(CUdevice* device) {
    EMU_DEVICE(cuCtxGetDevice);
    if (!device) return CUDA_ERROR_INVALID_VALUE;
    Context* c = current();
    if (!c) return CUDA_ERROR_INVALID_CONTEXT;
    *device = c->device;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetApiVersion(void*, unsigned* version) {
    EMU_DEVICE(cuCtxGetApiVersion);
    if (!version) return CUDA_ERROR_INVALID_VALUE;
    *version = 12060;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    EMU_CURRENT(cuCtxGetStreamPriorityRange);
    if (least) *least = 0;
    if (greatest) *greatest = -5;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxSetLimit(int, size_t) {
    EMU_CURRENT(cuCtxSetLimit);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxSynchronize() {
    EMU_CURRENT(cuCtxSynchronize);
    // of all streams of the context: not even a relaxed capture allows that
    CUresult r = CUDA_SUCCESS;
    for (Capture* c : captures) {
        if (c->origin->context == context) {
            c->broken = true;
            r = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
        }
    }
    if (r) return r;
    force_all(lock, context);
    check_guards("cuCtxSynchronize");
    return lost;
}

// ---- Errors ----------------------------------------------------------------------------------------------------------

static const struct {
    int code;
    const char* name;
    const char* text;
} ERRORS[] = {
    {0, "CUDA_SUCCESS", "no error"},
    {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {4, "CUDA_ERROR_DEINITIALIZED", "driver shutting down"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "device(s) is/are busy or unavailable"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {200, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {217, "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED", "peer access is not supported between these two devices"},
    {218, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {303, "CUDA_ERROR_SHARED_OBJECT_INIT_FAILED", "shared object initialization failed"},
    {400, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {401, "CUDA_ERROR_ILLEGAL_STATE", "the operation cannot be performed in the present state"},
    {500, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {600, "CUDA_ERROR_NOT_READY", "device not ready"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {702, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"},
    {710, "CUDA_ERROR_ASSERT", "device-side assert triggered"},
    {712, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED", "part or all of the requested memory range is already mapped"},
    {713, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED", "pointer does not correspond to a registered memory region"},
    {715, "CUDA_ERROR_ILLEGAL_INSTRUCTION", "an illegal instruction was encountered"},
    {716, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"},
    {902, "CUDA_ERROR_STREAM_CAPTURE_MERGE", "operation would result in a merge of separate capture sequences"},
    {903, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"},
    {904, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"},
    {906, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {907, "CUDA_ERROR_CAPTURED_EVENT", "operation not permitted on an event last recorded in a capturing stream"},
    {908, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD",
     "attempt to terminate a thread-local capture sequence from another thread"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

EXPORT CUresult cuGetErrorName(CUresult code, const char** name) {
    for (const auto& e : ERRORS) {
        if (e.code == code) {
            *name = e.name;
            return CUDA_SUCCESS;
        }
    }
    *name = nullptr;
    return CUDA_ERROR_INVALID_VALUE;
}

EXPORT CUresult cuGetErrorString(CUresult code, const char** text) {
    for (const auto& e : ERRORS) {
        if (e.code == code) {
            *text = e.text;
            return CUDA_SUCCESS;
        }
    }
    *text = nullptr;
    return CUDA_ERROR_INVALID_VALUE;
}
