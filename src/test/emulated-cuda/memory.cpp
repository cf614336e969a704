// Device memory: host memory with guard zones around each block, filled with NaN patterns when it comes and when it goes.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

#include "driver.h"

namespace emu {

Shadow shadow;
bool frees_wait = false;

namespace {

constexpr size_t ARENA = size_t(64) << 30;  // address space of a device
constexpr size_t DEVICES = 2;
constexpr size_t ALIGN = 512;
constexpr size_t GUARD = 512;
constexpr int FRESH = 0xff;   // NaN in every floating type, -1 in integers
constexpr int GUARDED = 0x7f;
constexpr int FREED = 0xfe;   // NaN or below -1e38
// Of large blocks only so much is filled, and they are not mapped in the shadow: both would take memory for good.
constexpr size_t FILL = size_t(4) << 20;
constexpr size_t SHADOWED = size_t(256) << 20;
constexpr size_t QUARANTINE_BYTES = size_t(32) << 20;
constexpr size_t QUARANTINE_BLOCKS = 512;

std::map<uintptr_t, Block> blocks;         // by address; live, waiting to be freed, in quarantine
std::map<uintptr_t, size_t> holes;         // free address space
std::deque<uintptr_t> waiting;             // freed by the host, maybe still used by work
std::deque<uintptr_t> quarantine;
size_t quarantined = 0;
size_t used[DEVICES];                      // rounded bytes of live blocks and of those waiting
long long live_bytes = 0, live_count = 0;

struct Pinned {
    size_t bytes;
    bool registered;
};
std::map<uintptr_t, Pinned> pinned;
constexpr size_t PAGE = 4096;

size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

void reserve() {
    if (shadow.base) {
        return;
    }
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* a = mmap(nullptr, ARENA * DEVICES, PROT_READ | PROT_WRITE, flags, -1, 0);
    void* s = mmap(nullptr, ARENA * DEVICES / 8, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (a == MAP_FAILED || s == MAP_FAILED) {
        fprintf(stderr, "emulated CUDA: no address space for device memory\n");
        abort();
    }
    madvise(a, ARENA * DEVICES, MADV_NOHUGEPAGE);
    madvise(s, ARENA * DEVICES / 8, MADV_NOHUGEPAGE);
    shadow = {reinterpret_cast<uintptr_t>(a), ARENA * DEVICES, static_cast<uint8_t*>(s)};
    for (size_t d = 0; d < DEVICES; d++) {
        holes[shadow.base + d * ARENA + (d > 0 ? PAGE : 0)] = ARENA - PAGE;  // never adjacent
    }
}

void fill(const Block& b, int value) {
    char* p = reinterpret_cast<char*>(b.address);
    memset(p, value, std::min(b.bytes, FILL));
    if (b.bytes > FILL) {
        size_t tail = std::min(b.bytes - FILL, PAGE);
        memset(p + b.bytes - tail, value, tail);
    }
}

bool all(uintptr_t from, size_t bytes, int value) {
    const unsigned char* p = reinterpret_cast<const unsigned char*>(from);
    return bytes == 0 || (p[0] == value && memcmp(p, p + 1, bytes - 1) == 0);
}

// Where kernels run under AddressSanitizer (make SANITIZE=1) it is told what is memory; in any other process these are 0.
extern "C" void __asan_poison_memory_region(const volatile void*, size_t) __attribute__((weak));
extern "C" void __asan_unpoison_memory_region(const volatile void*, size_t) __attribute__((weak));

void set_shadow(const Block& b, bool valid) {
    if (__asan_poison_memory_region) {
        __asan_poison_memory_region(reinterpret_cast<void*>(b.address - GUARD), b.room);
        if (valid) {
            __asan_unpoison_memory_region(reinterpret_cast<void*>(b.address), b.bytes);
        }
    }
    if (b.bytes > SHADOWED) {
        return;
    }
    uint8_t* s = shadow.bytemap + ((b.address - shadow.base) >> 3);
    memset(s, valid ? 8 : 0, b.bytes >> 3);
    if (b.bytes & 7) {
        s[b.bytes >> 3] = valid ? b.bytes & 7 : 0;
    }
}

uintptr_t front(const Block& b) {
    return b.address - GUARD;
}

size_t tail(const Block& b) {
    return b.room - GUARD - b.bytes;
}

// How a block is called in messages.
std::string text(const Block& b) {
    char t[96];
    snprintf(t, sizeof t, "%s block %p of %zu bytes", b.live ? "device" : "freed device", (void*)b.address, b.bytes);
    return t;
}

bool check_block(const Block& b, const char* after) {
    bool before = !all(front(b), GUARD, GUARDED);
    bool behind = !all(b.address + b.bytes, tail(b), GUARDED);
    if (before || behind) {
        size_t at = 0;
        const unsigned char* p =
            reinterpret_cast<const unsigned char*>(before ? front(b) : b.address + b.bytes);
        while (p[at] == GUARDED) at++;
        error("memory was written %s %s, first at byte %lld of it; noticed after %s", before ? "before" : "behind",
              text(b).c_str(), before ? (long long)at - (long long)GUARD : (long long)(b.bytes + at),
              after ? after : "the test");
        memset(reinterpret_cast<void*>(front(b)), GUARDED, GUARD);
        memset(reinterpret_cast<void*>(b.address + b.bytes), GUARDED, tail(b));
    }
    return !(before || behind);
}

void check_freed(const Block& b) {
    size_t head = std::min(b.bytes, FILL);
    if (!all(b.address, head, FREED)) {
        size_t at = 0;
        const unsigned char* p = reinterpret_cast<const unsigned char*>(b.address);
        while (p[at] == FREED) at++;
        error("%s was written after it was freed, first at byte %zu", text(b).c_str(), at);
        memset(reinterpret_cast<void*>(b.address), FREED, head);  // told once
    }
}

void give_back(uintptr_t address) {
    auto at = blocks.find(address);
    Block b = at->second;
    check_freed(b);
    check_block(b, nullptr);
    blocks.erase(at);
    quarantined -= b.room;
    uintptr_t from = front(b);
    size_t room = b.room;
    uintptr_t page = round_up(from, PAGE), end = (from + room) / PAGE * PAGE;
    if (end > page + 16 * PAGE) {
        madvise(reinterpret_cast<void*>(page), end - page, MADV_DONTNEED);
    }
    auto next = holes.lower_bound(from);
    if (next != holes.end() && next->first == from + room) {
        room += next->second;
        next = holes.erase(next);
    }
    if (next != holes.begin()) {
        auto before = std::prev(next);
        if (before->first + before->second == from) {
            before->second += room;
            return;
        }
    }
    holes[from] = room;
}

// The block's memory is nobody's any more.
void end_free(Block& b) {
    check_block(b, "it was freed");
    set_shadow(b, false);
    used[b.device] -= round_up(b.bytes, ALIGN);
    fill(b, FREED);
    b.ended = true;
    quarantine.push_back(b.address);
    quarantined += b.room;
    while (quarantined > QUARANTINE_BYTES || quarantine.size() > QUARANTINE_BLOCKS) {
        uintptr_t oldest = quarantine.front();
        quarantine.pop_front();
        give_back(oldest);
    }
}

void count(const Block& b, int sign) {
    live_bytes += sign * (long long)b.bytes;
    live_count += sign;
}

// 0 where there is no room.
uintptr_t allocate(int device, size_t bytes, bool async) {
    reserve();
    size_t rounded = round_up(bytes, ALIGN);
    if (rounded < bytes || used[device] + rounded > (size_t)memory_limit) {
        return 0;
    }
    size_t room = rounded + 2 * GUARD;
    uintptr_t low = shadow.base + device * ARENA, high = low + ARENA;
    for (auto h = holes.lower_bound(low); h != holes.end() && h->first < high; ++h) {
        if (h->second >= room) {
            uintptr_t from = h->first;
            size_t rest = h->second - room;
            holes.erase(h);
            if (rest > 0) {
                holes[from + room] = rest;
            }
            Block b = {from + GUARD, bytes, room, device, async, true, 0, false};
            memset(reinterpret_cast<void*>(from), GUARDED, GUARD);
            memset(reinterpret_cast<void*>(b.address + bytes), GUARDED, tail(b));
            fill(b, FRESH);
            set_shadow(b, true);
            used[device] += rounded;
            count(b, 1);
            blocks[b.address] = b;
            return b.address;
        }
    }
    return 0;
}

uintptr_t allocate_or_drain(Lock& lock, int device, size_t bytes, bool async) {
    uintptr_t p = allocate(device, bytes, async);
    if (!p && !waiting.empty()) {
        force_all(lock, nullptr);
        settle_frees();
        p = allocate(device, bytes, async);
    }
    return p;
}

Block* live_block(CUdeviceptr p) {
    auto at = blocks.find(p);
    return at != blocks.end() && at->second.live ? &at->second : nullptr;
}

}  // namespace

const Block* find_block(uintptr_t p) {
    auto at = blocks.upper_bound(p);
    if (at == blocks.begin()) {
        return nullptr;
    }
    const Block& b = std::prev(at)->second;
    return p <= b.address + b.bytes ? &b : nullptr;
}

bool is_device(const void* p, size_t bytes) {
    uintptr_t a = reinterpret_cast<uintptr_t>(p);
    const Block* b = find_block(a);
    return b && b->live && bytes <= b->address + b->bytes - a;
}

bool in_arena(uintptr_t p) {
    return p - shadow.base < shadow.bytes && shadow.base;
}

bool is_pinned(const void* p, size_t bytes) {
    uintptr_t a = reinterpret_cast<uintptr_t>(p);
    auto at = pinned.upper_bound(a);
    if (at == pinned.begin()) {
        return false;
    }
    --at;
    return a + bytes <= at->first + at->second.bytes;
}

size_t live_blocks() {
    return blocks.size() - quarantine.size();
}

void check_guards(const char* after) {
    for (const auto& [address, b] : blocks) {
        check_block(b, after);
        if (b.ended && b.bytes <= PAGE) {
            check_freed(b);
        }
    }
}

void settle_frees() {
    if (waiting.empty()) {
        return;
    }
    uint64_t oldest = oldest_pending();
    while (!waiting.empty()) {
        Block& b = blocks[waiting.front()];
        if (b.freed >= oldest) {
            break;
        }
        waiting.pop_front();
        end_free(b);
    }
    frees_wait = !waiting.empty();
}

namespace {

// Whether a range may be read or written by a copy; says so where it may not.
bool device_range(CUdeviceptr p, size_t bytes, const char* function, const char* role) {
    if (is_device(reinterpret_cast<void*>(p), bytes)) {
        return true;
    }
    const Block* b = find_block(p);
    if (b) {
        error("%s: %s %p, %zu bytes, leaves %s", function, role, (void*)p, bytes, text(*b).c_str());
    } else {
        error("%s: %s %p, %zu bytes, is not device memory", function, role, (void*)p, bytes);
    }
    return false;
}

bool host_range(const void* p, size_t bytes, const char* function, const char* role) {
    if (p && !in_arena(reinterpret_cast<uintptr_t>(p))) {
        return true;
    }
    error("%s: %s %p, %zu bytes, is not host memory", function, role, p, bytes);
    return false;
}

CUresult to_device(Lock& lock, CUdeviceptr to, const void* from, size_t bytes, Stream* stream, const char* function) {
    if (!device_range(to, bytes, function, "destination") || !host_range(from, bytes, function, "source")) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    void* d = reinterpret_cast<void*>(to);
    if (is_pinned(from, bytes)) {
        return put(lock, stream, make_work([=] {
            if (is_pinned(from, bytes)) {
                memcpy(d, from, bytes);
            } else {
                error("%s: pinned memory %p, %zu bytes, was freed before the copy from it ran", function, from, bytes);
            }
        }, function));
    }
    if (stream->capture) {
        return put(lock, stream, make_work([=] { memcpy(d, from, bytes); }, function));
    }
    const char* s = static_cast<const char*>(from);
    auto staged = std::make_shared<std::vector<char>>(s, s + bytes);
    return put(lock, stream, make_work([=] { memcpy(d, staged->data(), bytes); }, function));
}

CUresult to_host(Lock& lock, void* to, CUdeviceptr from, size_t bytes, Stream* stream, bool wait,
                 const char* function) {
    if (!device_range(from, bytes, function, "source") || !host_range(to, bytes, function, "destination")) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    const void* s = reinterpret_cast<const void*>(from);
    bool late = is_pinned(to, bytes);
    WorkRef w = make_work([=] {
        if (!late || is_pinned(to, bytes)) {
            memcpy(to, s, bytes);
        } else {
            error("%s: pinned memory %p, %zu bytes, was freed before the copy to it ran", function, to, bytes);
        }
    }, function);
    bool captured = stream->capture != nullptr;
    CUresult r = put(lock, stream, w);
    if (r == CUDA_SUCCESS && !captured && (wait || !late)) {
        force(lock, w);
        r = lost;
    }
    return r;
}

CUresult on_device(Lock& lock, CUdeviceptr to, CUdeviceptr from, size_t bytes, Stream* stream, const char* function) {
    if (!device_range(to, bytes, function, "destination") || !device_range(from, bytes, function, "source")) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (to < from + bytes && from < to + bytes) {
        error("%s: source %p and destination %p, %zu bytes, overlap", function, (void*)from, (void*)to, bytes);
    }
    return put(lock, stream, make_work([=] {
        memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
    }, function));
}

template <class T>
CUresult set(Lock& lock, CUdeviceptr to, T value, size_t count, Stream* stream, const char* function) {
    if (to % sizeof(T) != 0 || !device_range(to, count * sizeof(T), function, "destination")) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    return put(lock, stream, make_work([=] {
        T* p = reinterpret_cast<T*>(to);
        std::fill(p, p + count, value);
    }, function));
}

}  // namespace
}  // namespace emu

using namespace emu;

#define EXPORT extern "C" __attribute__((visibility("default")))
#define EMU_STREAM(handle)                            \
    emu::Stream* stream = emu::stream_of(handle, context); \
    if (!stream) return CUDA_ERROR_INVALID_HANDLE

// ---- Allocation ------------------------------------------------------------------------------------------------------

EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* p, size_t bytes) {
    EMU_CURRENT(cuMemAlloc_v2);
    if (!p || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult r = unsafe_call()) return r;
    uintptr_t a = allocate_or_drain(lock, context->device, bytes, false);
    if (!a) return CUDA_ERROR_OUT_OF_MEMORY;
    *p = a;
    return CUDA_SUCCESS;
}

// The real one waits for the device, though it is not promised; here the host goes on and the memory stays as it is
// until all work is done that was put on a stream before.
EXPORT CUresult cuMemFree_v2(CUdeviceptr p) {
    EMU_CURRENT(cuMemFree_v2);
    if (p == 0) return CUDA_SUCCESS;
    if (CUresult r = unsafe_call()) return r;
    Block* b = live_block(p);
    if (!b) {
        error("cuMemFree: %p is not a live block of device memory", (void*)p);
        return CUDA_ERROR_INVALID_VALUE;
    }
    count(*b, -1);
    b->live = false;
    b->freed = last_number;
    waiting.push_back(b->address);
    frees_wait = true;
    settle_frees();
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemAllocAsync(CUdeviceptr* p, size_t bytes, void* handle) {
    EMU_CURRENT(cuMemAllocAsync);
    EMU_STREAM(handle);
    if (!p || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    if (stream->capture) {
        error("cuMemAllocAsync: memory nodes of graphs are not emulated");
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    uintptr_t a = allocate_or_drain(lock, context->device, bytes, true);
    if (!a) return CUDA_ERROR_OUT_OF_MEMORY;
    *p = a;
    // Valid from here on in this stream's order only.
    Block b = blocks[a];
    set_shadow(b, false);
    return put(lock, stream, make_work([=] {
        if (blocks.count(a) && blocks[a].live) set_shadow(b, true);
    }, "cuMemAllocAsync"));
}

EXPORT CUresult cuMemFreeAsync(CUdeviceptr p, void* handle) {
    EMU_CURRENT(cuMemFreeAsync);
    EMU_STREAM(handle);
    if (p == 0) return CUDA_SUCCESS;
    if (stream->capture) {
        error("cuMemFreeAsync: memory nodes of graphs are not emulated");
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    Block* b = live_block(p);
    if (!b) {
        error("cuMemFreeAsync: %p is not a live block of device memory", (void*)p);
        return CUDA_ERROR_INVALID_VALUE;
    }
    count(*b, -1);
    b->live = false;
    uintptr_t a = b->address;
    return put(lock, stream, make_work([=] { end_free(blocks[a]); }, "cuMemFreeAsync"));
}

EXPORT CUresult cuMemGetInfo_v2(size_t* room, size_t* total) {
    EMU_CURRENT(cuMemGetInfo_v2);
    if (!room || !total) return CUDA_ERROR_INVALID_VALUE;
    settle_frees();
    size_t u = used[context->device];
    *total = (size_t)memory_limit;
    *room = u > *total ? 0 : *total - u;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, size_t* bytes, CUdeviceptr p) {
    EMU_CURRENT(cuMemGetAddressRange_v2);
    const Block* b = find_block(p);
    if (!b || !b->live) return CUDA_ERROR_NOT_FOUND;
    if (base) *base = b->address;
    if (bytes) *bytes = b->bytes;
    return CUDA_SUCCESS;
}

static CUresult host_alloc(void** p, size_t bytes) {
    if (!p || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    if (CUresult r = unsafe_call()) return r;
    size_t room = round_up(bytes, PAGE);
    void* m = mmap(nullptr, room + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
    char* c = static_cast<char*>(m);
    memset(c, GUARDED, PAGE);
    memset(c + PAGE, FRESH, bytes);
    memset(c + PAGE + bytes, GUARDED, room - bytes + PAGE);
    *p = c + PAGE;
    pinned[reinterpret_cast<uintptr_t>(*p)] = {bytes, false};
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemHostAlloc(void** p, size_t bytes, unsigned) {
    EMU_CURRENT(cuMemHostAlloc);
    return host_alloc(p, bytes);
}

EXPORT CUresult cuMemAllocHost_v2(void** p, size_t bytes) {
    EMU_CURRENT(cuMemAllocHost_v2);
    return host_alloc(p, bytes);
}

// The real one waits for the device, though it is not promised: copies that still use the memory are errors.
EXPORT CUresult cuMemFreeHost(void* p) {
    EMU_CURRENT(cuMemFreeHost);
    if (!p) return CUDA_SUCCESS;
    if (CUresult r = unsafe_call()) return r;
    auto at = pinned.find(reinterpret_cast<uintptr_t>(p));
    if (at == pinned.end() || at->second.registered) {
        error("cuMemFreeHost: %p is not memory of cuMemHostAlloc", p);
        return CUDA_ERROR_INVALID_VALUE;
    }
    size_t bytes = at->second.bytes, room = round_up(bytes, PAGE);
    if (!all(at->first - PAGE, PAGE, GUARDED) || !all(at->first + bytes, room - bytes + PAGE, GUARDED)) {
        error("memory was written outside of pinned host memory %p of %zu bytes", p, bytes);
    }
    pinned.erase(at);
    munmap(static_cast<char*>(p) - PAGE, room + 2 * PAGE);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* d, void* p, unsigned) {
    EMU_CURRENT(cuMemHostGetDevicePointer_v2);
    if (!d || !is_pinned(p, 1)) return CUDA_ERROR_INVALID_VALUE;
    *d = reinterpret_cast<CUdeviceptr>(p);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemHostRegister_v2(void* p, size_t bytes, unsigned) {
    EMU_CURRENT(cuMemHostRegister_v2);
    if (!p || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    uintptr_t a = reinterpret_cast<uintptr_t>(p);
    auto next = pinned.lower_bound(a);
    if ((next != pinned.end() && next->first < a + bytes) || is_pinned(p, 1)) {
        return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    }
    pinned[a] = {bytes, true};
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemHostUnregister(void* p) {
    EMU_CURRENT(cuMemHostUnregister);
    auto at = pinned.find(reinterpret_cast<uintptr_t>(p));
    if (at == pinned.end() || !at->second.registered) return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    pinned.erase(at);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuPointerGetAttribute(void* data, int attribute, CUdeviceptr p) {
    EMU_CURRENT(cuPointerGetAttribute);
    if (!data) return CUDA_ERROR_INVALID_VALUE;
    bool device = is_device(reinterpret_cast<void*>(p), 1);
    bool host = is_pinned(reinterpret_cast<void*>(p), 1);
    if (!device && !host) return CUDA_ERROR_INVALID_VALUE;
    switch (attribute) {
        case 1: *static_cast<void**>(data) = context; break;
        case 2: *static_cast<unsigned*>(data) = device ? 2 : 1; break;
        case 3: *static_cast<CUdeviceptr*>(data) = p; break;
        case 4:
            if (!host) return CUDA_ERROR_INVALID_VALUE;
            *static_cast<CUdeviceptr*>(data) = p;
            break;
        case 8: *static_cast<unsigned*>(data) = 0; break;
        case 9: *static_cast<int*>(data) = device ? find_block(p)->device : context->device; break;
        default: return CUDA_ERROR_NOT_SUPPORTED;
    }
    return CUDA_SUCCESS;
}

// ---- Copies ----------------------------------------------------------------------------------------------------------

EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
    EMU_CURRENT(cuMemcpyHtoD_v2);
    if (CUresult r = unsafe_call()) return r;
    if (bytes == 0) return CUDA_SUCCESS;
    // From pageable memory the real one waits for the stream, stages, and may return before the bytes have arrived.
    force(lock, context->legacy.get());
    CUresult r = to_device(lock, to, from, bytes, context->legacy.get(), "cuMemcpyHtoD");
    if (r == CUDA_SUCCESS && is_pinned(from, bytes)) {
        force(lock, context->legacy.get());
        r = lost;
    }
    return r;
}

EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, void* handle) {
    EMU_CURRENT(cuMemcpyHtoDAsync_v2);
    EMU_STREAM(handle);
    return bytes == 0 ? CUDA_SUCCESS : to_device(lock, to, from, bytes, stream, "cuMemcpyHtoDAsync");
}

EXPORT CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
    EMU_CURRENT(cuMemcpyDtoH_v2);
    if (CUresult r = unsafe_call()) return r;
    return bytes == 0 ? CUDA_SUCCESS
                      : to_host(lock, to, from, bytes, context->legacy.get(), true, "cuMemcpyDtoH");
}

EXPORT CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, void* handle) {
    EMU_CURRENT(cuMemcpyDtoHAsync_v2);
    EMU_STREAM(handle);
    return bytes == 0 ? CUDA_SUCCESS : to_host(lock, to, from, bytes, stream, false, "cuMemcpyDtoHAsync");
}

EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    EMU_CURRENT(cuMemcpyDtoD_v2);
    return bytes == 0 ? CUDA_SUCCESS : on_device(lock, to, from, bytes, context->legacy.get(), "cuMemcpyDtoD");
}

EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, void* handle) {
    EMU_CURRENT(cuMemcpyDtoDAsync_v2);
    EMU_STREAM(handle);
    return bytes == 0 ? CUDA_SUCCESS : on_device(lock, to, from, bytes, stream, "cuMemcpyDtoDAsync");
}

static CUresult copy(Lock& lock, CUdeviceptr to, CUdeviceptr from, size_t bytes, Stream* stream, bool wait,
                     const char* function) {
    if (bytes == 0) return CUDA_SUCCESS;
    bool device_to = in_arena(to), device_from = in_arena(from);
    if (device_to && device_from) return on_device(lock, to, from, bytes, stream, function);
    if (device_to) return to_device(lock, to, reinterpret_cast<void*>(from), bytes, stream, function);
    if (device_from) return to_host(lock, reinterpret_cast<void*>(to), from, bytes, stream, wait, function);
    error("%s: neither %p nor %p is device memory", function, (void*)to, (void*)from);
    return CUDA_ERROR_INVALID_VALUE;
}

EXPORT CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    EMU_CURRENT(cuMemcpy);
    if (CUresult r = unsafe_call()) return r;
    return copy(lock, to, from, bytes, context->legacy.get(), true, "cuMemcpy");
}

EXPORT CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, void* handle) {
    EMU_CURRENT(cuMemcpyAsync);
    EMU_STREAM(handle);
    return copy(lock, to, from, bytes, stream, false, "cuMemcpyAsync");
}

EXPORT CUresult cuMemcpyPeerAsync(CUdeviceptr to, void* to_context, CUdeviceptr from, void* from_context, size_t bytes,
                                  void* handle) {
    EMU_CURRENT(cuMemcpyPeerAsync);
    EMU_STREAM(handle);
    if (contexts.count(static_cast<Context*>(to_context)) == 0 ||
        contexts.count(static_cast<Context*>(from_context)) == 0) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    return bytes == 0 ? CUDA_SUCCESS : on_device(lock, to, from, bytes, stream, "cuMemcpyPeerAsync");
}

EXPORT CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t n) {
    EMU_CURRENT(cuMemsetD8_v2);
    return n == 0 ? CUDA_SUCCESS : set(lock, to, value, n, context->legacy.get(), "cuMemsetD8");
}

EXPORT CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t n) {
    EMU_CURRENT(cuMemsetD16_v2);
    return n == 0 ? CUDA_SUCCESS : set(lock, to, value, n, context->legacy.get(), "cuMemsetD16");
}

EXPORT CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t n) {
    EMU_CURRENT(cuMemsetD32_v2);
    return n == 0 ? CUDA_SUCCESS : set(lock, to, value, n, context->legacy.get(), "cuMemsetD32");
}

EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t n, void* handle) {
    EMU_CURRENT(cuMemsetD8Async);
    EMU_STREAM(handle);
    return n == 0 ? CUDA_SUCCESS : set(lock, to, value, n, stream, "cuMemsetD8Async");
}

EXPORT CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t n, void* handle) {
    EMU_CURRENT(cuMemsetD16Async);
    EMU_STREAM(handle);
    return n == 0 ? CUDA_SUCCESS : set(lock, to, value, n, stream, "cuMemsetD16Async");
}

EXPORT CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t n, void* handle) {
    EMU_CURRENT(cuMemsetD32Async);
    EMU_STREAM(handle);
    return n == 0 ? CUDA_SUCCESS : set(lock, to, value, n, stream, "cuMemsetD32Async");
}

extern "C" {

long long emu_live_bytes(void) {
    Lock lock(mutex);
    return live_bytes;
}

long long emu_live_blocks(void) {
    Lock lock(mutex);
    return live_count;
}

long long emu_pinned_bytes(void) {
    Lock lock(mutex);
    long long n = 0;
    for (const auto& [address, p] : pinned) {
        n += p.registered ? 0 : (long long)p.bytes;
    }
    return n;
}

}  // extern "C"
