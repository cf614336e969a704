// Streams and events. Work waits on its stream until something forces it, and then only what it needs runs: streams
// that no event orders run in the least convenient order.
#include <algorithm>
#include <condition_variable>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <pthread.h>
#include <thread>

#include "driver.h"

namespace emu {

uint64_t last_number = 0;

namespace {

constexpr size_t MOST_PENDING = 1000;  // also bounds the recursion of force

bool eager = false;
uint64_t next_id = 1;
size_t pending = 0, pending_host = 0;
std::set<Stream*> all_streams;
std::set<Stream*> zombies;  // destroyed with work on them
std::condition_variable changed;
std::deque<WorkRef> for_host_thread;
std::condition_variable host_thread_wakes;
bool host_thread_runs = false;
thread_local bool is_host_thread = false;

struct Event {
    static constexpr unsigned MAGIC = 0x4556454e;
    unsigned magic = MAGIC;
    unsigned flags;
    WorkRef mark;
    bool asked = false;                 // since it was recorded, while not done
    std::shared_ptr<Capture> capture;   // recorded in there
    std::vector<int> nodes;
};
std::set<Event*> events;

Event* event_of(void* handle) {
    Event* e = static_cast<Event*>(handle);
    return events.count(e) ? e : nullptr;
}

WorkRef mark() {
    WorkRef w = std::make_shared<Work>();
    w->what = "a mark";
    return w;
}

void finish(const WorkRef& w) {
    w->running = false;
    w->done = true;
    w->finished = milliseconds();
    w->after.clear();
    Stream* s = w->stream;
    s->queue.pop_front();
    pending--;
    pending_host -= w->host;
    if (w->drop) {
        w->drop(w->data);
        w->drop = nullptr;
    }
    if (s->queue.empty() && zombies.erase(s)) {
        w->stream = nullptr;
        delete s;
    }
    changed.notify_all();
}

void run_host_function(Lock& lock, const WorkRef& w) {
    if (!lost) {
        lock.unlock();
        w->run(w->data);
        lock.lock();
    }
    finish(w);
}

// Host functions run on this thread, as in the real driver not on the caller's; and without being forced, a little
// later, for who waits for them by other means.
void host_thread() {
    is_host_thread = true;
    Lock lock(mutex);
    while (true) {
        if (for_host_thread.empty()) {
            if (pending_host == 0) {
                host_thread_wakes.wait(lock);
            } else if (host_thread_wakes.wait_for(lock, std::chrono::milliseconds(20)) == std::cv_status::timeout) {
                for (Stream* s : std::vector<Stream*>(all_streams.begin(), all_streams.end())) {
                    if (all_streams.count(s) && !s->queue.empty() && for_host_thread.empty()) {
                        auto h = std::find_if(s->queue.begin(), s->queue.end(), [](auto& w) { return w->host; });
                        if (h != s->queue.end()) {
                            // up to the function; it is the next round's
                            WorkRef before = h == s->queue.begin() ? nullptr : *std::prev(h);
                            WorkRef function = *h;
                            if (before) force(lock, before);
                            for (const WorkRef& a : std::vector<WorkRef>(function->after)) force(lock, a);
                            if (!function->done && !function->running) {
                                function->running = true;
                                for_host_thread.push_back(function);
                            }
                            break;
                        }
                    }
                }
            }
            continue;
        }
        WorkRef w = for_host_thread.front();
        for_host_thread.pop_front();
        run_host_function(lock, w);
    }
}

// The first work of its stream, whose conditions are met.
void run(Lock& lock, const WorkRef& w) {
    if (w->host) {
        w->running = true;
        if (is_host_thread) {
            run_host_function(lock, w);
        } else {
            for_host_thread.push_back(w);
            host_thread_wakes.notify_all();
            changed.wait(lock, [&] { return w->done; });
        }
        return;
    }
    if (frees_wait) {
        settle_frees();
    }
    if (w->run) {
        if (CUresult fault = lost ? 0 : strike_run()) {
            lost = fault;
        }
        if (!lost) {
            guarded(w->run, w->data, w->what);
        }
    }
    finish(w);
}

}  // namespace

double milliseconds() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

Work::~Work() {
    if (drop) {
        drop(data);
    }
}

Stream::Stream(Context* context, unsigned flags) : context(context), flags(flags), id(next_id++) {
    all_streams.insert(this);
}

Stream::~Stream() {
    magic = 0;
    all_streams.erase(this);
}

Stream* stream_of(void* handle, Context* context) {
    uintptr_t h = reinterpret_cast<uintptr_t>(handle);
    if (h <= 1) {
        return context->legacy.get();
    }
    if (h == 2) {
        auto& s = context->per_thread[pthread_self()];
        if (!s) {
            s.reset(new Stream(context, 0));
        }
        return s.get();
    }
    Stream* s = static_cast<Stream*>(handle);
    if (all_streams.count(s) == 0 || zombies.count(s) || s->legacy) {
        error("%p is not a stream, or one that was destroyed", handle);
        return nullptr;
    }
    return s;
}

void force(Lock& lock, const WorkRef& work) {
    while (!work->done) {
        WorkRef first = work->stream->queue.front();
        if (first->running) {
            changed.wait(lock);
            continue;
        }
        bool ready = true;
        for (const WorkRef& a : std::vector<WorkRef>(first->after)) {
            if (!a->done) {
                force(lock, a);
                ready = false;  // others may have worked meanwhile: look again
            }
        }
        if (ready) {
            run(lock, first);
        }
    }
}

void force(Lock& lock, Stream* stream) {
    if (stream->tail) {
        WorkRef tail = stream->tail;
        force(lock, tail);
    }
}

void force_all(Lock& lock, Context* context) {
    uint64_t until = last_number;
    while (true) {
        // The stream that got work last goes first.
        Stream* next = nullptr;
        for (Stream* s : all_streams) {
            if ((!context || s->context == context) && !s->queue.empty() && s->queue.front()->number <= until &&
                (!next || s->queue.back()->number > next->queue.back()->number)) {
                next = s;
            }
        }
        if (!next) {
            break;
        }
        WorkRef tail = next->queue.back();
        force(lock, tail);
    }
    settle_frees();
}

uint64_t oldest_pending() {
    uint64_t oldest = last_number + 1;
    for (Stream* s : all_streams) {
        if (!s->queue.empty() && s->queue.front()->number < oldest) {
            oldest = s->queue.front()->number;
        }
    }
    return oldest;
}

static void wait_for(const WorkRef& work, const WorkRef& other) {
    if (other && !other->done) {
        work->after.push_back(other);
    }
}

CUresult put(Lock& lock, Stream* stream, const WorkRef& work) {
    work->stream = stream;
    if (stream->capture) {
        if (stream->capture->broken) {
            return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        }
        Graph* g = stream->capture->graph;
        g->nodes.push_back({work, stream->capture_tail});
        stream->capture_tail = {(int)g->nodes.size() - 1};
        return CUDA_SUCCESS;
    }
    if (stream->legacy) {
        for (Capture* c : captures) {
            for (Stream* s : c->streams) {
                if (s->context == stream->context && !(s->flags & 1)) {
                    c->broken = true;
                    return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
                }
            }
        }
        for (Stream* s : all_streams) {
            if (s->context == stream->context && !(s->flags & 1) && s != stream) {
                wait_for(work, s->tail);
            }
        }
    } else if (!(stream->flags & 1)) {
        wait_for(work, stream->context->legacy->tail);
    }
    work->number = ++last_number;
    stream->queue.push_back(work);
    stream->tail = work;
    pending++;
    pending_host += work->host;
    if (work->host) {
        if (!host_thread_runs) {
            host_thread_runs = true;
            std::thread(host_thread).detach();
        }
        host_thread_wakes.notify_all();
    }
    // With a host function in the way the caller would wait for Java code; a launch must not.
    if (eager || (pending > MOST_PENDING && pending_host == 0)) {
        if (pending > MOST_PENDING) {
            force_all(lock, nullptr);
        } else {
            force(lock, work);
        }
    }
    return CUDA_SUCCESS;
}

// ---- Crashes ---------------------------------------------------------------------------------------------------------

namespace {

thread_local sigjmp_buf landing;
thread_local volatile bool trapped = false;
thread_local volatile int crash_signal;
thread_local void* volatile crash_address;
const int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, timeout_signal()};
constexpr int SIGNAL_COUNT = 5;
struct sigaction before[SIGNAL_COUNT];

void on_signal(int signal, siginfo_t* info, void* where) {
    if (signal == timeout_signal() && !may_time_out()) {
        return;
    }
    if (trapped) {
        crash_signal = signal;
        crash_address = info->si_addr;
        siglongjmp(landing, 1);
    }
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        if (SIGNALS[i] != signal) {
            continue;
        }
        if (before[i].sa_flags & SA_SIGINFO) {
            before[i].sa_sigaction(signal, info, where);
        } else if (before[i].sa_handler == SIG_DFL) {
            ::signal(signal, SIG_DFL);  // it happens again, and ends the process
        } else if (before[i].sa_handler != SIG_IGN) {
            before[i].sa_handler(signal);
        }
    }
}

void install() {
    static bool done = false;
    if (!done) {
        done = true;
        struct sigaction a;
        memset(&a, 0, sizeof a);
        a.sa_sigaction = on_signal;
        a.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
        for (int i = 0; i < SIGNAL_COUNT; i++) {
            sigaction(SIGNALS[i], &a, &before[i]);
        }
    }
}

}  // namespace

bool guarded(void (*body)(void*), void* data, const char* what) {
    if (working) {  // work that runs other work: a graph
        body(data);
        return !lost;
    }
    install();
    static thread_local char* stack = new char[64 << 10];
    stack_t alternative = {stack, 0, 64 << 10}, old;
    sigaltstack(&alternative, &old);
    working = true;
    bool crashed = false;
    if (sigsetjmp(landing, 0) == 0) {
        trapped = true;
        body(data);
        trapped = false;
    } else {
        trapped = false;
        crashed = true;
        crash(crash_signal, crash_address, what);
    }
    working = false;
    old.ss_flags &= ~SS_ONSTACK;
    sigaltstack(&old, nullptr);
    return !crashed && !lost;
}

}  // namespace emu

using namespace emu;

#define EXPORT extern "C" __attribute__((visibility("default")))
#define EMU_STREAM(handle)                            \
    emu::Stream* stream = emu::stream_of(handle, context); \
    if (!stream) return CUDA_ERROR_INVALID_HANDLE

// ---- Streams ---------------------------------------------------------------------------------------------------------

EXPORT CUresult cuStreamCreate(void** handle, unsigned flags) {
    EMU_CURRENT(cuStreamCreate);
    if (!handle || flags > 1) return CUDA_ERROR_INVALID_VALUE;
    Stream* s = new Stream(context, flags);
    context->streams.insert(s);
    *handle = s;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamCreateWithPriority(void** handle, unsigned flags, int priority) {
    EMU_CURRENT(cuStreamCreateWithPriority);
    if (!handle || flags > 1) return CUDA_ERROR_INVALID_VALUE;
    Stream* s = new Stream(context, flags);
    s->priority = priority > 0 ? 0 : priority < -5 ? -5 : priority;
    context->streams.insert(s);
    *handle = s;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamDestroy_v2(void* handle) {
    EMU_CURRENT(cuStreamDestroy_v2);
    EMU_STREAM(handle);
    if (context->streams.erase(stream) == 0) return CUDA_ERROR_INVALID_HANDLE;
    if (stream->capture) {
        stream->capture->broken = true;
        stream->capture->streams.erase(stream);
    }
    if (stream->queue.empty()) {
        delete stream;
    } else {
        zombies.insert(stream);
    }
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamGetFlags(void* handle, unsigned* flags) {
    EMU_CURRENT(cuStreamGetFlags);
    EMU_STREAM(handle);
    if (!flags) return CUDA_ERROR_INVALID_VALUE;
    *flags = stream->flags;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamGetPriority(void* handle, int* priority) {
    EMU_CURRENT(cuStreamGetPriority);
    EMU_STREAM(handle);
    if (!priority) return CUDA_ERROR_INVALID_VALUE;
    *priority = stream->priority;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamGetCtx(void* handle, void** of) {
    EMU_CURRENT(cuStreamGetCtx);
    EMU_STREAM(handle);
    if (!of) return CUDA_ERROR_INVALID_VALUE;
    *of = stream->context;
    return CUDA_SUCCESS;
}

static CUresult not_captured(Stream* stream) {
    if (stream->capture) {
        stream->capture->broken = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamSynchronize(void* handle) {
    EMU_CURRENT(cuStreamSynchronize);
    EMU_STREAM(handle);
    if (CUresult r = not_captured(stream)) return r;
    if (CUresult r = unsafe_call()) return r;
    if (stream->legacy) {
        WorkRef w = mark();  // which waits for the other streams
        if (CUresult r = put(lock, stream, w)) return r;
        force(lock, w);
    } else {
        force(lock, stream);
    }
    return lost;
}

// Not ready the first time that it is asked with work pending; the second time the work has run.
EXPORT CUresult cuStreamQuery(void* handle) {
    EMU_CURRENT(cuStreamQuery);
    EMU_STREAM(handle);
    if (CUresult r = not_captured(stream)) return r;
    if (CUresult r = unsafe_call()) return r;
    static std::map<Stream*, uint64_t> asked;  // the work that was last on it then
    if (stream->queue.empty()) return CUDA_SUCCESS;
    uint64_t number = stream->queue.back()->number;
    if (asked[stream] != number) {
        asked[stream] = number;
        return CUDA_ERROR_NOT_READY;
    }
    force(lock, stream);
    return lost;
}

EXPORT CUresult cuLaunchHostFunc(void* handle, void (*function)(void*), void* data) {
    EMU_CURRENT(cuLaunchHostFunc);
    EMU_STREAM(handle);
    if (!function) return CUDA_ERROR_INVALID_VALUE;
    if (stream->capture) {
        error("cuLaunchHostFunc: host nodes of graphs are not emulated");
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    WorkRef w = std::make_shared<Work>();
    w->run = function;
    w->data = data;
    w->host = true;
    w->what = "a host function";
    return put(lock, stream, w);
}

// ---- Events ----------------------------------------------------------------------------------------------------------

EXPORT CUresult cuEventCreate(void** handle, unsigned flags) {
    EMU_CURRENT(cuEventCreate);
    if (!handle || flags > 7) return CUDA_ERROR_INVALID_VALUE;
    Event* e = new Event();
    e->flags = flags;
    events.insert(e);
    *handle = e;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuEventDestroy_v2(void* handle) {
    EMU_CURRENT(cuEventDestroy_v2);
    Event* e = event_of(handle);
    if (!e) return CUDA_ERROR_INVALID_HANDLE;
    events.erase(e);
    delete e;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuEventRecord(void* handle, void* on) {
    EMU_CURRENT(cuEventRecord);
    EMU_STREAM(on);
    Event* e = event_of(handle);
    if (!e) return CUDA_ERROR_INVALID_HANDLE;
    if (stream->capture) {
        if (stream->capture->broken) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        e->capture = stream->capture;
        e->nodes = stream->capture_tail;
        e->mark = nullptr;
        return CUDA_SUCCESS;
    }
    WorkRef w = mark();
    if (CUresult r = put(lock, stream, w)) return r;
    e->capture = nullptr;
    e->mark = w;
    e->asked = false;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamWaitEvent(void* handle, void* what, unsigned) {
    EMU_CURRENT(cuStreamWaitEvent);
    EMU_STREAM(handle);
    Event* e = event_of(what);
    if (!e) return CUDA_ERROR_INVALID_HANDLE;
    if (e->capture) {
        Capture* c = e->capture.get();
        if (captures.count(c) == 0) return CUDA_ERROR_CAPTURED_EVENT;
        if (c->broken) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        if (stream->capture && stream->capture != e->capture) {
            c->broken = stream->capture->broken = true;
            return CUDA_ERROR_STREAM_CAPTURE_MERGE;
        }
        if (stream->legacy) {
            c->broken = true;
            return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
        }
        stream->capture = e->capture;
        c->streams.insert(stream);
        for (int n : e->nodes) {
            if (std::find(stream->capture_tail.begin(), stream->capture_tail.end(), n) == stream->capture_tail.end()) {
                stream->capture_tail.push_back(n);
            }
        }
        return CUDA_SUCCESS;
    }
    if (stream->capture) {
        if (!e->mark) return CUDA_SUCCESS;
        stream->capture->broken = true;
        return 905;  // CUDA_ERROR_STREAM_CAPTURE_ISOLATION
    }
    if (!e->mark || e->mark->done) return CUDA_SUCCESS;
    WorkRef w = mark();
    w->after.push_back(e->mark);
    return put(lock, stream, w);
}

EXPORT CUresult cuEventSynchronize(void* handle) {
    EMU_CURRENT(cuEventSynchronize);
    Event* e = event_of(handle);
    if (!e) return CUDA_ERROR_INVALID_HANDLE;
    if (CUresult r = unsafe_call()) return r;
    if (e->capture) return CUDA_ERROR_CAPTURED_EVENT;
    if (e->mark) {
        WorkRef m = e->mark;
        force(lock, m);
    }
    return lost;
}

EXPORT CUresult cuEventQuery(void* handle) {
    EMU_CURRENT(cuEventQuery);
    Event* e = event_of(handle);
    if (!e) return CUDA_ERROR_INVALID_HANDLE;
    if (CUresult r = unsafe_call()) return r;
    if (e->capture) return CUDA_ERROR_CAPTURED_EVENT;
    if (!e->mark || e->mark->done) return CUDA_SUCCESS;
    if (!e->asked) {
        e->asked = true;
        return CUDA_ERROR_NOT_READY;
    }
    WorkRef m = e->mark;
    force(lock, m);
    return lost;
}

static CUresult elapsed(float* ms, void* from, void* to) {
    Event *a = event_of(from), *b = event_of(to);
    if (!a || !b || !a->mark || !b->mark || (a->flags & 2) || (b->flags & 2)) return CUDA_ERROR_INVALID_HANDLE;
    if (!ms) return CUDA_ERROR_INVALID_VALUE;
    if (!a->mark->done || !b->mark->done) return CUDA_ERROR_NOT_READY;
    *ms = (float)(b->mark->finished - a->mark->finished);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuEventElapsedTime(float* ms, void* from, void* to) {
    EMU_CURRENT(cuEventElapsedTime);
    return elapsed(ms, from, to);
}

EXPORT CUresult cuEventElapsedTime_v2(float* ms, void* from, void* to) {
    EMU_CURRENT(cuEventElapsedTime_v2);
    return elapsed(ms, from, to);
}

// ---- For libraries and tests -----------------------------------------------------------------------------------------

extern "C" {

void emu_enqueue(void* handle, void (*fn)(void*), void (*drop)(void*), void* data, const char* what) {
    WorkRef w = std::make_shared<Work>();
    w->run = fn;
    w->drop = drop;
    w->data = data;
    w->what = what;
    if (working) {
        error("emu_enqueue of %s by work that runs", what);
        return;
    }
    Lock lock(mutex);
    Context* context = current();
    Stream* s = context ? stream_of(handle, context) : nullptr;
    if (!context) {
        error("emu_enqueue of %s without a current context", what);
    } else if (s && !lost) {
        put(lock, s, w);
    }
}

void emu_set_mode(int mode) {
    Lock lock(mutex);
    eager = mode != 0;
    if (eager) {
        force_all(lock, nullptr);
    }
}

long long emu_pending(void) {
    Lock lock(mutex);
    return (long long)pending;
}

}  // extern "C"
