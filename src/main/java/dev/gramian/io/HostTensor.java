package dev.gramian.io;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import java.lang.foreign.MemorySegment;

/** What reading gives: native elements in this machine's byte order, and where they lie. */
record HostTensor(DType dtype, Layout layout, HostBytes data) {

    /** The elements in C order, gathered where they lie otherwise. */
    Elements elements() {
        return new Elements(dtype, layout.shape(), layout.isContiguous() ? data.bytes()::asSlice : this::gather);
    }

    private MemorySegment gather(long at, long length) {
        int width = dtype.bytes();
        MemorySegment piece = MemorySegment.ofArray(new byte[Math.toIntExact(length)]);
        long[] index = new long[layout.rank()];
        long rest = at / width;
        for (int a = index.length - 1; a >= 0; a--) {
            index[a] = rest % layout.shape().at(a);
            rest /= layout.shape().at(a);
        }
        long from = layout.index(index);
        for (long to = 0; to < length; to += width) {
            MemorySegment.copy(data.bytes(), from * width, piece, to, width);
            for (int a = index.length - 1; a >= 0; a--) {
                from += layout.stride(a);
                if (++index[a] < layout.shape().at(a)) {
                    break;
                }
                from -= index[a] * layout.stride(a);
                index[a] = 0;
            }
        }
        return piece;
    }
}
