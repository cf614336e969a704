// Looks for races between the threads of a launch: kernels that were compiled with -fsanitize=thread call __tsan_read4 and
// its kin, which are defined here and not by that sanitizer's library. bin/emulation-races does so.
//
// Threads run one after the other here, so what is looked at is not what happened but what nothing ordered: two accesses
// to the same byte, one of them a write, by threads of a block without a barrier between them (of one warp: without
// __syncwarp; shuffles and votes order nothing), or by two blocks. A write that changes nothing is let pass: flags are set
// by many. So are two atomic operations, which are told by where their code is: in host.cuh.
//
// Of shared memory every byte is watched. Of global memory so many places as a table holds, by the address at which an
// access begins: what overlaps otherwise is not seen.
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <set>

#include "driver.h"

namespace emu {
namespace {

struct Mark {
    uint32_t epoch;  // between two barriers of one block; 0: never
    uint32_t turn;   // of the warp, between two __syncwarp
    int thread;
    bool loose;  // a volatile read
    const void* code;
};

struct Place {
    uintptr_t address;  // of a place in global memory
    uint32_t launch, block;
    // The last write, and the last reads: by a thread, by another of its warp, by one of another warp.
    Mark write, read, beside, elsewhere;
};

bool active;
uint32_t epoch, launch_number, block_number;
uint32_t turns[32];
constexpr size_t PLACES = 1 << 18;
std::unique_ptr<Place[]> places;
std::vector<Place> statics, dynamics;
std::set<std::pair<const void*, const void*>> told;

// A conflict that is none if the write changes nothing.
struct Pending {
    char* at;
    int bytes;
    char before[16];
    Mark first, second;
    const char* what;
    const char* where;
    bool wait;
} pending;

// Where an access stands in the text of the kernel; empty within host.cuh, where atomics are.
std::string line_of(const void* code) {
    static std::map<const void*, std::string> known;
    auto it = known.find(code);
    if (it != known.end()) {
        return it->second;
    }
    std::string line = "?";
    Dl_info info;
    if (dladdr(code, &info)) {
        char command[1024], text[1024];
        snprintf(command, sizeof command, "LD_PRELOAD= addr2line -i -e '%s' 0x%zx 2>/dev/null",
                 running_launch()->module->file.c_str(),
                 (size_t)((const char*)code - (const char*)info.dli_fbase) - 1);
        if (FILE* f = popen(command, "r")) {
            bool first = true;
            while (fgets(text, sizeof text, f)) {
                std::string s = text;
                s = s.substr(s.rfind('/') == std::string::npos ? 0 : s.rfind('/') + 1);
                bool here = s.rfind("host.cuh", 0) == 0;
                s = s.substr(s.find(':') + 1);
                s = s.substr(0, s.find_first_of(" \n"));
                if (first && here) {
                    line = "";
                    break;
                }
                if (first) line = s;
                first = false;
            }
            pclose(f);
        }
    }
    return known[code] = line;
}

void tell(const Mark& first, const Mark& second, const char* what, const char* where) {
    if (!told.insert({first.code, second.code}).second) {
        return;
    }
    std::string a = line_of(first.code), b = line_of(second.code);
    if ((a.empty() && (b.empty() || second.loose)) || (b.empty() && first.loose)) {
        return;
    }
    error("%s: %s %s memory in line %s by thread %d, with nothing between it and that in line %s by thread %d%s",
          running_block().c_str(), what, where, b.empty() ? "of an atomic operation" : b.c_str(), second.thread,
          a.empty() ? "of an atomic operation" : a.c_str(), first.thread,
          first.epoch == second.epoch ? "" : " of another block");
}

void settle() {
    if (pending.wait) {
        pending.wait = false;
        if (memcmp(pending.at, pending.before, pending.bytes) != 0) {
            tell(pending.first, pending.second, pending.what, pending.where);
        }
    }
}

// Whether nothing orders a mark before what thread t does now, in the same launch. Marks of other blocks are of other
// epochs; `blocks`: then they count.
bool open(const Mark& m, const Mark& now, bool blocks) {
    if (m.epoch == 0) {
        return false;
    }
    if (m.epoch != now.epoch) {
        return blocks;
    }
    return m.thread != now.thread && !(m.thread >> 5 == now.thread >> 5 && m.turn != now.turn);
}

void look(Place& p, const Mark& now, bool write, char* at, int bytes, bool other_block, const char* where) {
    if (!write) {
        if (open(p.write, now, other_block)) {
            tell(p.write, now, "a read of", where);
        }
        if (p.read.thread != now.thread) {
            (p.read.thread >> 5 == now.thread >> 5 ? p.beside : p.elsewhere) = p.read;
        }
        p.read = now;
        return;
    }
    for (const Mark* m : {&p.write, &p.read, &p.beside, &p.elsewhere}) {
        if (!pending.wait && open(*m, now, other_block)) {
            pending = {at, bytes, {}, *m, now, "a write of", where, true};
            memcpy(pending.before, at, bytes);
        }
    }
    p.write = now;
}

void global(char* at, int bytes, const Mark& now, bool write) {
    if (!places) {
        places.reset(new Place[PLACES]());
    }
    uintptr_t a = reinterpret_cast<uintptr_t>(at);
    Place& p = places[(a * 0x9e3779b97f4a7c15ull >> 20) % PLACES];
    if (p.address != a || p.launch != launch_number) {
        p = {a, launch_number, block_number, {}, {}, {}, {}};
    }
    look(p, now, write, at, bytes, p.block != block_number, "global");
    if (p.block != block_number && write) {
        p.block = block_number;
        p.read = p.beside = p.elsewhere = {};
    }
}

void access(void* address, int bytes, bool write, const void* code, bool loose = false) {
    settle();
    const Launch* launch = running_launch();
    if (!launch) {
        return;
    }
    char* at = static_cast<char*>(address);
    int t = running_thread();
    Mark now = {epoch, turns[t >> 5], t, loose, code};
    const Module& m = *launch->module;
    std::vector<Place>* watched = nullptr;
    char* begin = nullptr;
    if (at >= m.shared_begin && at < m.shared_end) {
        watched = &statics;
        begin = m.shared_begin;
    } else if (at >= m.dynamic && at < m.dynamic + launch->dynamic_shared) {
        watched = &dynamics;
        begin = m.dynamic;
    } else if (in_arena(reinterpret_cast<uintptr_t>(at))) {
        global(at, bytes < 16 ? bytes : 16, now, write);
        return;
    } else {
        return;  // the thread's own
    }
    for (int i = 0; i < bytes; i++) {
        size_t place = at - begin + i;
        if (place >= watched->size()) {
            watched->resize(place + 4096);
        }
        look((*watched)[place], now, write, at, bytes < 16 ? bytes : 16, false, "shared");
    }
}

}  // namespace

void races_launch() {
    if (active) {
        settle();
        launch_number++;
    }
}

void races_block() {
    if (active) {
        settle();
        block_number++;
        epoch++;
    }
}

void races_barrier() {
    if (active) {
        settle();
        epoch++;
    }
}

void races_warp(int warp) {
    if (active) {
        settle();
        turns[warp]++;
    }
}

}  // namespace emu

#define HOOK extern "C" __attribute__((visibility("default"))) void
#define SIZED(n)                                                                                             \
    HOOK __tsan_read##n(void* p) { emu::access(p, n, false, __builtin_return_address(0)); }                  \
    HOOK __tsan_write##n(void* p) { emu::access(p, n, true, __builtin_return_address(0)); }                  \
    HOOK __tsan_unaligned_read##n(void* p) { emu::access(p, n, false, __builtin_return_address(0)); }        \
    HOOK __tsan_unaligned_write##n(void* p) { emu::access(p, n, true, __builtin_return_address(0)); }        \
    HOOK __tsan_volatile_read##n(void* p) { emu::access(p, n, false, __builtin_return_address(0), true); }   \
    HOOK __tsan_volatile_write##n(void* p) { emu::access(p, n, true, __builtin_return_address(0)); }
SIZED(1)
SIZED(2)
SIZED(4)
SIZED(8)
SIZED(16)
HOOK __tsan_read_range(void* p, long n) { emu::access(p, (int)n, false, __builtin_return_address(0)); }
HOOK __tsan_write_range(void* p, long n) { emu::access(p, (int)n, true, __builtin_return_address(0)); }
HOOK __tsan_func_entry(void*) {}
HOOK __tsan_func_exit() {}
HOOK __tsan_vptr_update(void*, void*) {}
HOOK __tsan_init() { emu::active = true; }
