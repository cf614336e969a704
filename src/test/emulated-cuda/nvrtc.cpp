// libnvrtc.so.12: CUDA C++ for the host, by g++. See macros.cuh and host.cuh.
#include <cctype>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "emu.h"

extern "C" {
bool emu_preprocess(const std::string& text, const std::string& name, const std::vector<std::string>& options,
                    const std::vector<std::pair<std::string, std::string>>& headers, std::string* result,
                    std::string* log);
bool emu_compile(const std::string& text, const std::vector<std::string>& options, std::string* image,
                 std::string* log);
}

namespace {

enum {
    NVRTC_SUCCESS = 0,
    NVRTC_ERROR_OUT_OF_MEMORY = 1,
    NVRTC_ERROR_PROGRAM_CREATION_FAILURE = 2,
    NVRTC_ERROR_INVALID_INPUT = 3,
    NVRTC_ERROR_INVALID_PROGRAM = 4,
    NVRTC_ERROR_INVALID_OPTION = 5,
    NVRTC_ERROR_COMPILATION = 6,
    NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION = 8,
    NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION = 9,
    NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID = 10,
};

const char* const NAMES[] = {
    "NVRTC_SUCCESS",
    "NVRTC_ERROR_OUT_OF_MEMORY",
    "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
    "NVRTC_ERROR_INVALID_INPUT",
    "NVRTC_ERROR_INVALID_PROGRAM",
    "NVRTC_ERROR_INVALID_OPTION",
    "NVRTC_ERROR_COMPILATION",
    "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
    "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION",
    "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION",
    "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID",
    "NVRTC_ERROR_INTERNAL_ERROR",
};

const int ARCHITECTURES[] = {50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90};

struct Program {
    std::string text, name;
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::string> expressions, lowered;
    bool compiled = false;
    bool machine_code = false;
    std::string image, log;
};

std::mutex mutex;
std::set<Program*> programs;

Program* program_of(void* handle) {
    std::lock_guard<std::mutex> hold(mutex);
    Program* p = static_cast<Program*>(handle);
    return programs.count(p) ? p : nullptr;
}

// ---- Text after the first pass -----------------------------------------------------------------------------------------

bool word_char(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

size_t skip_space(const std::string& s, size_t at) {
    while (at < s.size() && isspace((unsigned char)s[at])) at++;
    return at;
}

std::string word_at(const std::string& s, size_t at) {
    size_t end = at;
    while (end < s.size() && word_char(s[end])) end++;
    return s.substr(at, end - at);
}

// Behind the bracket that closes the one at `at`.
size_t skip_group(const std::string& s, size_t at) {
    int depth = 0;
    for (; at < s.size(); at++) {
        if (s[at] == '(' || s[at] == '[' || s[at] == '{') depth++;
        if (s[at] == ')' || s[at] == ']' || s[at] == '}') depth--;
        if (depth == 0) return at + 1;
    }
    return at;
}

// Next place of the word from `at` on, outside of strings.
size_t find_word(const std::string& s, const std::string& word, size_t at) {
    while ((at = s.find(word, at)) != std::string::npos) {
        bool whole = (at == 0 || !word_char(s[at - 1])) && !word_char(s[at + word.size()]);
        if (whole) return at;
        at += word.size();
    }
    return at;
}

// Whether a declaration that has the marker at `at` is of a template.
bool in_template(const std::string& s, size_t at) {
    size_t begin = s.find_last_of(";}", at);
    begin = begin == std::string::npos ? 0 : begin + 1;
    size_t t = find_word(s, "template", begin);
    return t != std::string::npos && t < at;
}

struct Found {
    std::string name, bound;
};

// Name and launch bound of the kernel declared at a marker; empty where there is none.
Found kernel_at(const std::string& s, size_t at) {
    Found f;
    std::string last;
    at += strlen("__emu_global__");
    while (at < s.size()) {
        at = skip_space(s, at);
        if (word_char(s[at])) {
            std::string w = word_at(s, at);
            at += w.size();
            if (w == "__emu_bounds__" || w == "__attribute__" || w == "alignas") {
                at = skip_space(s, at);
                size_t end = skip_group(s, at);
                if (w == "__emu_bounds__") {
                    std::string inside = s.substr(at + 1, end - at - 2);
                    int depth = 0;
                    for (char c : inside) {  // its first argument
                        depth += c == '(' || c == '<' ? 1 : c == ')' || c == '>' ? -1 : 0;
                        if (c == ',' && depth == 0) break;
                        f.bound += c;
                    }
                }
                at = end;
            } else {
                last = w;
            }
        } else if (s[at] == '(') {
            f.name = last;
            return f;
        } else if (s[at] == ';' || s[at] == '{' || s[at] == '#') {
            return Found();
        } else {
            at++;
        }
    }
    return Found();
}

std::vector<Found> find_kernels(const std::string& s) {
    std::vector<Found> all;
    std::set<std::string> seen;
    for (size_t at = 0; (at = find_word(s, "__emu_global__", at)) != std::string::npos; at++) {
        Found f = kernel_at(s, at);
        if (!f.name.empty() && !in_template(s, at) && seen.insert(f.name).second) {
            all.push_back(f);
        }
    }
    return all;
}

// `extern __shared__ T name[];` becomes a pointer to the block's dynamic memory.
void replace_dynamic_shared(std::string* s) {
    for (size_t at = 0; (at = find_word(*s, "extern", at)) != std::string::npos; at++) {
        size_t marker = skip_space(*s, at + 6);
        if (word_at(*s, marker) != "__emu_shared__") continue;
        size_t from = marker + strlen("__emu_shared__");
        size_t end = s->find(';', from), bracket = s->rfind('[', end);
        if (end == std::string::npos || bracket == std::string::npos || bracket < from) continue;
        size_t name_end = bracket;
        while (isspace((unsigned char)(*s)[name_end - 1])) name_end--;
        size_t name = name_end;
        while (word_char((*s)[name - 1])) name--;
        std::string type = s->substr(from, name - from);
        // Attributes such as an alignment are the memory's, which is aligned to 1024 bytes.
        for (const char* word : {"__attribute__", "alignas"}) {
            for (size_t a; (a = find_word(type, word, 0)) != std::string::npos;) {
                size_t open = type.find('(', a);
                type.erase(a, skip_group(type, open) - a);
            }
        }
        std::string made = type + " *const " + s->substr(name, name_end - name) + " = (" + type + " *)emu_dynamic";
        s->replace(at, end - at, made);
    }
}

// `static __shared__` is legal; our __shared__ is itself static. And variables of the device are told from functions.
void mark_variables(std::string* s) {
    for (size_t at = 0; (at = find_word(*s, "static", at)) != std::string::npos; at++) {
        if (word_at(*s, skip_space(*s, at + 6)) == "__emu_shared__") s->replace(at, 6, "      ");
    }
    for (size_t at = 0; (at = find_word(*s, "__emu_device__", at)) != std::string::npos; at++) {
        size_t p = at + strlen("__emu_device__");
        while (p < s->size()) {
            p = skip_space(*s, p);
            std::string w = word_at(*s, p);
            if (w == "__attribute__" || w == "alignas") {
                p = skip_group(*s, skip_space(*s, p + w.size()));
            } else if (w == "operator" || strchr("({", (*s)[p])) {
                break;  // a function
            } else if (strchr(";=[", (*s)[p])) {
                bool is_constant = find_word(s->substr(at, p - at), "__emu_constant__", 0) != std::string::npos;
                if (!is_constant) s->replace(at, strlen("__emu_device__"), "__emu_variable__");
                break;
            } else {
                p += w.empty() ? 1 : w.size();
            }
        }
    }
}

// ---- Options ---------------------------------------------------------------------------------------------------------

bool starts(const std::string& s, const char* with) {
    return s.compare(0, strlen(with), with) == 0;
}

struct Options {
    std::vector<std::string> first, second;  // of the passes
    int architecture = 52;
    bool machine_code = false;
    std::string bad;
};

bool architecture(const std::string& value, Options* o) {
    bool real = starts(value, "sm_");
    if (!real && !starts(value, "compute_")) return false;
    int n = atoi(value.c_str() + (real ? 3 : 8));
    for (int a : ARCHITECTURES) {
        if (a == n) {
            o->architecture = n;
            o->machine_code = real;
            return true;
        }
    }
    return false;
}

Options parse(int count, const char* const* given) {
    Options o;
    std::string std = "c++17";
    bool feature = false;
    auto value = [&](const std::string& s, int* i, std::initializer_list<const char*> names, std::string* v) {
        for (const char* n : names) {
            if (s == n && *i + 1 < count) {
                *v = given[++*i];
                return true;
            }
            if (starts(s, n) && s[strlen(n)] == '=') {
                *v = s.substr(strlen(n) + 1);
                return true;
            }
        }
        return false;
    };
    for (int i = 0; i < count; i++) {
        std::string s = given[i], v;
        if (value(s, &i, {"--gpu-architecture", "-arch"}, &v)) {
            if (!architecture(v, &o)) o.bad = s;
            feature = !v.empty() && v.back() == 'a';
        } else if (value(s, &i, {"--std", "-std"}, &v)) {
            std = v;
        } else if (value(s, &i, {"--define-macro", "-D"}, &v)) {
            o.first.push_back("-D" + v);
        } else if (starts(s, "-D")) {
            o.first.push_back(s);
        } else if (value(s, &i, {"--undefine-macro", "-U"}, &v)) {
            o.first.push_back("-U" + v);
        } else if (starts(s, "-U")) {
            o.first.push_back(s);
        } else if (value(s, &i, {"--include-path", "-I"}, &v)) {
            o.first.push_back("-I" + v);
        } else if (starts(s, "-I")) {
            o.first.push_back(s);
        } else if (value(s, &i, {"--fmad", "-fmad", "--ftz", "-ftz", "--prec-sqrt", "-prec-sqrt", "--prec-div",
                                 "-prec-div", "--maxrregcount", "-maxrregcount", "--ptxas-options", "-Xptxas",
                                 "--diag-suppress", "-diag-suppress", "--split-compile", "-split-compile", "--jump-table-density",
                                 "--device-stack-protector", "-opt-info", "--opt-info", "--diag-error", "--diag-warn",
                                 "--builtin-initializer-list", "--builtin-move-forward", "--version-ident"},
                          &v)) {
            // nothing that the host could follow
        } else {
            static const std::set<std::string> flags = {
                "-default-device", "--device-as-default-execution-space", "--use_fast_math", "-use_fast_math",
                "--restrict", "-restrict", "--extra-device-vectorization", "-extra-device-vectorization",
                "--generate-line-info", "-lineinfo", "--device-debug", "-G", "-w", "--disable-warnings",
                "--relocatable-device-code=false", "-rdc=false", "--dopt=on", "-dopt=on", "--no-source-include", "-no-source-include",
                "--minimal", "-minimal", "--display-error-number", "--ptxas-warnings"};
            if (flags.count(s) == 0 && o.bad.empty()) o.bad = s;
        }
    }
    if (std != "c++03" && std != "c++11" && std != "c++14" && std != "c++17" && std != "c++20") o.bad = "--std=" + std;
    o.first.push_back("-D__CUDA_ARCH__=" + std::to_string(10 * o.architecture));
    if (feature) o.first.push_back("-D__CUDA_ARCH_FEAT_SM" + std::to_string(o.architecture) + "_ALL");
    if (std != "c++17") o.second.push_back("-std=gnu++" + std.substr(3));
    return o;
}

int compile(Program* p, int count, const char* const* given) {
    Options o = parse(count, given);
    if (!o.bad.empty()) {
        p->log = "nvrtc: error: invalid value or unrecognized option: " + o.bad + "\n";
        return NVRTC_ERROR_INVALID_OPTION;
    }
    p->machine_code = o.machine_code;
    std::string text;
    if (!emu_preprocess(p->text, p->name, o.first, p->headers, &text, &p->log)) {
        return NVRTC_ERROR_COMPILATION;
    }
    replace_dynamic_shared(&text);
    mark_variables(&text);
    std::string table;
    for (const Found& f : find_kernels(text)) {
        table += "    EMU_KERNEL(\"" + f.name + "\", " + (f.bound.empty() ? "0" : "(int)(" + f.bound + ")") + ", 0, " +
                 f.name + ")\n";
    }
    p->lowered.clear();
    for (size_t i = 0; i < p->expressions.size(); i++) {
        std::string e = p->expressions[i];
        size_t from = skip_space(e, 0);
        if (e[from] == '&') from++;
        e = e.substr(from);
        p->lowered.push_back("emu_lowered_" + std::to_string(i));
        table += "    EMU_KERNEL(\"" + p->lowered.back() + "\", 0, 1, " + e + ")\n";
    }
    text += "\n#line 1 \"kernels and name expressions\"\nEMU_KERNELS = {\n" + table + "    {}};\n";
    std::string log;
    bool ok = emu_compile(text, o.second, &p->image, &log);
    p->log += log;
    if (!ok && p->text.find("asm") != std::string::npos) {
        p->log += "emulated NVRTC: inline PTX cannot be emulated; give plain C++ under #ifdef GRAMIAN_EMULATED\n";
    }
    return ok ? NVRTC_SUCCESS : NVRTC_ERROR_COMPILATION;
}

}  // namespace

#define FAULT(function) \
    if (int fault = emu_fault(#function)) return fault
#define PROGRAM(function, handle)              \
    FAULT(function);                           \
    Program* p = program_of(handle);           \
    if (!p) return NVRTC_ERROR_INVALID_PROGRAM

EMU_EXPORT int nvrtcVersion(int* major, int* minor) {
    FAULT(nvrtcVersion);
    if (!major || !minor) return NVRTC_ERROR_INVALID_INPUT;
    *major = 12;
    *minor = 6;
    return NVRTC_SUCCESS;
}

EMU_EXPORT const char* nvrtcGetErrorString(int code) {
    return code >= 0 && code < (int)(sizeof NAMES / sizeof *NAMES) ? NAMES[code] : "NVRTC_ERROR unknown";
}

EMU_EXPORT int nvrtcGetNumSupportedArchs(int* count) {
    FAULT(nvrtcGetNumSupportedArchs);
    if (!count) return NVRTC_ERROR_INVALID_INPUT;
    *count = sizeof ARCHITECTURES / sizeof *ARCHITECTURES;
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcGetSupportedArchs(int* to) {
    FAULT(nvrtcGetSupportedArchs);
    if (!to) return NVRTC_ERROR_INVALID_INPUT;
    memcpy(to, ARCHITECTURES, sizeof ARCHITECTURES);
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcCreateProgram(void** handle, const char* text, const char* name, int headers,
                                  const char* const* contents, const char* const* names) {
    FAULT(nvrtcCreateProgram);
    if (!handle || !text || headers < 0 || (headers > 0 && (!contents || !names))) return NVRTC_ERROR_INVALID_INPUT;
    Program* p = new Program();
    p->text = text;
    p->name = name && *name ? name : "default_program";
    for (int i = 0; i < headers; i++) {
        p->headers.emplace_back(names[i], contents[i]);
    }
    std::lock_guard<std::mutex> hold(mutex);
    programs.insert(p);
    *handle = p;
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcDestroyProgram(void** handle) {
    FAULT(nvrtcDestroyProgram);
    if (!handle) return NVRTC_ERROR_INVALID_PROGRAM;
    std::lock_guard<std::mutex> hold(mutex);
    Program* p = static_cast<Program*>(*handle);
    if (programs.erase(p) == 0) return NVRTC_ERROR_INVALID_PROGRAM;
    delete p;
    *handle = nullptr;
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcCompileProgram(void* handle, int count, const char* const* options) {
    PROGRAM(nvrtcCompileProgram, handle);
    if (count < 0 || (count > 0 && !options)) return NVRTC_ERROR_INVALID_INPUT;
    int r = compile(p, count, options);
    p->compiled = r == NVRTC_SUCCESS;
    return r;
}

EMU_EXPORT int nvrtcAddNameExpression(void* handle, const char* expression) {
    PROGRAM(nvrtcAddNameExpression, handle);
    if (!expression) return NVRTC_ERROR_INVALID_INPUT;
    if (p->compiled) return NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION;
    p->expressions.push_back(expression);
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcGetLoweredName(void* handle, const char* expression, const char** lowered) {
    PROGRAM(nvrtcGetLoweredName, handle);
    if (!expression || !lowered) return NVRTC_ERROR_INVALID_INPUT;
    if (!p->compiled) return NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION;
    for (size_t i = 0; i < p->expressions.size(); i++) {
        if (p->expressions[i] == expression) {
            *lowered = p->lowered[i].c_str();
            return NVRTC_SUCCESS;
        }
    }
    return NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID;
}

// Sizes of the log and of PTX count the final NUL.
EMU_EXPORT int nvrtcGetProgramLogSize(void* handle, size_t* size) {
    PROGRAM(nvrtcGetProgramLogSize, handle);
    if (!size) return NVRTC_ERROR_INVALID_INPUT;
    *size = p->log.size() + 1;
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcGetProgramLog(void* handle, char* log) {
    PROGRAM(nvrtcGetProgramLog, handle);
    if (!log) return NVRTC_ERROR_INVALID_INPUT;
    memcpy(log, p->log.c_str(), p->log.size() + 1);
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcGetCUBINSize(void* handle, size_t* size) {
    PROGRAM(nvrtcGetCUBINSize, handle);
    if (!size || !p->compiled) return NVRTC_ERROR_INVALID_INPUT;
    *size = p->machine_code ? p->image.size() : 0;
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcGetCUBIN(void* handle, char* to) {
    PROGRAM(nvrtcGetCUBIN, handle);
    if (!to || !p->compiled || !p->machine_code) return NVRTC_ERROR_INVALID_INPUT;
    memcpy(to, p->image.data(), p->image.size());
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcGetPTXSize(void* handle, size_t* size) {
    PROGRAM(nvrtcGetPTXSize, handle);
    if (!size || !p->compiled) return NVRTC_ERROR_INVALID_INPUT;
    *size = p->image.size() + 1;
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcGetPTX(void* handle, char* to) {
    PROGRAM(nvrtcGetPTX, handle);
    if (!to || !p->compiled) return NVRTC_ERROR_INVALID_INPUT;
    memcpy(to, p->image.c_str(), p->image.size() + 1);
    return NVRTC_SUCCESS;
}
