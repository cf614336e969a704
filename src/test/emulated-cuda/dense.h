// What the stand-ins for cuBLAS and cuSOLVER share: the device memory a call names, and how a call becomes work on a stream.
#pragma once
#include "emu.h"
#include <stdint.h>
#include <string.h>
#include <vector>

extern "C" int cuStreamSynchronize(void* stream);
extern "C" int cuStreamIsCapturing(void* stream, int* status);

namespace dense {

// The device memory of one call's arguments, to the byte.
class Memory {
public:
    // `batch` matrices of rows x cols column-major elements of `size` bytes, `stride` elements apart.
    Memory& matrix(const char* name, const void* p, int64_t rows, int64_t cols, int64_t ld, size_t size,
                   int64_t stride = 0, int64_t batch = 1);
    // n elements, |inc| apart: BLAS counts from the far end where inc is negative, the memory is the same.
    Memory& vector(const char* name, const void* p, int64_t n, int64_t inc, size_t size);
    // `align` is what the address has to be a multiple of.
    Memory& range(const char* name, const void* p, size_t bytes, size_t align);
    // Whether all of it is aligned device memory now. What is not is recorded in the function's name.
    bool usable(const char* function) const;

private:
    struct Span {
        const char* name;
        const void* argument;  // as the caller passed it
        const char* start;
        size_t bytes;
        size_t align;
    };
    std::vector<Span> spans;
};

// Enqueues work that touches this memory. The memory is looked at now and again at each run, so that freeing it too
// early or launching a graph after it is found. False if it is not usable now.
template <class F>
bool submit(void* stream, const char* function, const Memory& memory, F work) {
    if (!memory.usable(function)) {
        return false;
    }
    emu::enqueue(
        stream,
        [function, memory, work]() {
            if (memory.usable(function)) {
                work();
            }
        },
        function);
    return true;
}

// Fills with a byte pattern that is NaN in every float type and an absurd number in every integer type: what the real
// library leaves undefined.
inline void poison(void* p, size_t bytes) {
    memset(p, 0xFF, bytes);
}

// A matrix's columns, not what lies between them.
template <class T>
void poison(T* a, int64_t rows, int64_t cols, int64_t ld) {
    for (int64_t j = 0; j < cols && rows > 0; j++) {
        poison(a + j * ld, (size_t)rows * sizeof(T));
    }
}

inline bool capturing(void* stream) {
    int status = 0;
    return cuStreamIsCapturing(stream, &status) == 0 && status != 0;
}

}  // namespace dense
