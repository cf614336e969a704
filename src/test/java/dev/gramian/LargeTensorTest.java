package dev.gramian;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gramian.core.DType;
import dev.gramian.core.Layout;
import dev.gramian.core.Shape;
import dev.gramian.spec.DeviceSpec;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** More elements, and more bytes, than an int counts. */
final class LargeTensorTest {
    private static final long N = (1L << 31) + 17;

    /** Memory that can be had without swapping; unknown counts as none. */
    private static long available() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
                if (line.startsWith("MemAvailable:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
        } catch (IOException e) {
            return 0;
        }
        return 0;
    }

    @DeviceSpec
    void moreThanTwoToThe31Elements(Device device) {
        assumeTrue(available() > 3 * N, "needs 6 GiB of free memory");
        try (Scope s = device.open()) {
            Tensor x = s.full(DType.U8, 3, N);
            assertEquals(N, device.liveBytes());
            assertEquals(3 * N, x.sum().itemLong());
            if (device == Device.cpu()) {
                // most of the time goes into fresh pages, so one device must do for a second tensor
                Tensor y = x.add(254);
                assertEquals(2 * N + 8, device.liveBytes());
                assertEquals(1, y.get(N - 1));
                assertEquals(1, y.get(0));
                assertEquals(1, y.slice(0, -3, -2).itemLong());
            }
            Tensor tail = x.slice(0, -5, Long.MAX_VALUE);
            byte[] bytes = new byte[5];
            tail.copyTo(MemorySegment.ofArray(bytes));
            assertArrayEquals(new byte[] {3, 3, 3, 3, 3}, bytes);
            assertEquals(N - 5, tail.layout().offset());
            // backwards over the 2^31st element, every 2^30th
            Tensor sparse = x.slice(0, Long.MAX_VALUE, Long.MIN_VALUE, -(1L << 30));
            assertArrayEquals(new long[] {3, 3, 3}, sparse.toLongArray());
            Tensor matrix = x.slice(0, 17, Long.MAX_VALUE).reshape(1 << 16, 1 << 15);
            assertArrayEquals(new long[] {3, 3}, matrix.slice(1, -2, -1).slice(0, 0, 2).flatten().toLongArray());
            assertTrue(x.toString().endsWith("[3 3 3 ... 3 3 3]"), x.toString());
        }
    }

    /** A file with a hole for its body costs nothing to map, so that offsets beyond 2^34 bytes can be met everywhere. */
    @DeviceSpec
    void moreThanSixteenGibibytes(Device device, @TempDir Path dir) throws IOException {
        assumeTrue(device.name().startsWith("cpu"), "the device copies what it wraps: 16 GiB");
        long n = (1L << 31) + 5;
        try (Arena arena = Arena.ofConfined();
                FileChannel file = FileChannel.open(dir.resolve("hole"), CREATE, READ, WRITE)) {
            MemorySegment bytes = file.map(FileChannel.MapMode.READ_WRITE, 0, 8 * n, arena);
            for (int i = 0; i < 5; i++) {
                bytes.setAtIndex(ValueLayout.JAVA_DOUBLE, n - 5 + i, i + 1);
            }
            try (Scope s = device.open()) {
                Tensor x = s.wrap(bytes, null, DType.F64, Layout.contiguous(Shape.of(n)));
                assertEquals(5, x.get(-1));
                Tensor tail = x.slice(0, -5, Long.MAX_VALUE);
                assertArrayEquals(new double[] {2, 4, 6, 8, 10}, tail.add(tail).toDoubleArray());
                assertArrayEquals(new double[] {5, 0}, x.slice(0, -1, Long.MIN_VALUE, -(n - 1)).toDoubleArray());
                assertEquals(4, tail.argMax().itemLong());
                Tensor matrix = x.slice(0, 5, Long.MAX_VALUE).reshape(1 << 15, 1 << 16);
                assertArrayEquals(new double[] {0, 15},
                        matrix.slice(0, 0, Long.MAX_VALUE, (1 << 15) - 1).sum(1).toDoubleArray());
                assertEquals(15, Indexing.gather(matrix, 0, -1).sum().item());
                assertEquals(55, tail.unsqueeze(0).matmul(tail).item());
            }
        }
    }

    /** Stride 0 makes many elements of few bytes: kernels must count in long all the same. */
    @DeviceSpec
    void manyElementsOfFewBytes(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(DType.U8, 1).expand(1L << 33);
            assertEquals(1L << 33, x.size());
            assertEquals(1, device.liveBytes());
            assertEquals(1, x.get((1L << 33) - 1));
            assertEquals(1L << 32, x.slice(0, 0, Long.MAX_VALUE, 2).size());
        }
    }
}
