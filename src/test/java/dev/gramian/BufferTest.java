package dev.gramian;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Growing memory against lists of rows on the heap. */
class BufferTest {
    private static final long SEED = Seed.VALUE;

    /** One row's positions, each (planes, width) flattened. */
    private static final class Model {
        final List<List<double[]>> rows = new ArrayList<>();

        Model copy() {
            Model m = new Model();
            rows.forEach(r -> m.rows.add(new ArrayList<>(r)));
            return m;
        }

        void append(int row, Tensor x, long n) {
            for (long i = 0; i < n; i++) {
                rows.get(row).add(x.select(0, row).select(1, i).toDoubleArray());
            }
        }

        double[] row(int b, int planes, int width) {
            List<double[]> r = rows.get(b);
            double[] all = new double[planes * r.size() * width];
            for (int p = 0; p < planes; p++) {
                for (int i = 0; i < r.size(); i++) {
                    System.arraycopy(r.get(i), p * width, all, (p * r.size() + i) * width, width);
                }
            }
            return all;
        }
    }

    private record Shown(Tensor view, double[] values) {}

    @DeviceSpec
    void agreesWithListsWhateverHappens(Device device) {
        Random r = new Random(SEED);
        DType[] types = {DType.F32, DType.F64, DType.F16, DType.U8};
        for (int n = 0; n < 25; n++) {
            int rows = 1 + r.nextInt(3);
            int planes = 1 + r.nextInt(3);
            int width = 1 + r.nextInt(5);
            DType t = types[n % types.length];
            try (Scope s = device.open()) {
                List<Buffer> buffers = new ArrayList<>(List.of(Buffer.of(s, t, rows, planes, r.nextInt(4), width)));
                List<Model> models = new ArrayList<>(List.of(new Model()));
                for (int b = 0; b < rows; b++) {
                    models.get(0).rows.add(new ArrayList<>());
                }
                List<Shown> shown = new ArrayList<>();
                for (int step = 0; step < 40; step++) {
                    int i = r.nextInt(buffers.size());
                    Buffer buffer = buffers.get(i);
                    Model model = models.get(i);
                    int row = r.nextInt(rows);
                    switch (r.nextInt(7)) {
                        case 0, 1 -> {
                            int count = r.nextInt(4);
                            Tensor x = s.integers(DType.I32, r.nextLong(), 0, 200, rows, planes, count, width).to(t);
                            buffer.append(x);
                            for (int b = 0; b < rows; b++) {
                                model.append(b, x, count);
                            }
                        }
                        case 2, 3 -> {
                            long[] counts = r.longs(rows, 0, 4).toArray();
                            Tensor x = s.integers(DType.I32, r.nextLong(), 0, 200, rows, 5, width, planes).to(t)
                                    .transpose(1, 3).transpose(2, 3);
                            x = r.nextBoolean() ? x.flip(2) : x;
                            buffer.append(x, counts);
                            for (int b = 0; b < rows; b++) {
                                model.append(b, x, counts[b]);
                            }
                        }
                        case 4 -> {
                            long to = r.nextInt((int) buffer.length(row) + 1);
                            buffer.truncate(row, to);
                            model.rows.get(row).subList((int) to, model.rows.get(row).size()).clear();
                        }
                        case 5 -> {
                            if (buffers.size() < 4) {
                                buffers.add(buffer.fork());
                                models.add(model.copy());
                            }
                        }
                        default -> shown.add(new Shown(buffer.row(row), model.row(row, planes, width)));
                    }
                    for (int j = 0; j < buffers.size(); j++) {
                        Tensor padded = buffers.get(j).padded();
                        for (int b = 0; b < rows; b++) {
                            double[] expected = models.get(j).row(b, planes, width);
                            Tensor actual = padded.select(0, b).slice(1, 0, buffers.get(j).length(b));
                            assertArrayEquals(expected, actual.toDoubleArray(), "seed " + SEED + " step " + step);
                        }
                    }
                    for (Shown v : shown) {
                        assertArrayEquals(v.values, v.view.toDoubleArray(), "a view changed; seed " + SEED);
                    }
                }
                buffers.forEach(Buffer::close);
            }
            assertEquals(0, device.liveBytes());
        }
    }

    @DeviceSpec
    void growthFreesWhatNobodyWasShown(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(2, 3, 1, 4);
            long before = s.liveBytes();
            Buffer b = Buffer.of(s, DType.F32, 2, 3, 1, 4);
            for (int i = 1; i <= 20; i++) {
                b.append(x);
                long capacity = Long.highestOneBit(2L * i - 1);
                assertEquals(capacity, b.capacity());
                assertEquals(2 * 3 * capacity * 4 * 4, b.bytes());
                assertEquals(b.bytes(), s.liveBytes() - before);
                assertEquals(s.liveBytes(), device.liveBytes());
            }
            Tensor stale = b.padded();
            Tensor shown = b.row(0);
            b.append(x.expand(2, 3, 1, 4));
            b.reserve(100, 0);
            assertEquals(b.bytes() + 2 * 3 * 32 * 4 * 4, s.liveBytes() - before, "what was shown stays");
            assertEquals(240, shown.sum().item());
            assertEquals(480, stale.sum().item());
            Tensor borrowed = b.padded();
            b.reserve(1000, 0);
            String text = assertThrows(ClosedException.class, borrowed::sum).getMessage();
            assertTrue(text.startsWith("sum: x is used after its scope closed; F32 [2, 3, 21, 4], buffer in the scope"),
                    text);
            b.close();
            b.close();
        }
    }

    @DeviceSpec
    void forksShareUntilOneWrites(Device device) {
        try (Scope s = device.open()) {
            Tensor x = s.ones(1, 1, 4, 8);
            long before = s.liveBytes();
            Buffer a = Buffer.of(s, DType.F32, 1, 1, 16, 8);
            a.append(x);
            Buffer b = a.fork();
            Buffer c = a.fork();
            assertEquals(a.bytes(), s.liveBytes() - before);
            b.append(x.slice(2, 0, 1).mul(2));
            assertEquals(2 * a.bytes(), s.liveBytes() - before - 4 * 8);
            c.close();
            a.append(x.mul(3).slice(2, 0, 1));
            assertEquals(2 * 8 + 32, b.padded().sum().item());
            assertEquals(3 * 8 + 32, a.padded().sum().item());
            Buffer d = b.select(0, 0);
            b.close();
            a.close();
            assertEquals(2 * (2 * 8 + 32), d.padded().sum().item());
            d.close();
        }
    }

    @DeviceSpec
    void endsWithItsScope(Device device) {
        Buffer b;
        try (Scope s = device.open()) {
            b = Buffer.of(s, DType.F32, 1, 1, 2, 2);
        }
        assertEquals(0, device.liveBytes());
        try (Scope s = device.open()) {
            Tensor x = s.ones(1, 1, 1, 2);
            assertThrows(ClosedException.class, () -> b.append(x));
            assertThrows(ClosedException.class, () -> b.reserve(9));
            b.close();
        }
    }

    @DeviceSpec
    void readableFromOtherThreadsWrittenByItsOwn(Device device) throws InterruptedException {
        try (Scope s = device.open()) {
            Buffer b = Buffer.of(s, DType.F32, 1, 1, 2, 2);
            b.append(s.ones(1, 1, 1, 2));
            Tensor row = b.row(0);
            List<Object> seen = new ArrayList<>();
            Thread t = new Thread(() -> {
                try (Scope own = device.open()) {
                    seen.add(row.sum().item());
                    Tensor x = own.ones(1, 1, 1, 2);
                    seen.add(assertThrows(ClosedException.class, () -> b.append(x)).getMessage());
                    seen.add(assertThrows(ClosedException.class, () -> b.reserve(9)).getMessage());
                }
            });
            t.start();
            t.join();
            assertEquals(3, seen.size());
            assertEquals(2.0, seen.get(0));
            assertTrue(seen.get(1).toString().startsWith("assign: scope belongs to thread "), seen.toString());
            assertTrue(seen.get(2).toString().startsWith("buffer: scope belongs to thread "), seen.toString());
            assertEquals(1, b.length(0));
        }
    }

    private static void fails(String text, Runnable r) {
        assertEquals(text, assertThrows(GramianException.class, r::run).getMessage());
    }

    @DeviceSpec
    void errors(Device device) {
        try (Scope s = device.open()) {
            Buffer b = Buffer.of(s, DType.F32, 2, 3, 4, 5);
            fails("append: x does not fit; x [2, 3, 1, 4], buffer [2, 3, 4, 5] (rows, planes, capacity, width); all axes but "
                    + "the third must be equal", () -> b.append(s.zeros(2, 3, 1, 4)));
            fails("append: element types differ; x F64 [2, 3, 1, 5], buffer F32 [2, 3, 4, 5]; cast with .to(DType.F32)",
                    () -> b.append(s.zeros(DType.F64, 2, 3, 1, 5)));
            fails("append: 1 counts for 2 rows; counts [1]; give one per row", () -> b.append(s.zeros(2, 3, 1, 5), 1));
            fails("append: 2 positions wanted of 1; x [2, 3, 1, 5], counts [1, 2]; each may be at most 1",
                    () -> b.append(s.zeros(2, 3, 1, 5), 1, 2));
            fails("reserve: a count is negative; counts [1, -1]; give 0 or more, or truncate", () -> b.reserve(1, -1));
            fails("truncate: row 1 cannot have length 1; it has 0; give 0 to 0", () -> b.truncate(1, 1));
            fails("row: row 2 does not exist; buffer has 2 rows; use 0 to 1", () -> b.row(2));
            try (Scope inner = Scope.inner("test", device)) {
                assertEquals(s.device(), inner.device());
                b.append(s.zeros(2, 3, 1, 5));
            }
            String text = assertThrows(ClosedException.class, () -> s.keep(b.row(0))).getMessage();
            assertTrue(
                    text.startsWith("keep: x is a view of a buffer, which stays where it is; x F32 [3, 1, 5], scope"),
                    text);
            b.close();
            fails("append: buffer is closed; 2 rows; make another", () -> b.append(s.zeros(2, 3, 1, 5)));
        }
    }
}
