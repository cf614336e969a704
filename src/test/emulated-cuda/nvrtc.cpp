// libnvrtc.so.12: CUDA C++ for the host, by g++. See macros.cuh and host.cuh.
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "compile.h"
#include "emu.h"

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
    emu::Source source;
    std::vector<std::string> lowered;
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
    p->source.first = o.first;
    p->source.second = o.second;
    p->lowered.clear();
    for (size_t i = 0; i < p->source.expressions.size(); i++) {
        p->lowered.push_back(emu::lowered_name(i));
    }
    p->image = emu::pack(p->source);
    return emu::build(p->source, &p->log).empty() ? NVRTC_ERROR_COMPILATION : NVRTC_SUCCESS;
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
    p->source.text = text;
    p->source.name = name && *name ? name : "default_program";
    for (int i = 0; i < headers; i++) {
        p->source.headers.emplace_back(names[i], contents[i]);
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
    p->source.expressions.push_back(expression);
    return NVRTC_SUCCESS;
}

EMU_EXPORT int nvrtcGetLoweredName(void* handle, const char* expression, const char** lowered) {
    PROGRAM(nvrtcGetLoweredName, handle);
    if (!expression || !lowered) return NVRTC_ERROR_INVALID_INPUT;
    if (!p->compiled) return NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION;
    for (size_t i = 0; i < p->source.expressions.size(); i++) {
        if (p->source.expressions[i] == expression) {
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
