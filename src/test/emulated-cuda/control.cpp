// What tests steer and read: faults, recorded errors, counters.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <unordered_map>

#include "driver.h"

const int gramian_emulated_cuda = 1;

namespace emu {

std::mutex mutex;
bool initialised = false;
CUresult lost = 0;
constexpr long long CARD = 8LL << 30;
long long memory_limit = CARD;
thread_local bool working = false;

namespace {

struct Fault {
    std::string function;
    int nth;  // 0: every call
    int status;
};

// Apart from the big lock: work that runs, and kernels, report while another holds it.
struct Records {
    std::mutex mutex;
    std::vector<std::string> errors;
    std::map<std::string, long long> launches;
    long long all_launches = 0;
};

// Function-local statics: other files' static initialisers come here.
std::map<std::string, Function*>& functions() {
    static auto* m = new std::map<std::string, Function*>();
    return *m;
}

std::vector<Fault>& faults() {
    static auto* v = new std::vector<Fault>();
    return *v;
}

Records& records() {
    static auto* r = new Records();
    return *r;
}

std::string plain(const char* name) {
    std::string s = name;
    size_t n = s.size();
    if (n > 3 && s[n - 3] == '_' && s[n - 2] == 'v' && s[n - 1] >= '2' && s[n - 1] <= '9') {
        s.resize(n - 3);
    }
    return s;
}

CUresult strike(const std::string& function) {
    std::vector<Fault>& all = faults();
    for (size_t i = 0; i < all.size(); i++) {
        if (all[i].function == function || (all[i].function == "*" && function != "run")) {
            int status = all[i].status;
            if (all[i].nth == 0) {
                return status;
            }
            if (--all[i].nth == 0) {
                all.erase(all.begin() + i);
                return status;
            }
        }
    }
    return 0;
}

void record(const char* format, va_list arguments) {
    char text[2048];
    vsnprintf(text, sizeof text, format, arguments);
    Records& r = records();
    std::lock_guard<std::mutex> hold(r.mutex);
    fprintf(stderr, "emulated CUDA: %s\n", text);
    if (r.errors.size() < 200) {
        r.errors.push_back(text);
    }
}

}  // namespace

Function::Function(const char* name) : name(name) {
    static std::mutex guard;
    std::lock_guard<std::mutex> hold(guard);
    functions()[plain(name)] = this;
}

CUresult Function::strike() {
    calls++;
    return faults().empty() ? 0 : emu::strike(plain(name));
}

CUresult strike_run() {
    return faults().empty() ? 0 : strike("run");
}

void error(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    record(format, arguments);
    va_end(arguments);
}

void lose(CUresult status, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    record(format, arguments);
    va_end(arguments);
    if (!lost) {
        lost = status;
    }
}

void launched(const std::string& kernel) {
    Records& r = records();
    std::lock_guard<std::mutex> hold(r.mutex);
    r.launches[kernel]++;
    r.all_launches++;
}

// Work that runs on this thread holds the lock already.
struct MaybeLock {
    bool taken;
    MaybeLock() : taken(!working) {
        if (taken) mutex.lock();
    }
    ~MaybeLock() {
        if (taken) mutex.unlock();
    }
};

}  // namespace emu

using namespace emu;

extern "C" {

void emu_error(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    record(format, arguments);
    va_end(arguments);
}

int emu_fault(const char* function) {
    MaybeLock hold;
    std::string name = plain(function);
    auto at = functions().find(name);
    Function* f = at != functions().end() ? at->second : new Function(strdup(name.c_str()));
    return f->strike();
}

int emu_lost(void) {
    MaybeLock hold;
    return lost;
}

int emu_has_context(void) {
    MaybeLock hold;
    return initialised && current() != nullptr;
}

int emu_is_device(const void* p, size_t bytes) {
    MaybeLock hold;
    return is_device(p, bytes);
}

void emu_inject(const char* function, int nth, int status) {
    Lock lock(mutex);
    faults().push_back({plain(function), nth, status});
}

void emu_reset_faults(void) {
    Lock lock(mutex);
    faults().clear();
    lost = 0;
}

void emu_lose_device(int status) {
    Lock lock(mutex);
    lost = status;
}

int emu_take_errors(char* buffer, size_t size) {
    {
        Lock lock(mutex);
        settle_frees();
        check_guards(nullptr);
    }
    Records& r = records();
    std::lock_guard<std::mutex> hold(r.mutex);
    std::string text;
    for (const std::string& e : r.errors) {
        text += e + "\n";
    }
    int count = (int)r.errors.size();
    r.errors.clear();
    if (size > 0) {
        size_t n = text.size() < size - 1 ? text.size() : size - 1;
        memcpy(buffer, text.data(), n);
        buffer[n] = 0;
    }
    return count;
}

void emu_set_memory(long long bytes) {
    Lock lock(mutex);
    memory_limit = bytes == 0 ? CARD : bytes;
}

long long emu_launches(const char* kernel) {
    Records& r = records();
    std::lock_guard<std::mutex> hold(r.mutex);
    if (!kernel) {
        return r.all_launches;
    }
    auto at = r.launches.find(kernel);
    return at == r.launches.end() ? 0 : at->second;
}

long long emu_calls(const char* function) {
    MaybeLock hold;
    if (!function) {
        long long all = 0;
        for (const auto& [name, f] : functions()) {
            all += f->calls;
        }
        return all;
    }
    auto at = functions().find(plain(function));
    return at == functions().end() ? 0 : at->second->calls;
}

}  // extern "C"
