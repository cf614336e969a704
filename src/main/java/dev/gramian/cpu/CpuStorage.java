package dev.gramian.cpu;

import dev.gramian.core.Storage;
import dev.gramian.core.View;

/** Bytes in native memory. */
final class CpuStorage extends Storage {
    /** First byte; 64-byte aligned unless the bytes are someone else's (mapped files). */
    final long address;

    /** What gives the bytes back: a pool block's origin, or the owner of wrapped bytes. */
    final Runnable onFree;

    /** Address malloc returned, 0 for slab blocks and wrapped bytes. */
    final long origin;

    /** Bytes of the block that holds this storage, at least {@link #bytes}. */
    final long capacity;

    CpuStorage(long address, long bytes, long origin, long capacity, Runnable onFree) {
        super(bytes);
        this.address = address;
        this.origin = origin;
        this.capacity = capacity;
        this.onFree = onFree;
    }

    /** Address of the element at all-zero coordinates of a view. */
    static long address(View view) {
        return ((CpuStorage) view.storage()).address + view.layout().offset() * view.dtype().bytes();
    }
}
