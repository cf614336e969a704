// Runs the blocks of a launch, one after the other. The threads of a block are fibres of one OS thread; a fibre runs one
// thread after the other until one waits, so kernels without barriers never switch.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <csignal>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#include "driver.h"

namespace emu {
namespace {

// ---- Switching stacks ------------------------------------------------------------------------------------------------

constexpr size_t STACK = 256 << 10;
constexpr int MOST_THREADS = 1024;

void fiber_main();

#if defined(__x86_64__)

// Saves the callee's registers on the stack, leaves the stack pointer in *from, goes on at `to`.
extern "C" void emu_switch(void** from, void* to);
__asm__(R"(
    .text
    .hidden emu_switch
    .globl emu_switch
    .type emu_switch, @function
emu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size emu_switch, . - emu_switch
)");

struct Fiber {
    char* stack = nullptr;
    void* sp = nullptr;
};

void prepare(Fiber& f) {
    void** top = reinterpret_cast<void**>(f.stack + STACK);
    *--top = nullptr;  // keeps the alignment of a call
    *--top = reinterpret_cast<void*>(fiber_main);
    top -= 6;
    memset(top, 0, 6 * sizeof(void*));
    f.sp = top;
}

void go(Fiber& from, Fiber& to) {
    emu_switch(&from.sp, to.sp);
}

#else

struct Fiber {
    char* stack = nullptr;
    ucontext_t context;
};

void prepare(Fiber& f) {
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack;
    f.context.uc_stack.ss_size = STACK;
    f.context.uc_link = nullptr;
    makecontext(&f.context, fiber_main, 0);
}

void go(Fiber& from, Fiber& to) {
    swapcontext(&from.context, &to.context);
}

#endif

// ---- The block that runs ---------------------------------------------------------------------------------------------

enum State : char { NEW, READY, AT_BARRIER, AT_WARP, DONE };

struct Thread {
    emu_index index;
    State state;
    char kind;
    int fiber;
    int line;
    int source;
    unsigned mask;
    unsigned long long value, result;
};

const Launch* running;  // null between launches
emu_state* here;
Thread threads[MOST_THREADS];
Fiber fibers[MOST_THREADS];
Fiber main_fiber;
int count;                     // threads of the block
int order[MOST_THREADS];       // in which they start
int started;
int done;
int waiting;                   // at the block's barrier
int current_thread;
int free_fibers[MOST_THREADS], free_count;
int ready[MOST_THREADS], ready_head, ready_count;  // a ring of threads
bool aborted;
bool told;                     // of this launch: enough said about its divergence
volatile bool timed;           // the watchdog may end it
uint64_t launches = 0;
unsigned char poison_pattern = 0xff;

void resume(int t) {
    current_thread = t;
    here->thread = threads[t].index;
    here->lane = t & 31;
}

void make_ready(int t) {
    threads[t].state = READY;
    ready[(ready_head + ready_count++) % MOST_THREADS] = t;
}

std::string name_thread(int t) {
    char s[64];
    const emu_index& i = threads[t].index;
    snprintf(s, sizeof s, "thread (%u,%u,%u)", i.x, i.y, i.z);
    return s;
}

std::string name_block() {
    char s[96];
    snprintf(s, sizeof s, "block (%u,%u,%u)", here->block.x, here->block.y, here->block.z);
    return "kernel " + running->name + ", " + s;
}

// ---- Barriers --------------------------------------------------------------------------------------------------------

// All threads that are not done wait at the barrier.
void release_barrier() {
    int first = -1;
    for (int t = 0; t < count; t++) {
        if (threads[t].state == AT_BARRIER) {
            first = t;
            break;
        }
    }
    int sum = 0;
    for (int t = first; t < count; t++) {
        Thread& x = threads[t];
        if (x.state != AT_BARRIER) {
            if (!told) {
                told = true;
                error("%s: %s has exited while %s waits at the barrier in line %d", name_block().c_str(),
                      name_thread(t).c_str(), name_thread(first).c_str(), threads[first].line);
            }
            continue;
        }
        if ((x.line != threads[first].line || x.kind != threads[first].kind) && !told) {
            told = true;
            error("%s: %s waits at the barrier in line %d, %s at another in line %d", name_block().c_str(),
                  name_thread(first).c_str(), threads[first].line, name_thread(t).c_str(), x.line);
        }
        sum += x.value != 0;
    }
    if (first > 0 && !told) {
        told = true;
        error("%s: %s has exited while %s waits at the barrier in line %d", name_block().c_str(),
              name_thread(0).c_str(), name_thread(first).c_str(), threads[first].line);
    }
    int n = waiting;
    waiting = 0;
    races_barrier();
    bool backwards = launches & 1;
    for (int i = 0; i < count; i++) {
        int t = backwards ? count - 1 - i : i;
        Thread& x = threads[t];
        if (x.state == AT_BARRIER) {
            x.result = x.kind == EMU_SYNC_COUNT ? sum : x.kind == EMU_SYNC_AND ? sum == n : sum > 0;
            make_ready(t);
        }
    }
}

// Lanes of the warp that begins at thread `base` and are not done.
unsigned alive(int base) {
    unsigned m = 0;
    for (int l = 0; l < 32 && base + l < count; l++) {
        m |= threads[base + l].state != DONE ? 1u << l : 0;
    }
    return m;
}

unsigned long long combine(int kind, unsigned long long a, unsigned long long b) {
    switch (kind) {
        case EMU_WARP_ADD: return a + b;
        case EMU_WARP_MIN: return a < b ? a : b;
        case EMU_WARP_MAX: return a > b ? a : b;
        case EMU_WARP_MIN_SIGNED: return (long long)a < (long long)b ? a : b;
        case EMU_WARP_MAX_SIGNED: return (long long)a > (long long)b ? a : b;
        case EMU_WARP_AND: return a & b;
        case EMU_WARP_OR: return a | b;
        default: return a ^ b;
    }
}

// Does the collective that thread t waits for, if all lanes it needs have come.
bool release_warp(int t) {
    int base = t & ~31;
    Thread& me = threads[t];
    unsigned need = me.mask & alive(base);
    for (int l = 0; l < 32; l++) {
        if (need >> l & 1) {
            Thread& x = threads[base + l];
            if (x.state != AT_WARP || x.mask != me.mask || x.kind != me.kind || x.line != me.line) {
                return false;
            }
        }
    }
    if (me.kind == EMU_WARP_SYNC) {
        races_warp(base >> 5);
    }
    unsigned ballot = 0;
    bool all_equal = true;
    unsigned long long folded = me.value;
    for (int l = 0; l < 32; l++) {
        if (need >> l & 1) {
            Thread& x = threads[base + l];
            ballot |= x.value ? 1u << l : 0;
            all_equal &= x.value == me.value;
            if (base + l != t) {
                folded = combine(me.kind, folded, x.value);
            }
        }
    }
    bool backwards = launches & 1;
    for (int i = 0; i < 32; i++) {
        int l = backwards ? 31 - i : i;
        if (!(need >> l & 1)) {
            continue;
        }
        Thread& x = threads[base + l];
        switch (me.kind) {
            case EMU_WARP_SYNC: break;
            case EMU_WARP_SHUFFLE:
                if (need >> (x.source & 31) & 1) {
                    x.result = threads[base + (x.source & 31)].value;
                } else {
                    x.result = ~0ull;
                    if (!told) {
                        told = true;
                        error("%s: %s takes from lane %d in line %d, which does not take part in the shuffle",
                              name_block().c_str(), name_thread(base + l).c_str(), x.source & 31, x.line);
                    }
                }
                break;
            case EMU_WARP_BALLOT: x.result = ballot; break;
            case EMU_WARP_MATCH_ANY:
                x.result = 0;
                for (int k = 0; k < 32; k++) {
                    x.result |= (need >> k & 1) && threads[base + k].value == x.value ? 1u << k : 0;
                }
                break;
            case EMU_WARP_MATCH_ALL: x.result = all_equal ? need : 0; break;
            default: x.result = folded;
        }
        if (base + l != t) {
            make_ready(base + l);
        }
    }
    me.state = READY;  // and goes on
    return true;
}

// Nothing can go on any more: says why. True where something can then.
bool resolve() {
    if (waiting > 0 && waiting + done == count) {
        release_barrier();
        return true;
    }
    for (int t = 0; t < count; t++) {  // lanes that have exited since are not waited for
        if (threads[t].state == AT_WARP && release_warp(t)) {
            make_ready(t);
            return true;
        }
    }
    int at_barrier = -1, at_warp = -1;
    for (int t = 0; t < count; t++) {
        if (threads[t].state == AT_BARRIER && at_barrier < 0) at_barrier = t;
        if (threads[t].state == AT_WARP && at_warp < 0) at_warp = t;
    }
    std::string text = name_block() + ": deadlock";
    char s[160];
    if (at_barrier >= 0) {
        snprintf(s, sizeof s, "; %s waits at the barrier in line %d", name_thread(at_barrier).c_str(),
                 threads[at_barrier].line);
        text += s;
    }
    if (at_warp >= 0) {
        Thread& x = threads[at_warp];
        snprintf(s, sizeof s, "; %s waits for the lanes 0x%x of its warp in line %d", name_thread(at_warp).c_str(),
                 x.mask, x.line);
        text += s;
        int base = at_warp & ~31;
        for (int l = 0; l < 32 && base + l < count; l++) {
            Thread& y = threads[base + l];
            if ((x.mask >> l & 1) && y.state != DONE &&
                (y.state != AT_WARP || y.mask != x.mask || y.line != x.line || y.kind != x.kind)) {
                if (y.state == AT_WARP) {
                    snprintf(s, sizeof s, ", where %s waits for 0x%x in line %d", name_thread(base + l).c_str(), y.mask,
                             y.line);
                } else {
                    snprintf(s, sizeof s, ", where %s does not come", name_thread(base + l).c_str());
                }
                text += s;
                break;
            }
        }
    }
    lose(CUDA_ERROR_LAUNCH_TIMEOUT, "%s", text.c_str());
    return false;
}

// ---- Fibres ----------------------------------------------------------------------------------------------------------

int new_fiber() {
    int f = free_fibers[--free_count];
    Fiber& x = fibers[f];
    if (!x.stack) {
        size_t page = 4096;
        char* m = static_cast<char*>(
            mmap(nullptr, STACK + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        mprotect(m, page, PROT_NONE);
        x.stack = m + page;
    }
    prepare(x);
    return f;
}

// Gives the processor up: to a thread that has not begun, else to one that can go on, else back to run_block.
void leave(Fiber& from) {
    if (aborted) {
        go(from, main_fiber);
    }
    if (started < count) {
        go(from, fibers[new_fiber()]);
        return;
    }
    if (ready_count == 0 && done < count && !resolve()) {
        aborted = true;
    }
    if (ready_count == 0 || aborted) {
        go(from, main_fiber);
        return;
    }
    int t = ready[ready_head];
    ready_head = (ready_head + 1) % MOST_THREADS;
    ready_count--;
    Fiber& to = fibers[threads[t].fiber];
    resume(t);
    if (&to != &from) {
        go(from, to);
    }
}

void fiber_main() {
    int self = free_fibers[free_count];
    while (started < count) {
        int t = order[started++];
        threads[t].fiber = self;
        resume(t);
        running->kernel->call(const_cast<void**>(running->arguments.data()));
        threads[current_thread].state = DONE;
        done++;
        // Another thread's fibre this is not: who waits keeps its own.
        if (waiting > 0 && waiting + done == count) {
            release_barrier();
        }
    }
    free_fibers[free_count++] = self;
    leave(fibers[self]);
    abort();  // nobody comes back
}

void wait_here(int t) {
    leave(fibers[threads[t].fiber]);
}

int barrier(int kind, int predicate, int line) {
    int t = current_thread;
    Thread& x = threads[t];
    x.state = AT_BARRIER;
    x.kind = (char)kind;
    x.value = predicate;
    x.line = line;
    waiting++;
    if (waiting + done == count) {
        release_barrier();
    }
    wait_here(t);
    return (int)x.result;
}

unsigned long long warp(int kind, unsigned mask, unsigned long long value, int source, int line) {
    int t = current_thread;
    Thread& x = threads[t];
    x.state = AT_WARP;
    x.kind = (char)kind;
    x.mask = mask;
    x.value = value;
    x.source = source;
    x.line = line;
    if (!(mask >> (t & 31) & 1) && !told) {
        told = true;
        error("%s: %s is not in the mask 0x%x of its own call in line %d", name_block().c_str(),
              name_thread(t).c_str(), mask, line);
    }
    if (!release_warp(t)) {
        wait_here(t);
    }
    return x.result;
}

unsigned active() {
    return alive(current_thread & ~31);
}

void yield() {
    int t = current_thread;
    make_ready(t);
    wait_here(t);
}

int print(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = vfprintf(stderr, format, arguments);
    va_end(arguments);
    return n;
}

void stop() {
    aborted = true;
    go(fibers[threads[current_thread].fiber], main_fiber);
}

void assertion(const char* expression, int line) {
    lose(CUDA_ERROR_ASSERT, "%s, %s: assertion in line %d failed: %s", name_block().c_str(),
         name_thread(current_thread).c_str(), line, expression);
    stop();
}

void access(unsigned long long, unsigned long long, int) {}

// ---- Watchdog --------------------------------------------------------------------------------------------------------

pthread_t runner;
volatile double deadline;  // ms; 0: none runs

// The runner's processor time: a busy machine is no reason to end a kernel, and one that waits is found otherwise.
double processor_milliseconds() {
    clockid_t clock;
    timespec t;
    if (pthread_getcpuclockid(runner, &clock) != 0 || clock_gettime(clock, &t) != 0) {
        return 0;
    }
    return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

void* watch(void*) {
    while (true) {
        usleep(100000);
        double then = deadline;
        if (then != 0 && processor_milliseconds() > then) {
            pthread_kill(runner, timeout_signal());  // which looks again: by now another kernel may run
        }
    }
    return nullptr;
}

double limit() {
    static const char* seconds = getenv("GRAMIAN_EMULATED_TIMEOUT");
    static double ms = seconds ? atof(seconds) * 1000 : 60000;
    return ms;
}

void start_watch() {
    static bool started = false;
    if (!started) {
        started = true;
        pthread_t t;
        pthread_create(&t, nullptr, watch, nullptr);
        pthread_detach(t);
    }
    runner = pthread_self();
    deadline = processor_milliseconds() + limit();
    timed = true;
}

void stop_watch() {
    timed = false;
    deadline = 0;
}

// ---- Blocks ----------------------------------------------------------------------------------------------------------

void run_block() {
    races_block();
    started = done = waiting = 0;
    ready_head = ready_count = 0;
    aborted = false;
    for (int t = 0; t < count; t++) {
        threads[t].state = NEW;
    }
    free_count = MOST_THREADS;
    for (int f = 0; f < MOST_THREADS; f++) {
        free_fibers[f] = MOST_THREADS - 1 - f;
    }
    go(main_fiber, fibers[new_fiber()]);
}

constexpr int CANARY = 0x7f;
constexpr size_t CANARIES = 1024;

void check_dynamic(const Launch& launch) {
    const unsigned char* end = reinterpret_cast<unsigned char*>(launch.module->dynamic) + launch.dynamic_shared;
    for (size_t i = 0; i < CANARIES; i++) {
        if (end[i] != CANARY) {
            error("%s: shared memory was written %zu bytes behind its %u bytes", name_block().c_str(), i,
                  launch.dynamic_shared);
            return;
        }
    }
}

}  // namespace

const Launch* running_launch() {
    return running;
}

int running_thread() {
    return current_thread;
}

std::string running_block() {
    return running ? name_block() : "a kernel";
}

int timeout_signal() {
    return SIGRTMIN + 9;
}

bool may_time_out() {
    return timed && pthread_equal(pthread_self(), runner) && processor_milliseconds() > deadline;
}

void run_grid(const Launch& launch) {
    emu_state* state = launch.module->state;
    here = state;
    running = &launch;
    told = false;
    launches++;
    races_launch();
    state->api = &device_api;
    state->block_size = {launch.block[0], launch.block[1], launch.block[2]};
    state->grid_size = {launch.grid[0], launch.grid[1], launch.grid[2]};
    state->dynamic_bytes = launch.dynamic_shared;
    state->shadow_base = shadow.base;
    state->shadow_bytes = shadow.bytes;
    state->shadow_map = shadow.bytemap;
    count = (int)(launch.block[0] * launch.block[1] * launch.block[2]);
    bool backwards = launches & 1;
    for (int t = 0; t < count; t++) {
        unsigned x = t % launch.block[0], yz = t / launch.block[0];
        threads[t].index = {x, yz % launch.block[1], yz / launch.block[1]};
        order[t] = backwards ? count - 1 - t : t;
    }
    size_t statics = launch.module->shared_end - launch.module->shared_begin;
    char* dynamic = launch.module->dynamic;
    uint64_t blocks = (uint64_t)launch.grid[0] * launch.grid[1] * launch.grid[2];
    start_watch();
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t b = backwards ? blocks - 1 - i : i;
        uint64_t yz = b / launch.grid[0];
        state->block = {(unsigned)(b % launch.grid[0]), (unsigned)(yz % launch.grid[1]),
                        (unsigned)(yz / launch.grid[1])};
        // Shared memory comes with NaN in it; of large grids only some blocks', for time.
        if (i < 8 || i % 16 == 0) {
            memset(launch.module->shared_begin, poison_pattern, statics);
            memset(dynamic, poison_pattern, launch.dynamic_shared);
            memset(dynamic + launch.dynamic_shared, CANARY, CANARIES);
        }
        run_block();
        if (aborted || lost) {
            break;
        }
        if (i < 8 || i % 16 == 15 || i + 1 == blocks) {
            check_dynamic(launch);
        }
    }
    stop_watch();
    races_launch();
    running = nullptr;
    launched(launch.name);
    if (live_blocks() <= 256) {
        check_guards(launch.name.c_str());
    }
}

void crash(int signal, void* address, const char* what) {
    stop_watch();
    std::string where = what;
    if (running) {
        where = name_block() + ", " + name_thread(current_thread);
        running = nullptr;
    }
    if (signal == timeout_signal()) {
        lose(CUDA_ERROR_LAUNCH_TIMEOUT, "%s: runs for more than %.0f s of processor time", where.c_str(),
             limit() / 1000);
    } else if (signal == SIGSEGV || signal == SIGBUS) {
        lose(CUDA_ERROR_ILLEGAL_ADDRESS, "%s: touches address %p, which nothing is mapped to", where.c_str(), address);
    } else if (signal == SIGFPE) {
        lose(CUDA_ERROR_LAUNCH_FAILED, "%s: divides an integer by zero", where.c_str());
    } else {
        lose(CUDA_ERROR_ILLEGAL_INSTRUCTION, "%s: trap", where.c_str());
    }
}

const emu_api device_api = {barrier, warp, active, yield, print, assertion, access};

}  // namespace emu
