// Kernel text to shared libraries: g++ in two passes. Used by NVRTC, and by the driver, for what a program keeps as
// machine code is its text: it stays good when this emulation changes.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace emu {

struct Source {
    std::string text, name;
    std::vector<std::pair<std::string, std::string>> headers;  // name, text
    std::vector<std::string> expressions;                      // names of kernels that are templates
    std::vector<std::string> first, second;                    // options of the passes
};

// Those that libnvrtc.so.12 calls, too.
#pragma GCC visibility push(default)

// The shared library's file, which is kept under a hash of everything it depends on. Empty: `log` says why.
std::string build(const Source& source, std::string* log);

// What stands for machine code; and back: false where the bytes are no such image.
std::string pack(const Source& source);
bool unpack(const void* image, Source* source);
std::string lowered_name(size_t expression);

#pragma GCC visibility pop

// The text after the first pass, made ready for the second, with a table of its kernels.
std::string translate(std::string text, const std::vector<std::string>& expressions);
// How that table is called in messages of the compiler.
constexpr const char* TABLE = "kernels and name expressions";

bool read_file(const std::string& path, std::string* content);
bool write_file(const std::string& path, const std::string& content);

}  // namespace emu
