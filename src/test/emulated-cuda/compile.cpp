#include "compile.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"

extern char** environ;

namespace emu {
namespace {

constexpr const char* MAGIC = "GRAMIAN EMULATED KERNELS 1";

// Options of the precompiled header and of what it is used in: they must be the same.
const std::vector<std::string> FLAGS = {EMU_KERNEL_FLAGS};

std::string here() {
    Dl_info info;
    dladdr(reinterpret_cast<void*>(&pack_image), &info);
    std::string path = info.dli_fname;
    size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

const char* compiler() {
    const char* c = getenv("CXX");
    return c && *c ? c : "g++";
}

// Of this user alone; kept between runs.
std::string cache() {
    static std::string directory = [] {
        const char* given = getenv("GRAMIAN_EMULATED_CACHE");
        std::string d = given ? given : here() + "/cache";
        mkdir(d.c_str(), 0700);
        return d;
    }();
    return directory;
}

// A directory for the files of one compilation, removed with them.
struct Scratch {
    std::string path;
    Scratch() {
        std::string pattern = cache() + "/work-XXXXXX";
        path = mkdtemp(&pattern[0]) ? pattern : "";
    }
    ~Scratch() {
        for (const char* f : {"in.cu", "out.ii", "out.o", "out.so", "log"}) {
            unlink((path + "/" + f).c_str());
        }
        for (const std::string& f : more) {
            unlink(f.c_str());
        }
        rmdir(path.c_str());
    }
    std::vector<std::string> more;
};

// Runs a program with both outputs in a file; its exit status.
int run(const std::vector<std::string>& command, const std::string& log_file) {
    std::vector<char*> argv;
    for (const std::string& c : command) {
        argv.push_back(const_cast<char*>(c.c_str()));
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    // Messages in English; and no preloaded library in the compiler.
    std::vector<char*> env;
    char english[] = "LC_ALL=C";
    for (char** e = environ; *e; e++) {
        if (strncmp(*e, "LD_PRELOAD=", 11) != 0 && strncmp(*e, "LC_ALL=", 7) != 0) {
            env.push_back(*e);
        }
    }
    env.push_back(english);
    env.push_back(nullptr);
    pid_t pid;
    int failed = posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(), env.data());
    posix_spawn_file_actions_destroy(&files);
    if (failed) {
        write_file(log_file, "cannot run " + command[0] + ": " + strerror(failed) + "\n");
        return -1;
    }
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Two 64-bit FNV-1a hashes side by side: names in a cache of our own.
std::string hash(const std::string& s) {
    uint64_t a = 0xcbf29ce484222325ull, b = 0x9e3779b97f4a7c15ull;
    for (unsigned char c : s) {
        a = (a ^ c) * 0x100000001b3ull;
        b = (b ^ c) * 0x10000000233ull;
        b ^= b >> 29;
    }
    char t[40];
    snprintf(t, sizeof t, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
    return t;
}

// Of what a compiled kernel depends on beside its text.
const std::string& environment() {
    static std::string all = [] {
        std::string text = __VERSION__, part;
        for (const char* f : {"/device/abi.h", "/device/host.cuh", "/device/parts"}) {
            read_file(here() + f, &part);
            text += part;
        }
        return hash(text);
    }();
    return all;
}

}  // namespace

bool read_file(const std::string& path, std::string* content) {
    content->clear();
    FILE* f = fopen(path.c_str(), "rb");
    if (!f) {
        return false;
    }
    char buffer[1 << 16];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0) {
        content->append(buffer, n);
    }
    fclose(f);
    return true;
}

bool write_file(const std::string& path, const std::string& content) {
    FILE* f = fopen(path.c_str(), "wb");
    if (!f) {
        return false;
    }
    bool ok = fwrite(content.data(), 1, content.size(), f) == content.size();
    return fclose(f) == 0 && ok;
}

static void replace_all(std::string* s, const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = s->find(from, at)) != std::string::npos; at += to.size()) {
        s->replace(at, from.size(), to);
    }
}

bool preprocess(const std::string& text, const std::string& name, const std::vector<std::string>& options,
                const std::vector<std::pair<std::string, std::string>>& headers, std::string* result,
                std::string* log) {
    Scratch scratch;
    if (scratch.path.empty()) {
        *log = "no directory for the compiler in " + cache() + "\n";
        return false;
    }
    std::vector<std::string> command = {compiler(), "-E", "-std=gnu++17", "-nostdinc", "-nostdinc++", "-x", "c++"};
    for (const auto& [header, content] : headers) {
        std::string file = scratch.path + "/" + header;
        write_file(file, content);
        scratch.more.push_back(file);
    }
    if (!headers.empty()) {
        command.push_back("-I" + scratch.path);
    }
    command.insert(command.end(), options.begin(), options.end());
    std::string in = scratch.path + "/in.cu", out = scratch.path + "/out.ii";
    command.insert(command.end(), {"-include", here() + "/device/macros.cuh", in, "-o", out});
    write_file(in, "#line 1 \"" + name + "\"\n" + text);
    int status = run(command, scratch.path + "/log");
    read_file(scratch.path + "/log", log);
    replace_all(log, scratch.path + "/", "");
    return status == 0 && read_file(out, result);
}

std::string compile(const std::string& text, const std::vector<std::string>& options, std::string* log) {
    std::string key = environment();
    for (const std::string& o : options) {
        key += " " + o;
    }
    std::string file = cache() + "/" + hash(key + "\n" + text) + ".so";
    struct stat there;
    if (stat(file.c_str(), &there) == 0) {
        log->clear();
        return file;
    }
    Scratch scratch;
    if (scratch.path.empty()) {
        *log = "no directory for the compiler in " + cache() + "\n";
        return "";
    }
    std::string in = scratch.path + "/in.cu", object = scratch.path + "/out.o", so = scratch.path + "/out.so";
    write_file(in, text);
    std::vector<std::string> command = {compiler()};
    command.insert(command.end(), FLAGS.begin(), FLAGS.end());
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {"-include", here() + "/device/host.cuh", "-x", "c++", "-c", in, "-o", object});
    int status = run(command, scratch.path + "/log");
    read_file(scratch.path + "/log", log);
    if (status == 0) {
        std::string link_log;
        status = run({compiler(), "-shared", "-nostdlib", "-fno-lto", object, "-o", so, "-lm", "-lc"},
                     scratch.path + "/log");
        read_file(scratch.path + "/log", &link_log);
        *log += link_log;
    }
    replace_all(log, scratch.path + "/", "");
    // Many may compile the same at once: each file comes whole.
    return status == 0 && rename(so.c_str(), file.c_str()) == 0 ? file : "";
}

std::string pack_image(const std::string& text, const std::vector<std::string>& options) {
    std::string all;
    for (const std::string& o : options) {
        all += o + "\n";
    }
    return std::string(MAGIC) + " " + std::to_string(all.size()) + " " + std::to_string(text.size()) + "\n" + all + text;
}

bool unpack_image(const void* image, std::string* text, std::vector<std::string>* options) {
    const char* p = static_cast<const char*>(image);
    size_t magic = strlen(MAGIC);
    size_t option_bytes, text_bytes;
    int used = 0;
    if (strncmp(p, MAGIC, magic) != 0 || sscanf(p + magic, " %zu %zu%n", &option_bytes, &text_bytes, &used) != 2) {
        return false;
    }
    p += magic + used + 1;
    std::string one;
    for (size_t i = 0; i < option_bytes; i++) {
        if (p[i] == '\n') {
            options->push_back(one);
            one.clear();
        } else {
            one += p[i];
        }
    }
    text->assign(p + option_bytes, text_bytes);
    return true;
}

}  // namespace emu

// For libnvrtc.so.12.
#pragma GCC visibility push(default)
extern "C" {
bool emu_preprocess(const std::string& text, const std::string& name, const std::vector<std::string>& options,
                    const std::vector<std::pair<std::string, std::string>>& headers, std::string* result,
                    std::string* log) {
    return emu::preprocess(text, name, options, headers, result, log);
}

bool emu_compile(const std::string& text, const std::vector<std::string>& options, std::string* image,
                 std::string* log) {
    *image = emu::pack_image(text, options);
    return !emu::compile(text, options, log).empty();
}
}
#pragma GCC visibility pop
