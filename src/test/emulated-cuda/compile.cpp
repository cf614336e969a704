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

constexpr const char MAGIC[] = "GRAMIAN EMULATED KERNELS";

// Options of the precompiled header and of what it is used in: they must be the same.
const std::vector<std::string> FLAGS = {EMU_KERNEL_FLAGS};

std::string here() {
    Dl_info info;
    dladdr(reinterpret_cast<void*>(&build), &info);
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
        read_file(here() + "/device/parts", &part);
        text += part;
        return hash(text);
    }();
    return all;
}

// Cuts what the compiler says of the table behind the text, as long as it says something else.
void tidy(std::string* log, const std::string& directory) {
    for (size_t at; (at = log->find(directory)) != std::string::npos;) {
        log->erase(at, directory.size());
    }
    size_t table = log->find(TABLE);
    if (table != std::string::npos && table > 0) {
        log->erase(log->rfind('\n', table) + 1);
    }
}

bool first_pass(const Source& s, Scratch* scratch, std::string* text, std::string* log) {
    std::string in = scratch->path + "/in.cu", out = scratch->path + "/out.ii", file = scratch->path + "/log";
    std::vector<std::string> command = {compiler(), "-E", "-std=gnu++17", "-nostdinc", "-nostdinc++", "-x", "c++"};
    for (const auto& [name, content] : s.headers) {
        scratch->more.push_back(scratch->path + "/" + name);
        write_file(scratch->more.back(), content);
    }
    if (!s.headers.empty()) {
        command.push_back("-I" + scratch->path);
    }
    command.insert(command.end(), s.first.begin(), s.first.end());
    command.insert(command.end(), {"-include", here() + "/device/macros.cuh", in, "-o", out});
    write_file(in, "#line 1 \"" + s.name + "\"\n" + s.text);
    int status = run(command, file);
    read_file(file, log);
    return status == 0 && read_file(out, text);
}

bool second_pass(const Source& s, const Scratch& scratch, const std::string& text, std::string* log) {
    std::string in = scratch.path + "/in.cu", object = scratch.path + "/out.o", file = scratch.path + "/log";
    write_file(in, translate(text, s.expressions));
    std::vector<std::string> command = {compiler()};
    command.insert(command.end(), FLAGS.begin(), FLAGS.end());
    command.insert(command.end(), s.second.begin(), s.second.end());
    command.insert(command.end(), {"-include", here() + "/device/host.cuh", "-x", "c++", "-c", in, "-o", object});
    int status = run(command, file);
    read_file(file, log);
    if (status == 0) {
        status = run({compiler(), "-shared", "-nostdlib", "-fno-lto", object, "-o", scratch.path + "/out.so", "-lm",
                      "-lc"},
                     file);
        std::string more;
        read_file(file, &more);
        *log += more;
    }
    return status == 0;
}

void field(std::string* to, const std::string& s) {
    *to += std::to_string(s.size()) + " " + s;
}

void fields(std::string* to, const std::vector<std::string>& all) {
    field(to, std::to_string(all.size()));
    for (const std::string& s : all) {
        field(to, s);
    }
}

struct Reader {
    const char* p;
    std::string next() {
        char* end;
        size_t n = strtoull(p, &end, 10);
        std::string s(end + 1, n);
        p = end + 1 + n;
        return s;
    }
    std::vector<std::string> list() {
        std::vector<std::string> all(strtoull(next().c_str(), nullptr, 10));
        for (std::string& s : all) {
            s = next();
        }
        return all;
    }
};

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

std::string build(const Source& source, std::string* log) {
    log->clear();
    std::string file = cache() + "/" + hash(environment() + pack(source)) + ".so";
    if (access(file.c_str(), R_OK) == 0) {
        return file;
    }
    Scratch scratch;
    if (scratch.path.empty()) {
        *log = "no directory for the compiler in " + cache() + "\n";
        return "";
    }
    std::string text, more;
    bool ok = first_pass(source, &scratch, &text, log);
    if (ok) {
        ok = second_pass(source, scratch, text, &more);
        *log += more;
    }
    tidy(log, scratch.path + "/");
    if (!ok && source.text.find("asm") != std::string::npos) {
        *log += "emulated NVRTC: inline PTX cannot be emulated; give plain C++ under #ifdef GRAMIAN_EMULATED\n";
    }
    // Many may compile the same at once: each file comes whole.
    return ok && rename((scratch.path + "/out.so").c_str(), file.c_str()) == 0 ? file : "";
}

std::string pack(const Source& s) {
    std::string all;
    field(&all, s.text);
    field(&all, s.name);
    std::vector<std::string> headers;
    for (const auto& [name, text] : s.headers) {
        headers.push_back(name);
        headers.push_back(text);
    }
    fields(&all, headers);
    fields(&all, s.expressions);
    fields(&all, s.first);
    fields(&all, s.second);
    return std::string(MAGIC) + all;
}

bool unpack(const void* image, Source* s) {
    const char* p = static_cast<const char*>(image);
    if (strncmp(p, MAGIC, strlen(MAGIC)) != 0) {
        return false;
    }
    Reader r = {p + strlen(MAGIC)};
    s->text = r.next();
    s->name = r.next();
    std::vector<std::string> headers = r.list();
    for (size_t i = 0; i + 1 < headers.size(); i += 2) {
        s->headers.emplace_back(headers[i], headers[i + 1]);
    }
    s->expressions = r.list();
    s->first = r.list();
    s->second = r.list();
    return true;
}

}  // namespace emu
