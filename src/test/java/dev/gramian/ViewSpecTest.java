package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.gramian.core.DType;
import dev.gramian.spec.DeviceSpec;
import java.util.List;
import java.util.function.UnaryOperator;

/** What is a view and what copies, told by the bytes that are live. */
final class ViewSpecTest {
    private static void copies(Tensor x, long elements, UnaryOperator<Tensor> call) {
        long before = x.device().liveBytes();
        Tensor y = call.apply(x);
        assertEquals(elements * x.dtype().bytes(), x.device().liveBytes() - before,
                x.layout() + " to " + y.layout());
        assertArrayEquals(call.apply(x.copy()).toDoubleArray(), y.toDoubleArray());
    }

    @DeviceSpec
    void viewsAddNoBytes(Device device) {
        try (Scope s = device.open()) {
            for (DType t : DType.values()) {
                Tensor x = s.integers(t, 5, 0, t == DType.BOOL ? 2 : 100, 4, 1, 6);
                for (UnaryOperator<Tensor> view : List.<UnaryOperator<Tensor>>of(
                        v -> v.reshape(2, 12),
                        Tensor::flatten,
                        v -> v.transpose(0, -1),
                        v -> v.permute(2, 0, 1),
                        v -> v.slice(2, -1, 0, -2),
                        v -> v.flip(0),
                        v -> v.select(0, -2),
                        v -> v.squeeze(1),
                        Tensor::squeeze,
                        v -> v.unsqueeze(-1),
                        v -> v.expand(7, 4, 3, -1),
                        v -> v.diagonal(1, 0, 2),
                        v -> Join.split(v, 2, 1, 5).get(1),
                        v -> Join.chunk(v, 0, 2).get(1),
                        v -> v.rearrange("a b (c d) -> c (a b) d", java.util.Map.of("d", 2)),
                        Tensor::contiguous,
                        v -> v.to(v.dtype()),
                        v -> v.to(v.device()))) {
                    copies(x, 0, view);
                }
            }
        }
    }

    @DeviceSpec
    void reshapeCopiesOnlyWhereNoStridesDoIt(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.arange(DType.F32, 24).reshape(4, 6);
            copies(x.slice(0, 0, 4, 2), 0, v -> v.reshape(2, 2, 3));
            copies(x.slice(0, 0, 4, 2), 12, v -> v.reshape(3, 4));
            copies(x.slice(1, 1, 5), 0, v -> v.reshape(2, 2, 4, 1));
            copies(x.slice(1, 1, 5), 16, v -> v.reshape(2, 8));
            copies(x.transpose(0, 1), 0, v -> v.reshape(2, 3, 4));
            copies(x.transpose(0, 1), 24, v -> v.reshape(24));
            copies(x.transpose(0, 1), 24, v -> v.reshape(3, 8));
            copies(x.flip(1), 24, v -> v.reshape(8, 3, 1).flatten());
            copies(x.flip(0).flip(1), 0, v -> v.reshape(24));
            copies(x.select(1, 2).unsqueeze(1).expand(4, 5), 20, v -> v.reshape(20));
            copies(x.select(1, 2).unsqueeze(1).expand(4, 6), 0, v -> v.reshape(2, 2, 2, 3));
            copies(x.slice(0, 2, 2), 0, v -> v.reshape(3, 0, 8));
        }
    }

    @DeviceSpec
    void contiguousAndCopy(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.arange(DType.F32, 24).reshape(4, 6);
            assertSame(x, x.contiguous());
            copies(x.slice(0, 1, 3), 0, Tensor::contiguous);
            copies(x.slice(1, 1, 3), 8, Tensor::contiguous);
            copies(x, 24, Tensor::copy);
            Tensor y = x.transpose(0, 1).copy();
            assertArrayEquals(new long[] {4, 1}, y.layout().strides());
            assertArrayEquals(x.transpose(0, 1).toFloatArray(), y.toFloatArray());
        }
    }

    @DeviceSpec
    void getAndItemReadOneElement(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.arange(DType.I64, 24).reshape(2, 3, 4).permute(2, 0, 1).flip(1);
            for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 2; j++) {
                    for (int k = 0; k < 3; k++) {
                        assertEquals((1 - j) * 12 + k * 4 + i, x.get(i, j, k - 3));
                        assertEquals((1 - j) * 12 + k * 4 + i, x.select(0, i).select(0, j).select(0, k).itemLong());
                    }
                }
            }
            assertEquals(Long.MAX_VALUE, s.tensor(new long[] {Long.MAX_VALUE}).itemLong());
        }
    }
}
