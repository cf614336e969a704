package dev.gramian.cuda;

import dev.gramian.core.Storage;
import dev.gramian.core.View;

/** Bytes in device memory. Work on them is ordered by the stream of {@code home}, the lane that allocated them. */
final class CudaStorage extends Storage {
    final long address;
    /** Bytes of the block that holds this storage, at least {@link #bytes}. */
    final long capacity;
    final Lane home;
    /** Called when the storage is freed; null for none. */
    final Runnable onFree;
    /** After it the bytes are what they stay; null where home's stream has to be waited for as it is. */
    Pointers.Event ready;
    /** Lanes other than home that have read these bytes, a bit each; guarded by this. */
    private long readers;

    CudaStorage(long address, long bytes, long capacity, Lane home, Runnable onFree) {
        super(bytes);
        this.address = address;
        this.capacity = capacity;
        this.home = home;
        this.onFree = onFree;
    }

    synchronized void readBy(Lane lane) {
        readers |= 1L << lane.index;
    }

    synchronized long readers() {
        return readers;
    }

    /** Device address of the element at all-zero coordinates of a view. */
    static long address(View view) {
        return ((CudaStorage) view.storage()).address + view.layout().offset() * view.dtype().bytes();
    }
}
