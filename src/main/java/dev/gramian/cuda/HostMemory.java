package dev.gramian.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Host memory by address, for arguments and staging. The one segment spans all memory and never closes, so the JIT folds
 * its checks away.
 */
final class HostMemory {
    static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private HostMemory() {}

    static void i64(long address, long v) {
        ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address, v);
    }

    static void i32(long address, int v) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, v);
    }

    static void f64(long address, double v) {
        ALL.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, address, v);
    }

    static void f32(long address, float v) {
        ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, v);
    }

    static long i64(long address) {
        return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
    }
}
