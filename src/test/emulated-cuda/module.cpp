// Modules, functions and launches.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include "compile.h"
#include "driver.h"

namespace emu {

Module::~Module() {
    if (library) {
        dlclose(library);
    }
}

namespace {

struct Kernel {
    std::shared_ptr<Module> module;
    const emu_kernel_info* info;
    long max_dynamic;
};

struct LoadedModule {
    std::shared_ptr<Module> module;
    std::map<std::string, std::unique_ptr<Kernel>> kernels;
};

std::set<LoadedModule*> modules;
std::set<Kernel*> kernels;

// The .bss of a shared library is the __shared__ memory of its kernels.
void find_shared(const std::string& elf, Module* m) {
    auto* head = reinterpret_cast<const Elf64_Ehdr*>(elf.data());
    auto* sections = reinterpret_cast<const Elf64_Shdr*>(elf.data() + head->e_shoff);
    const char* names = elf.data() + sections[head->e_shstrndx].sh_offset;
    link_map* map;
    dlinfo(m->library, RTLD_DI_LINKMAP, &map);
    for (int i = 0; i < head->e_shnum; i++) {
        if (strcmp(names + sections[i].sh_name, ".bss") == 0) {
            m->shared_begin = reinterpret_cast<char*>(map->l_addr + sections[i].sh_addr);
            m->shared_end = m->shared_begin + sections[i].sh_size;
        }
    }
}

std::shared_ptr<Module> open_module(const std::string& file) {
    std::string elf, path = "/tmp/gramian-emulated-XXXXXX";
    if (const char* tmp = getenv("TMPDIR")) {
        path = std::string(tmp) + "/gramian-emulated-XXXXXX";
    }
    if (!read_file(file, &elf)) {
        return nullptr;
    }
    // A copy: the same file opened twice would be one library with one state.
    int fd = mkstemp(&path[0]);
    if (fd < 0) {
        return nullptr;
    }
    close(fd);
    write_file(path, elf);
    auto m = std::make_shared<Module>();
    m->file = file;
    m->library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    unlink(path.c_str());
    if (!m->library) {
        error("cuModuleLoadData: %s", dlerror());
        return nullptr;
    }
    m->state = static_cast<emu_state*>(dlsym(m->library, "emu_here"));
    m->kernels = static_cast<const emu_kernel_info*>(dlsym(m->library, "emu_kernels"));
    m->dynamic = static_cast<char*>(dlsym(m->library, "emu_dynamic"));
    if (!m->state || !m->kernels || !m->dynamic) {
        error("cuModuleLoadData: %s is not a compiled kernel", file.c_str());
        return nullptr;
    }
    find_shared(elf, m.get());
    return m;
}

Kernel* kernel_of(void* handle) {
    Kernel* k = static_cast<Kernel*>(handle);
    return kernels.count(k) ? k : nullptr;
}

long static_shared(const Kernel* k) {
    // Of all kernels of the module: which of them uses which array is not known.
    return k->module->shared_end - k->module->shared_begin;
}

size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

// An argument that points into memory which is not allocated any more. Not what is in structs: their unused words hold
// what earlier launches left there.
void check_pointers(const Launch& l, const Kernel* k) {
    for (unsigned a = 0; a < k->info->count; a++) {
        if (k->info->sizes[a] == 8) {
            uintptr_t word;
            memcpy(&word, l.arguments[a], 8);
            if (in_arena(word)) {
                const Block* b = find_block(word);
                if (!b || !b->live) {
                    error("cuLaunchKernel: argument %u of kernel %s points to memory that is not allocated: %p", a,
                          l.name.c_str(), (void*)word);
                }
            }
        }
    }
}

CUresult load(void** handle, const void* image) {
    if (!handle || !image) return CUDA_ERROR_INVALID_VALUE;
    const unsigned char* bytes = static_cast<const unsigned char*>(image);
    std::string log;
    Source source;
    if (!unpack(image, &source)) {
        if (memcmp(bytes, "\177ELF", 4) == 0) return CUDA_ERROR_NO_BINARY_FOR_GPU;
        return bytes[0] == '/' || bytes[0] == '.' ? CUDA_ERROR_INVALID_PTX : CUDA_ERROR_INVALID_IMAGE;
    }
    std::string file = build(source, &log);
    std::shared_ptr<Module> m = file.empty() ? nullptr : open_module(file);
    if (!m) {
        if (!log.empty()) error("cuModuleLoadData: %s", log.c_str());
        return CUDA_ERROR_INVALID_IMAGE;
    }
    auto* l = new LoadedModule();
    l->module = m;
    modules.insert(l);
    *handle = l;
    return CUDA_SUCCESS;
}

struct Config {
    unsigned grid[3], block[3];
    unsigned shared;
    void* stream;
};

CUresult launch(Lock& lock, Context* context, void* function, const Config& c, void** values, void** extra) {
    Kernel* k = kernel_of(function);
    if (!k) {
        error("cuLaunchKernel: %p is not a function, or one of an unloaded module", function);
        return CUDA_ERROR_INVALID_HANDLE;
    }
    Stream* stream = stream_of(c.stream, context);
    if (!stream || stream->context != context) return CUDA_ERROR_INVALID_HANDLE;
    unsigned long long threads = 1;
    for (int d = 0; d < 3; d++) {
        if (c.grid[d] == 0 || c.block[d] == 0) return CUDA_ERROR_INVALID_VALUE;
        threads *= c.block[d];
    }
    if (c.grid[0] > 0x7fffffff || c.grid[1] > 65535 || c.grid[2] > 65535 || c.block[0] > 1024 || c.block[1] > 1024 ||
        c.block[2] > 64 || threads > 1024) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (k->info->bound > 0 && threads > (unsigned)k->info->bound) return CUDA_ERROR_INVALID_VALUE;
    long most = std::max(k->max_dynamic, MAX_SHARED - static_shared(k));
    if ((long)c.shared > most) return CUDA_ERROR_INVALID_VALUE;

    Launch l;
    l.module = k->module;
    l.kernel = k->info;
    l.name = k->info->name;
    memcpy(l.grid, c.grid, sizeof l.grid);
    memcpy(l.block, c.block, sizeof l.block);
    l.dynamic_shared = c.shared;
    size_t total = 0;
    std::vector<size_t> at;
    for (unsigned a = 0; a < k->info->count; a++) {
        total = round_up(total, k->info->aligns[a]);
        at.push_back(total);
        total += k->info->sizes[a];
    }
    char* copy = static_cast<char*>(aligned_alloc(64, round_up(total + 1, 64)));
    l.values = std::shared_ptr<void>(copy, free);
    if (extra && !values) {
        const char* buffer = nullptr;
        size_t bytes = 0;
        for (void** e = extra; *e; e += 2) {
            if (*e == reinterpret_cast<void*>(1)) buffer = static_cast<const char*>(e[1]);
            if (*e == reinterpret_cast<void*>(2)) bytes = *static_cast<size_t*>(e[1]);
        }
        if (!buffer || bytes < total) return CUDA_ERROR_INVALID_VALUE;
        memcpy(copy, buffer, total);
    } else if (k->info->count > 0 && !values) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    for (unsigned a = 0; a < k->info->count; a++) {
        if (values) {
            if (!values[a]) return CUDA_ERROR_INVALID_VALUE;
            memcpy(copy + at[a], values[a], k->info->sizes[a]);
        }
        l.arguments.push_back(copy + at[a]);
    }
    check_pointers(l, k);
    return put(lock, stream, make_work([l] { run_grid(l); }, l.kernel->name));
}

}  // namespace
}  // namespace emu

using namespace emu;

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT CUresult cuModuleLoadData(void** handle, const void* image) {
    EMU_CURRENT(cuModuleLoadData);
    return load(handle, image);
}

EXPORT CUresult cuModuleLoadDataEx(void** handle, const void* image, unsigned, void*, void*) {
    EMU_CURRENT(cuModuleLoadDataEx);
    return load(handle, image);
}

EXPORT CUresult cuModuleUnload(void* handle) {
    EMU_CURRENT(cuModuleUnload);
    auto* m = static_cast<LoadedModule*>(handle);
    if (modules.erase(m) == 0) return CUDA_ERROR_INVALID_HANDLE;
    for (auto& [name, k] : m->kernels) {
        kernels.erase(k.get());
    }
    delete m;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuModuleGetFunction(void** function, void* handle, const char* name) {
    EMU_CURRENT(cuModuleGetFunction);
    auto* m = static_cast<LoadedModule*>(handle);
    if (!function || !name) return CUDA_ERROR_INVALID_VALUE;
    if (modules.count(m) == 0) return CUDA_ERROR_INVALID_HANDLE;
    for (const emu_kernel_info* i = m->module->kernels; i->name; i++) {
        // Kernels that are not extern "C" are there under their lowered names only.
        if (strcmp(i->name, name) == 0 && (i->public_name || dlsym(m->module->library, name))) {
            auto& k = m->kernels[name];
            if (!k) {
                k.reset(new Kernel{m->module, i, 0});
                kernels.insert(k.get());
            }
            *function = k.get();
            return CUDA_SUCCESS;
        }
    }
    return CUDA_ERROR_NOT_FOUND;
}

EXPORT CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, void* handle, const char* name) {
    EMU_CURRENT(cuModuleGetGlobal_v2);
    auto* m = static_cast<LoadedModule*>(handle);
    if (!name) return CUDA_ERROR_INVALID_VALUE;
    if (modules.count(m) == 0) return CUDA_ERROR_INVALID_HANDLE;
    void* p = dlsym(m->module->library, name);
    Dl_info info;
    const ElfW(Sym)* symbol = nullptr;
    if (!p || !dladdr1(p, &info, (void**)&symbol, RTLD_DL_SYMENT) || !symbol ||
        ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT) {
        return CUDA_ERROR_NOT_FOUND;
    }
    if (address) *address = reinterpret_cast<CUdeviceptr>(p);
    if (bytes) *bytes = symbol->st_size;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuFuncGetModule(void** module, void* function) {
    EMU_CURRENT(cuFuncGetModule);
    for (LoadedModule* m : modules) {
        for (auto& [name, k] : m->kernels) {
            if (k.get() == function) {
                *module = m;
                return CUDA_SUCCESS;
            }
        }
    }
    return CUDA_ERROR_INVALID_HANDLE;
}

EXPORT CUresult cuFuncGetAttribute(int* value, int attribute, void* function) {
    EMU_CURRENT(cuFuncGetAttribute);
    Kernel* k = kernel_of(function);
    if (!k) return CUDA_ERROR_INVALID_HANDLE;
    if (!value) return CUDA_ERROR_INVALID_VALUE;
    switch (attribute) {
        case 0: *value = k->info->bound > 0 ? k->info->bound : 1024; break;
        case 1: *value = (int)static_shared(k); break;
        case 4: *value = 32; break;             // registers
        case 5: case 6: *value = 90; break;     // PTX and binary version
        case 8: *value = (int)std::max(k->max_dynamic, MAX_SHARED - static_shared(k)); break;
        case 2: case 3: case 7: case 9: *value = 0; break;
        default: return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
}

EXPORT CUresult cuFuncSetAttribute(void* function, int attribute, int value) {
    EMU_CURRENT(cuFuncSetAttribute);
    Kernel* k = kernel_of(function);
    if (!k) return CUDA_ERROR_INVALID_HANDLE;
    if (attribute == 9) return CUDA_SUCCESS;
    if (attribute != 8 || value < 0 || value + static_shared(k) > MAX_SHARED_OPT_IN) return CUDA_ERROR_INVALID_VALUE;
    k->max_dynamic = value;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuFuncSetCacheConfig(void* function, int) {
    EMU_CURRENT(cuFuncSetCacheConfig);
    return kernel_of(function) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void* function, int threads, size_t dynamic) {
    EMU_CURRENT(cuOccupancyMaxActiveBlocksPerMultiprocessor);
    Kernel* k = kernel_of(function);
    if (!k) return CUDA_ERROR_INVALID_HANDLE;
    if (!blocks || threads <= 0 || threads > 1024) return CUDA_ERROR_INVALID_VALUE;
    long by_threads = 2048 / (long)round_up(threads, 32);
    long by_shared = (228 << 10) / ((long)dynamic + static_shared(k) + 1024);
    *blocks = (int)std::min({by_threads, by_shared, 32L});
    return CUDA_SUCCESS;
}

EXPORT CUresult cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                               unsigned block_y, unsigned block_z, unsigned shared, void* stream, void** values,
                               void** extra) {
    EMU_CURRENT(cuLaunchKernel);
    Config c = {{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, stream};
    return launch(lock, context, function, c, values, extra);
}

struct CUlaunchConfig {
    unsigned grid_x, grid_y, grid_z, block_x, block_y, block_z, shared;
    void* stream;
    const unsigned char* attributes;  // 72 bytes each: id, 4 bytes of padding, 64 bytes of value
    unsigned attribute_count;
};

EXPORT CUresult cuLaunchKernelEx(const CUlaunchConfig* config, void* function, void** values, void** extra) {
    EMU_CURRENT(cuLaunchKernelEx);
    if (!config) return CUDA_ERROR_INVALID_VALUE;
    for (unsigned a = 0; a < config->attribute_count; a++) {
        unsigned id, cluster[3];
        memcpy(&id, config->attributes + 72 * a, 4);
        memcpy(cluster, config->attributes + 72 * a + 8, 12);
        if (id == 2 || (id == 4 && cluster[0] * cluster[1] * cluster[2] != 1)) {
            error("cuLaunchKernelEx: cooperative launches and clusters are not emulated");
            return CUDA_ERROR_NOT_SUPPORTED;
        }
    }
    Config c = {{config->grid_x, config->grid_y, config->grid_z}, {config->block_x, config->block_y, config->block_z},
                config->shared, config->stream};
    return launch(lock, context, function, c, values, extra);
}
