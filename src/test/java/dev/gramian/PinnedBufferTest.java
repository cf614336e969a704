package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.ShapeException;
import dev.gramian.spec.DeviceSpec;
import java.lang.foreign.ValueLayout;

/** Copies that the device makes by itself: right values whatever overlaps, and memory that is given back. */
final class PinnedBufferTest {
    @DeviceSpec
    void twoBuffersTakeTurns(Device device) {
        int n = 1000;
        try (Scope s = device.open();
                PinnedBuffer even = PinnedBuffer.of(device, 4L * n);
                PinnedBuffer odd = PinnedBuffer.of(device, 4L * n);
                PinnedBuffer out = PinnedBuffer.of(device, 8)) {
            Tensor sum = s.zeros(DType.F64);
            double expected = 0;
            for (int batch = 0; batch < 20; batch++) {
                PinnedBuffer b = batch % 2 == 0 ? even : odd;
                b.await();
                for (int i = 0; i < n; i++) {
                    float v = batch * 31 + i % 7;
                    b.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, v);
                    expected += 2 * v;
                }
                try (Scope inner = device.open()) {
                    sum = inner.keep(sum.add(b.upload(inner, DType.F32, 10, 100).to(DType.F64).mul(2).sum()));
                }
            }
            out.download(sum);
            out.await();
            assertEquals(expected, out.segment().get(ValueLayout.JAVA_DOUBLE, 0));
        }
    }

    @DeviceSpec
    void viewsAndFreedTensorsArriveWhole(Device device) {
        try (Scope s = device.open();
                PinnedBuffer b = PinnedBuffer.of(device, 4 * 6);
                PinnedBuffer c = PinnedBuffer.of(device, 4 * 6)) {
            try (Scope inner = device.open()) {
                Tensor x = inner.arange(DType.I32, 6).reshape(2, 3);
                b.download(x.transpose(0, 1));
                c.download(x.add(10));
            }
            // takes the memory that was just freed
            Tensor y = s.full(DType.I32, -1, 2, 3);
            b.await();
            c.await();
            assertArrayEquals(new int[] {0, 3, 1, 4, 2, 5}, b.segment().toArray(ValueLayout.JAVA_INT));
            assertArrayEquals(new int[] {10, 11, 12, 13, 14, 15}, c.segment().toArray(ValueLayout.JAVA_INT));
            assertEquals(-6, y.sum().item());
        }
    }

    @DeviceSpec
    void misuse(Device device) {
        try (Scope s = device.open()) {
            PinnedBuffer b = PinnedBuffer.of(device, 10);
            assertEquals("upload: buffer is too small; F32 [3] takes 12 bytes, the buffer has 10; make a larger one",
                    assertThrows(ShapeException.class, () -> b.upload(s, DType.F32, 3)).getMessage());
            b.close();
            b.close();
            assertEquals("upload: pinned buffer is closed; 10 bytes on " + device.name() + "; make another",
                    assertThrows(ClosedException.class, () -> b.upload(s, DType.F32, 2)).getMessage());
            try (PinnedBuffer empty = PinnedBuffer.of(device, 0)) {
                assertEquals(0, empty.upload(s, DType.F32, 0, 4).size());
                empty.download(s.zeros(0));
                empty.await();
            }
        }
    }
}
