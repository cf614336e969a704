// Kernel text to shared libraries: g++ in two passes. Used by NVRTC, and by the driver, for what a program keeps as
// machine code is the text after the first pass: it stays good when this emulation changes.
#pragma once
#include <string>
#include <vector>

namespace emu {

// First pass: macros are expanded, kernels can be found in the text. False: `log` says why.
bool preprocess(const std::string& text, const std::string& name, const std::vector<std::string>& options,
                const std::vector<std::pair<std::string, std::string>>& headers, std::string* result, std::string* log);

// Second pass: the shared library's file, which is kept under a hash of everything it depends on. Empty: `log` says why.
std::string compile(const std::string& text, const std::vector<std::string>& options, std::string* log);

// What stands for machine code: options and text after the first pass.
std::string pack_image(const std::string& text, const std::vector<std::string>& options);
// False where the bytes are no such image.
bool unpack_image(const void* image, std::string* text, std::vector<std::string>* options);

bool read_file(const std::string& path, std::string* content);
bool write_file(const std::string& path, const std::string& content);

}  // namespace emu
