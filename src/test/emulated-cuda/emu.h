// The contract between the parts of the CUDA emulation: what libcuda.so.1 exports beside the driver API.
//
// The stand-ins for cuBLAS, cuSOLVER and NVRTC are built against this header alone; Java tests reach the control half
// through java.lang.foreign. Everything is callable from any thread.
#pragma once
#include <stddef.h>

// Everything is compiled with hidden visibility; this exports one function of a library's API.
#define EMU_EXPORT extern "C" __attribute__((visibility("default")))

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

// ---- For libraries ---------------------------------------------------------------------------------------------

// Marks the emulation: no real libcuda has this symbol. Its value is the version of this contract.
extern const int gramian_emulated_cuda;

// Puts work on a stream (NULL = the legacy default stream): fn(data) runs in stream order, on whatever thread forces
// the stream; drop(data), where not NULL, runs once after the last run. A stream that is being captured takes the work
// into the graph instead, where fn(data) runs once per launch: fn must not consume data. Host values that the real
// library reads at the call (alpha, beta in host pointer mode) have to be copied into data before. `what` names the
// work in messages and counters and must outlive the call (a literal).
void emu_enqueue(void* stream, void (*fn)(void*), void (*drop)(void*), void* data, const char* what);

// Whether [p, p+bytes) lies inside one live device allocation. Empty ranges need a p inside or at the end of one.
int emu_is_device(const void* p, size_t bytes);

// To be asked at the head of every API function: the status injected for this call by emu_inject, or 0.
int emu_fault(const char* function);

// The CUresult that every call returns since emu_lose_device or since a kernel failed, or 0. Libraries answer it with
// their own "execution failed".
int emu_lost(void);

// Whether the calling thread has a current context; libraries answer "not initialized" without one.
int emu_has_context(void);

// Records a misuse: reported by emu_take_errors and on stderr. printf-like.
void emu_error(const char* text, ...) __attribute__((format(printf, 1, 2)));

// ---- For tests -------------------------------------------------------------------------------------------------

// The nth call (1 = the next) of the function returns the status, once. Names as exported, a trailing _v2 or _v3 may be
// left out. nth 0: every call. "*" is any function. The pseudo function "run" is work on a stream at the moment it
// runs: the work is not done and the context is lost with that status, as after a failing kernel.
void emu_inject(const char* function, int nth, int status);
// Forgets all injected faults and finds a lost device again.
void emu_reset_faults(void);
// Every call from now on returns the status.
void emu_lose_device(int status);

// Device memory that was allocated and not freed, over all devices.
long long emu_live_bytes(void);
long long emu_live_blocks(void);
// The same for pinned host memory.
long long emu_pinned_bytes(void);

// Copies the recorded errors, one per line, into the buffer (NUL-terminated, cut at size) and forgets them. Returns how
// many there were. Checks all guard zones first.
int emu_take_errors(char* buffer, size_t size);

// 0 lazy (default): work runs as late as the API allows; 1 eager: when it is put on a stream.
void emu_set_mode(int mode);

// The size of the pretended card, for all devices. 0: the default.
void emu_set_memory(long long bytes);

// How often things happened since the library was loaded: kernel launches that ran, by name, and calls of an API
// function. NULL: all of them.
long long emu_launches(const char* kernel);
long long emu_calls(const char* function);

// Work that is waiting on all streams.
long long emu_pending(void);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#ifdef __cplusplus
#include <type_traits>
#include <utility>

namespace emu {
// emu_enqueue for anything callable; its captures are the copied arguments.
template <class F>
void enqueue(void* stream, F&& work, const char* what) {
    using Work = typename std::remove_reference<F>::type;
    emu_enqueue(
        stream, [](void* data) { (*static_cast<Work*>(data))(); }, [](void* data) { delete static_cast<Work*>(data); },
        new Work(std::forward<F>(work)), what);
}
}  // namespace emu
#endif
