// Whether matrices that a call names share elements, exactly: interleaved ones (heads side by side in one buffer) do not.
#pragma once
#include <algorithm>
#include <stdint.h>
#include <vector>

namespace overlap {

// A batch of column-major matrices.
struct Grid {
    const void* p;
    int64_t size;
    int64_t rows;
    int64_t cols;
    int64_t ld;
    int64_t stride;
    int64_t batch;

    // The bytes it lies within.
    int64_t first() const {
        return (int64_t)p + std::min<int64_t>(0, (batch - 1) * stride) * size;
    }
    int64_t end() const {
        return (int64_t)p + (std::max<int64_t>(0, (batch - 1) * stride) + (cols - 1) * ld + rows) * size;
    }
    template <class F>
    bool any(F f) const {
        for (int64_t b = 0; b < batch; b++) {
            for (int64_t j = 0; j < cols; j++) {
                for (int64_t i = 0; i < rows; i++) {
                    if (f((int64_t)p + (i + j * ld + b * stride) * size)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }
};

// The elements of one grid, to be asked about addresses.
class Elements {
public:
    explicit Elements(const Grid& g) : first(g.first()), size(g.size), taken((size_t)((g.end() - g.first()) / g.size)) {
        twice = g.any([this](int64_t at) {
            std::vector<bool>::reference bit = taken[(size_t)((at - first) / size)];
            bool again = bit;
            bit = true;
            return again;
        });
    }
    bool twice;  // two of its matrices share an element
    bool meets(const Grid& g) const {
        return g.any([this, &g](int64_t at) {
            int64_t low = std::max<int64_t>(0, at - first) / size;
            int64_t high = std::min<int64_t>((int64_t)taken.size() * size, at + g.size - first);
            for (int64_t e = low; e * size < high; e++) {
                if (taken[(size_t)e]) {
                    return true;
                }
            }
            return false;
        });
    }

private:
    int64_t first;
    int64_t size;
    std::vector<bool> taken;
};

// Whether result elements coincide with each other; grids too large to look at in a moment pass.
inline bool withItself(const Grid& c) {
    bool apart = c.batch == 1 || std::abs(c.stride) >= (c.cols - 1) * c.ld + c.rows;
    return !apart && (c.stride == 0 || ((c.end() - c.first()) / c.size < (1 << 26) && Elements(c).twice));
}

inline bool between(const Grid& c, const Grid& a) {
    bool apart = c.end() <= a.first() || a.end() <= c.first();
    return !apart && (c.end() - c.first()) / c.size < (1 << 26) && Elements(c).meets(a);
}

}  // namespace overlap
