#include "dense.h"

namespace dense {

Memory& Memory::matrix(const char* name, const void* p, int64_t rows, int64_t cols, int64_t ld, size_t size,
                       int64_t stride, int64_t batch) {
    if (rows <= 0 || cols <= 0 || batch <= 0) {
        return *this;
    }
    int64_t last = (batch - 1) * stride;
    const char* start = (const char*)p + (last < 0 ? last : 0) * (int64_t)size;
    int64_t elements = (cols - 1) * ld + rows + (last < 0 ? -last : last);
    spans.push_back({name, p, start, (size_t)elements * size, size});
    return *this;
}

Memory& Memory::vector(const char* name, const void* p, int64_t n, int64_t inc, size_t size) {
    return matrix(name, p, 1, n, inc < 0 ? -inc : inc, size);
}

Memory& Memory::range(const char* name, const void* p, size_t bytes, size_t align) {
    if (bytes > 0) {
        spans.push_back({name, p, (const char*)p, bytes, align});
    }
    return *this;
}

bool Memory::usable(const char* function) const {
    bool usable = true;
    for (const Span& s : spans) {
        if (!emu_is_device(s.start, s.bytes)) {
            emu_error("%s: %s (%p) needs %zu bytes of device memory from %p on; they are not in one live allocation",
                      function, s.name, s.argument, s.bytes, (const void*)s.start);
            usable = false;
        } else if ((uintptr_t)s.argument % s.align != 0) {
            emu_error("%s: %s (%p) is not a multiple of %zu", function, s.name, s.argument, s.align);
            usable = false;
        }
    }
    return usable;
}

}  // namespace dense
