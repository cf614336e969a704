// What the parts of libcuda.so.1 know of each other. One mutex guards everything: device work, too, runs one piece at a
// time, on the host thread that forces it.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "abi.h"
#include "emu.h"

typedef int CUresult;
typedef unsigned long long CUdeviceptr;
typedef int CUdevice;

enum : CUresult {
    CUDA_SUCCESS = 0,
    CUDA_ERROR_INVALID_VALUE = 1,
    CUDA_ERROR_OUT_OF_MEMORY = 2,
    CUDA_ERROR_NOT_INITIALIZED = 3,
    CUDA_ERROR_INVALID_DEVICE = 101,
    CUDA_ERROR_INVALID_IMAGE = 200,
    CUDA_ERROR_INVALID_CONTEXT = 201,
    CUDA_ERROR_NO_BINARY_FOR_GPU = 209,
    CUDA_ERROR_PEER_ACCESS_UNSUPPORTED = 217,
    CUDA_ERROR_INVALID_PTX = 218,
    CUDA_ERROR_SHARED_OBJECT_INIT_FAILED = 303,
    CUDA_ERROR_INVALID_HANDLE = 400,
    CUDA_ERROR_ILLEGAL_STATE = 401,
    CUDA_ERROR_NOT_FOUND = 500,
    CUDA_ERROR_NOT_READY = 600,
    CUDA_ERROR_ILLEGAL_ADDRESS = 700,
    CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
    CUDA_ERROR_LAUNCH_TIMEOUT = 702,
    CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE = 708,
    CUDA_ERROR_CONTEXT_IS_DESTROYED = 709,
    CUDA_ERROR_ASSERT = 710,
    CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED = 712,
    CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED = 713,
    CUDA_ERROR_ILLEGAL_INSTRUCTION = 715,
    CUDA_ERROR_MISALIGNED_ADDRESS = 716,
    CUDA_ERROR_LAUNCH_FAILED = 719,
    CUDA_ERROR_NOT_SUPPORTED = 801,
    CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900,
    CUDA_ERROR_STREAM_CAPTURE_INVALIDATED = 901,
    CUDA_ERROR_STREAM_CAPTURE_MERGE = 902,
    CUDA_ERROR_STREAM_CAPTURE_UNMATCHED = 903,
    CUDA_ERROR_STREAM_CAPTURE_UNJOINED = 904,
    CUDA_ERROR_STREAM_CAPTURE_IMPLICIT = 906,
    CUDA_ERROR_CAPTURED_EVENT = 907,
    CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD = 908,
    CUDA_ERROR_UNKNOWN = 999,
};

namespace emu {

// ---- Calls (control.cpp) -----------------------------------------------------------------------------------------

extern std::mutex mutex;
using Lock = std::unique_lock<std::mutex>;

// One API function: counted, and where faults strike. Static in each function.
struct Function {
    const char* name;
    long long calls = 0;
    explicit Function(const char* name);
    // The injected status of this call, or 0. The lock is held.
    CUresult strike();
};

extern bool initialised;  // cuInit was called
extern CUresult lost;     // sticky: what every call returns after a failure on the device
extern thread_local bool working;  // this thread runs work, and so holds the lock

// Head of a function: takes the lock, counts, returns injected faults. Device: a query that a lost context does not
// hinder. Plain: needs cuInit and a device that is not lost. Current: needs a current context, too, `context`.
#define EMU_HEAD(function)                               \
    static emu::Function emu_self(#function);            \
    emu::Lock lock(emu::mutex);                          \
    if (CUresult fault = emu_self.strike()) return fault
#define EMU_DEVICE(function) \
    EMU_HEAD(function);      \
    if (!emu::initialised) return CUDA_ERROR_NOT_INITIALIZED
#define EMU_PLAIN(function) \
    EMU_DEVICE(function);   \
    if (emu::lost) return emu::lost
#define EMU_CURRENT(function)                         \
    EMU_PLAIN(function);                              \
    emu::Context* context = emu::current();           \
    if (!context) return CUDA_ERROR_INVALID_CONTEXT

// emu_error with the lock held.
void error(const char* format, ...) __attribute__((format(printf, 1, 2)));
// Records the text and loses the context with that status, as a failing kernel does.
void lose(CUresult status, const char* format, ...) __attribute__((format(printf, 2, 3)));
void launched(const std::string& kernel);
extern long long memory_limit;  // bytes of the pretended card
// The status injected into work that runs now, or 0.
CUresult strike_run();

// ---- Devices and contexts (device.cpp) -----------------------------------------------------------------------------

struct Stream;

struct Context {
    int device;
    bool primary;
    std::unique_ptr<Stream> legacy;
    std::map<unsigned long, std::unique_ptr<Stream>> per_thread;
    std::set<Stream*> streams;  // those created, without the two kinds above
    Context(int device, bool primary);
    ~Context();
};

Context* current();
extern std::set<Context*> contexts;
int device_count();
constexpr long MAX_SHARED = 48 << 10;          // without opting in
constexpr long MAX_SHARED_OPT_IN = 227 << 10;  // with
constexpr int MULTIPROCESSORS = 4;

// ---- Memory (memory.cpp) -------------------------------------------------------------------------------------------

struct Block {
    uintptr_t address;
    size_t bytes;
    size_t room;  // with guard zones and alignment, beginning at address - GUARD
    int device;
    bool async;      // from cuMemAllocAsync
    bool live;       // false: the host has freed it
    uint64_t freed;  // number of the last work before that
    bool ended;      // no work uses it any more: in quarantine
};

// The block that p lies in (or ends), freed ones too; null where there is none.
const Block* find_block(uintptr_t p);
bool is_device(const void* p, size_t bytes);
// Pinned host memory that [p, p+bytes) lies in.
bool is_pinned(const void* p, size_t bytes);
bool in_arena(uintptr_t p);
// Looks whether anything was written outside of allocations. `after` names what ran last, or is null.
void check_guards(const char* after);
size_t live_blocks();
// Frees end when all work is done that was put on streams before them.
void settle_frees();
extern bool frees_wait;

// The checked build of kernels asks here: one byte per 8 bytes of device memory, 8: all valid, 1..7: so many, 0: none.
struct Shadow {
    uintptr_t base;    // of device memory
    size_t bytes;      // all of it
    uint8_t* bytemap;  // bytemap[(p - base) >> 3]
};
extern Shadow shadow;

// ---- Streams (streams.cpp) -----------------------------------------------------------------------------------------

struct Capture;

// A piece of work on a stream, or a mark on it.
struct Work {
    Stream* stream = nullptr;
    uint64_t number = 0;
    void (*run)(void*) = nullptr;
    void (*drop)(void*) = nullptr;
    void* data = nullptr;
    const char* what = "";
    bool host = false;  // a host function: runs on a thread of its own, without the lock
    bool running = false;
    bool done = false;
    double finished = 0;  // ms
    std::vector<std::shared_ptr<Work>> after;
    ~Work();
};
using WorkRef = std::shared_ptr<Work>;

struct Stream {
    static constexpr unsigned MAGIC = 0x53545245;
    unsigned magic = MAGIC;
    Context* context;
    unsigned flags;  // 1: does not wait for the legacy stream
    int priority = 0;
    bool legacy = false;
    uint64_t id;
    std::deque<WorkRef> queue;
    WorkRef tail;  // the last work put here, done or not
    std::shared_ptr<Capture> capture;
    std::vector<int> capture_tail;  // nodes that the next node comes after
    explicit Stream(Context* context, unsigned flags);
    ~Stream();
};

// The stream of a handle; null, with the error recorded, where it is none. 0, 1, 2 are the default streams.
Stream* stream_of(void* handle, Context* context);
// Puts work on a stream, or into the graph that it is captured into.
CUresult put(Lock& lock, Stream* stream, const WorkRef& work);
template <class F>
WorkRef make_work(F&& f, const char* what) {
    using Fn = typename std::remove_reference<F>::type;
    WorkRef w = std::make_shared<Work>();
    w->run = [](void* d) { (*static_cast<Fn*>(d))(); };
    w->drop = [](void* d) { delete static_cast<Fn*>(d); };
    w->data = new Fn(std::forward<F>(f));
    w->what = what;
    return w;
}
// Runs everything up to that work. May give up the lock while host functions run.
void force(Lock& lock, const WorkRef& work);
void force(Lock& lock, Stream* stream);
// Everything that is pending, of one context or (null) of all.
void force_all(Lock& lock, Context* context);
// Runs `body` so that a crash in it is an error of the device. False: it crashed, and the context is lost.
bool guarded(void (*body)(void*), void* data, const char* what);
extern uint64_t last_number;     // of the work put on a stream last
uint64_t oldest_pending();       // number of the oldest work not done; last_number + 1 without any
double milliseconds();

// ---- Graphs (graph.cpp) --------------------------------------------------------------------------------------------

struct Node {
    WorkRef work;
    std::vector<int> after;
};

struct Graph {
    static constexpr unsigned MAGIC = 0x47524150;
    unsigned magic = MAGIC;
    std::vector<Node> nodes;
};

struct Capture {
    Graph* graph;
    Stream* origin;
    int mode;  // 0 global, 1 thread local, 2 relaxed
    unsigned long thread;
    bool broken = false;
    uint64_t id;
    std::set<Stream*> streams;
};

// Captures that are under way, and whether a call that no capture allows (a synchronisation, an allocation) is made
// now: breaks the captures concerned and returns the error.
extern std::set<Capture*> captures;
CUresult unsafe_call();

// ---- Modules (module.cpp, fibers.cpp) ------------------------------------------------------------------------------

struct Module;

struct Launch {
    std::shared_ptr<Module> module;
    const emu_kernel_info* kernel;
    std::string name;
    unsigned grid[3], block[3];
    unsigned dynamic_shared;
    std::shared_ptr<void> values;  // of the arguments
    std::vector<void*> arguments;  // where each of them is
};

// Runs all blocks of a launch. Errors are recorded or lose the context.
void run_grid(const Launch& launch);
// After a crash in work: says what ran and loses the context.
void crash(int signal, void* address, const char* what);
// The signal that ends a kernel which runs for too long, and whether it may now.
int timeout_signal();
bool may_time_out();

struct Module {
    void* library = nullptr;
    std::string file;  // of which the library is a copy
    emu_state* state = nullptr;
    const emu_kernel_info* kernels = nullptr;
    char *shared_begin = nullptr, *shared_end = nullptr;  // __shared__ arrays of all kernels
    char* dynamic = nullptr;                              // MAX_SHARED_OPT_IN bytes
    ~Module();
};

// What runs now (fibers.cpp): null between launches; the thread's number in its block; for errors.
const Launch* running_launch();
int running_thread();
std::string running_block();

// Where kernels are watched for races (races.cpp): at the begin and end of a launch, at the begin of a block, when all
// threads have met, when a warp has.
void races_launch();
void races_block();
void races_barrier();
void races_warp(int warp);

// What device code calls (fibers.cpp).
extern const emu_api device_api;

}  // namespace emu
