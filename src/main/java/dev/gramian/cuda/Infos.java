package dev.gramian.cuda;

import dev.gramian.core.GramianException;
import dev.gramian.core.NativeException;
import java.lang.foreign.MemorySegment;

/** What kernels and cuSOLVER say of each matrix of a stack, in device memory: some 32-bit values a matrix, 0 for success. */
final class Infos {
    private final Lane lane;
    private final MatrixKernels kernels;
    private final String op;
    private final Stack stack;
    private final int each;
    private final long address;
    private final long failure;

    /** {@code each} values a matrix. */
    Infos(Lane lane, Temporaries t, MatrixKernels kernels, String op, Stack stack, int each) {
        this.lane = lane;
        this.kernels = kernels;
        this.op = op;
        this.stack = stack;
        this.each = each;
        long bytes = 4 * each * stack.count();
        address = t.device(bytes);
        failure = t.device(8);
        MatrixKernels.zero(lane, address, bytes, op);
    }

    /** Where value {@code k} of a matrix goes. */
    long at(long matrix, int k) {
        return address + 4 * (matrix * each + k);
    }

    void clear(long matrix, int k) {
        MatrixKernels.zero(lane, at(matrix, k), 4, op);
    }

    @FunctionalInterface
    interface Message {
        String of(String where, long info);
    }

    /** Waits; throws for the first matrix in trouble. Infos above zero speak through {@code message}, null: they are fine. */
    void check(Message message) {
        kernels.firstFailure(lane, each * stack.count(), address, message == null, failure);
        long found = lane.readLong(failure, op);
        if (found == -1) {
            return;
        }
        int info = (int) (found >> 32);
        long matrix = (found & 0xffffffffL) / each;
        if (info < 0) {
            throw new NativeException(op + ": cuSOLVER rejected argument " + -info + "; x " + stack.where(matrix)
                    + "; the library may not be what it says it is");
        }
        throw new GramianException(message.of(stack.where(matrix), info));
    }

    /** Waits; all values, or null where every one is 0. */
    int[] failures() {
        kernels.firstFailure(lane, each * stack.count(), address, false, failure);
        if (lane.readLong(failure, op) == -1) {
            return null;
        }
        int[] all = new int[Math.toIntExact(each * stack.count())];
        lane.transfers().download(address, MemorySegment.ofArray(all));
        return all;
    }
}
