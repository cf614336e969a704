package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.core.Shape;
import dev.gramian.spec.DeviceSpec;

/** Memory in blocks; what becomes of it in a cache is PagedKvCacheTest's. */
class BlocksTest {
    @DeviceSpec
    void placesCountThroughAllBlocks(Device device) {
        try (Scope s = device.open()) {
            Blocks b = Blocks.of(s, DType.F32, 2, 3, 2, 1);
            assertEquals(Shape.of(2, 3, 2, 1), b.shape());
            assertEquals(2 * 3 * 2 * 4, b.bytes());
            b.write(0, s.arange(DType.F32, 12).reshape(2, 6, 1));
            b.copy(1, 4, 2);
            assertArrayEquals(new float[] {1, 2, 0, 1, 7, 8, 6, 7},
                    b.gather(s.tensor(new long[] {2, 0})).toFloatArray());
            Tensor before = b.gather(s.tensor(new long[] {0}));
            b.write(0, s.ones(2, 2, 1));
            assertArrayEquals(new float[] {0, 1, 6, 7}, before.toFloatArray());
            assertArrayEquals(new float[] {1, 2, 1, 8}, b.view(1, 2).toFloatArray());
            b.close();
            assertEquals("blocks F32 [2, 3, 2, 1], closed", b.toString());
        }
    }

    @DeviceSpec
    void errors(Device device) {
        try (Scope s = device.open()) {
            Blocks b = Blocks.of(s, DType.F32, 2, 3, 2, 1);
            assertEquals(
                    "write: x does not fit; x F32 [2, 2], blocks F32 [2, 3, 2, 1] (planes, blocks, positions, width); give "
                            + "(planes, n, width)",
                    assertThrows(GramianException.class, () -> b.write(0, s.ones(2, 2))).getMessage());
            assertThrows(GramianException.class, () -> b.write(0, s.ones(DType.F64, 2, 2, 1)));
            for (Runnable outside : new Runnable[] {
                () -> b.write(5, s.ones(2, 2, 1)), () -> b.write(-1, s.ones(2, 2, 1)), () -> b.copy(0, 5, 2),
                () -> b.copy(5, 0, 2), () -> b.view(0, 7), () -> b.view(2, -1)
            }) {
                String text = assertThrows(GramianException.class, outside::run).getMessage();
                assertTrue(text
                        .endsWith(" do not exist; blocks F32 [2, 3, 2, 1] (planes, blocks, positions, width); there "
                                + "are 0 to 5"),
                        text);
            }
            assertThrows(GramianException.class, () -> b.gather(s.tensor(new long[] {3})));
            b.close();
            b.close();
            assertEquals("gather: blocks are closed; F32 [2, 3, 2, 1]; make others",
                    assertThrows(ClosedException.class, () -> b.gather(s.tensor(new long[] {0}))).getMessage());
        }
    }
}
