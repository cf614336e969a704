package dev.gramian.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.core.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written, against NumPy's and hand-made bytes; and that a failure changes nothing. */
final class WriteTest {
    @TempDir
    Path dir;

    private static Elements elements(HostTensor t) {
        byte[] copy = t.data().bytes().toArray(ValueLayout.JAVA_BYTE);
        t.data().onFree().run();
        return Elements.of(t.dtype(), t.layout().shape(), MemorySegment.ofArray(copy));
    }

    private static Elements f32(float... v) {
        byte[] bytes = MemorySegment.ofArray(v).toArray(ValueLayout.JAVA_BYTE);
        return Elements.of(DType.F32, Shape.of(v.length), MemorySegment.ofArray(bytes));
    }

    private List<String> left() throws IOException {
        try (Stream<Path> s = Files.list(dir)) {
            return s.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"f8_le", "f4_le", "f2_le", "i8_le", "i4_le", "u1", "b1", "scalar", "empty", "one", "cube"})
    void npyBytesAreNumpys(String name) throws IOException {
        Elements e = elements(TensorFiles.load(Golden.file(name + ".npy").toString()));
        Path out = dir.resolve("x.npy");
        TensorFiles.save(out.toString(), e);
        assertArrayEquals(Files.readAllBytes(Golden.file(name + ".npy")), Files.readAllBytes(out));
        assertEquals(List.of("x.npy"), left());
    }

    @Test
    void bf16IsWrittenAsMlDtypesDoes() throws IOException {
        Path out = dir.resolve("x.npy");
        TensorFiles.save(out.toString(), elements(TensorFiles.load(Golden.file("bf16.npy").toString())));
        byte[] want = Files.readAllBytes(Golden.file("bf16.npy"));
        want[21] = '<'; // NumPy alone says |V2
        assertArrayEquals(want, Files.readAllBytes(out));
        assertEquals(DType.BF16, TensorFiles.list(out).get(0).dtype());
    }

    @Test
    void longHeadersAreVersion2() throws IOException {
        long[] sizes = new long[30_000];
        Arrays.fill(sizes, 1);
        byte[] header = NpyHeader.bytes(DType.F32, Shape.of(sizes));
        assertEquals(2, header[6]);
        assertEquals(0, header.length % 64);
        byte[] all = Arrays.copyOf(header, header.length + 4);
        NpyHeader back = NpyHeader.read(new ByteArrayInputStream(all), all.length, new Place("x"));
        assertEquals(Shape.of(sizes), back.shape());
        assertEquals(header.length, back.dataOffset());
    }

    @Test
    void headersOfAllLengthsAreAligned() throws IOException {
        for (int rank = 0; rank < 60; rank++) {
            long[] sizes = new long[rank];
            Arrays.fill(sizes, rank % 2 == 0 ? 1 : 0);
            byte[] header = NpyHeader.bytes(DType.U8, Shape.of(sizes));
            assertEquals(0, header.length % 64);
            byte[] all = Arrays.copyOf(header, header.length + 1);
            assertEquals(Shape.of(sizes),
                    NpyHeader.read(new ByteArrayInputStream(all), all.length, new Place("x")).shape());
        }
    }

    @Test
    void safetensorsBytesAreTheReferences() throws IOException {
        TensorFile f = TensorFiles.open(Golden.file("all.safetensors"));
        Map<String, Elements> all = new LinkedHashMap<>();
        for (TensorEntry e : f.entries().reversed()) {
            all.put(e.name(), elements(TensorFiles.load(f, e)));
        }
        Path out = dir.resolve("x.safetensors");
        TensorFiles.save(out, all, f.metadata());
        assertArrayEquals(Files.readAllBytes(Golden.file("all.safetensors")), Files.readAllBytes(out));
    }

    @Test
    void npzIsAZipWithAlignedData() throws IOException {
        TensorFile f = TensorFiles.open(Golden.file("stored.npz"));
        Map<String, Elements> all = new LinkedHashMap<>();
        for (String name : List.of("w", "scalar", "mask", "größe")) {
            all.put(name, elements(TensorFiles.load(f, f.entry(name))));
        }
        Path out = dir.resolve("x.npz");
        TensorFiles.save(out, all, Map.of());
        byte[] first = Files.readAllBytes(out);
        TensorFiles.save(out, all, Map.of());
        assertArrayEquals(first, Files.readAllBytes(out), "same tensors, same bytes");
        try (ZipFile zip = new ZipFile(out.toFile())) { // an independent reader, which holds the checksums, too
            assertEquals(4, zip.size());
            for (String name : all.keySet()) {
                ZipEntry e = zip.getEntry(name + ".npy");
                assertEquals(e.getSize(), zip.getInputStream(e).readAllBytes().length);
            }
            assertArrayEquals(
                    Files.readAllBytes(Golden.file("cube.npy")),
                    zip.getInputStream(zip.getEntry("w.npy")).readAllBytes());
        }
        for (TensorEntry e : TensorFiles.list(out)) {
            assertEquals(0, e.offset() % 64);
            double[] want = Golden.STATED.get("stored.npz:" + e.name()).values();
            HostTensor t = TensorFiles.load(out + ":" + e.name());
            assertArrayEquals(want, Golden.values(t));
            t.data().onFree().run();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"npz", "safetensors"})
    void addingToAContainerKeepsTheRest(String kind) {
        Path out = dir.resolve("x." + kind);
        TensorFiles.save(out + ":a", f32(1, 2));
        TensorFiles.save(out + ":b", f32(3));
        TensorFiles.save(out + ":a", f32(4, 5, 6));
        assertEquals(2, TensorFiles.list(out).size());
        for (Map.Entry<String, double[]> want : Map.of("a", new double[] {4, 5, 6}, "b", new double[] {3}).entrySet()) {
            HostTensor t = TensorFiles.load(out + ":" + want.getKey());
            assertArrayEquals(want.getValue(), Golden.values(t));
            t.data().onFree().run();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"stored.npz", "deflated.npz"})
    void membersInFortranOrderAreKept(String name) throws IOException {
        Path out = Files.copy(Golden.file(name), dir.resolve("x.npz"));
        TensorFiles.save(out + ":extra", f32(1));
        assertEquals(7, TensorFiles.list(out).size());
        for (TensorEntry e : TensorFiles.list(out)) {
            if (!e.name().equals("extra")) {
                HostTensor t = TensorFiles.load(out + ":" + e.name());
                assertArrayEquals(Golden.STATED.get(name + ":" + e.name()).values(), Golden.values(t));
                t.data().onFree().run();
            }
        }
    }

    @Test
    void aFailureChangesNothing() throws IOException {
        for (String name : List.of("x.npy", "x.npz", "x.safetensors")) {
            Path out = dir.resolve(name);
            Files.writeString(out, "old");
            Elements broken = new Elements(DType.F32, Shape.of(10), (at, n) -> {
                throw new IllegalStateException("lost");
            });
            assertThrows(IllegalStateException.class, () -> {
                if (name.endsWith("npy")) {
                    TensorFiles.save(out.toString(), broken);
                } else {
                    TensorFiles.save(out, Map.of("w", broken), Map.of());
                }
            });
            assertEquals("old", Files.readString(out));
        }
        assertEquals(List.of("x.npy", "x.npz", "x.safetensors"), left());
    }

    @Test
    void largeTensorsAreWrittenInPieces() throws IOException {
        long n = (20L << 20) + 3;
        MemorySegment piece = MemorySegment.ofArray(new byte[8 << 20]);
        long[] asked = new long[2];
        Elements e = new Elements(DType.U8, Shape.of(n), (at, length) -> {
            assertEquals(asked[0], at);
            asked[0] += length;
            asked[1] = Math.max(asked[1], length);
            return piece.asSlice(0, length);
        });
        Path out = dir.resolve("x.npy");
        TensorFiles.save(out.toString(), e);
        assertEquals(n, asked[0]);
        assertEquals(8 << 20, asked[1]);
        assertEquals(128 + n, Files.size(out));
    }

    @Test
    void linksStayLinks() throws IOException {
        Path real = dir.resolve("real.npy");
        TensorFiles.save(real.toString(), f32(1));
        Path link = Files.createSymbolicLink(dir.resolve("link.npy"), real);
        TensorFiles.save(link.toString(), f32(2, 3));
        assertEquals(true, Files.isSymbolicLink(link));
        assertEquals(Shape.of(2), TensorFiles.list(real).get(0).shape());
    }

    @Test
    void errors() throws IOException {
        Files.createDirectory(dir.resolve("d.npy"));
        String d = dir.toString();
        assertEquals("write: is a directory; " + d + "/d.npy; name a file", fails(d + "/d.npy"));
        assertEquals("write: no such directory; " + d + "/no/x.npy; create it first", fails(d + "/no/x.npy"));
        assertEquals("write: unknown kind of file; " + d
                + "/x.bin; expected a name that ends with .npy, .npz or .safetensors", fails(d + "/x.bin"));
        assertEquals("write: '__metadata__' cannot be a tensor's name; " + d
                + "/x.npz; use other text, shorter than 16000 characters", fails(d + "/x.npz:__metadata__"));
        assertEquals("write: an npy file holds one tensor without a name, not 2; " + d
                + "/x.npy; use .npz or .safetensors",
                assertThrows(FormatException.class, () -> TensorFiles.save(
                        dir.resolve("x.npy"), Map.of("a", f32(1), "b", f32(2)), Map.of()))
                        .getMessage());
        assertEquals("write: an npz file holds no metadata; " + d + "/x.npz; use .safetensors",
                assertThrows(FormatException.class, () -> TensorFiles.save(
                        dir.resolve("x.npz"), Map.of("a", f32(1)), Map.of("k", "v")))
                        .getMessage());
        assertEquals(List.of("d.npy"), left());
    }

    private String fails(String path) {
        return assertThrows(FormatException.class, () -> TensorFiles.save(path, f32(1))).getMessage();
    }

    @Test
    void zip64IsRead() throws IOException {
        // stored.npz rebuilt with a zip64 end record and zip64 extra fields though its numbers are small
        TensorFiles.save(dir.resolve("a.npz"), Map.of("w", f32(1, 2, 3)), Map.of());
        ByteBuffer old = ByteBuffer.wrap(Files.readAllBytes(dir.resolve("a.npz"))).order(ByteOrder.LITTLE_ENDIAN);
        int end = old.capacity() - 22;
        int central = old.getInt(end + 16);
        int size = old.getInt(central + 24);
        ByteBuffer b = ByteBuffer.allocate(central + 46 + 5 + 28 + 56 + 20 + 22).order(ByteOrder.LITTLE_ENDIAN);
        b.put(old.array(), 0, central + 46 + 5);
        b.putInt(central + 20, -1).putInt(central + 24, -1).putInt(central + 42, -1).putShort(central + 30, (short) 28);
        b.putShort((short) 1).putShort((short) 24).putLong(size).putLong(size).putLong(0);
        int length = b.position() - central;
        int at = b.position();
        b.putInt(0x06064b50).putLong(44).putInt(0).putLong(0).putLong(1).putLong(1).putLong(length).putLong(central);
        b.putInt(0x07064b50).putInt(0).putLong(at).putInt(1);
        b.putInt(0x06054b50).putInt(0).putInt(-1).putInt(-1).putInt(-1).putShort((short) 0);
        assertFalse(b.hasRemaining());
        Path out = Files.write(dir.resolve("b.npz"), b.array());
        HostTensor t = TensorFiles.load(out + ":w");
        assertArrayEquals(new double[] {1, 2, 3}, Golden.values(t));
        t.data().onFree().run();
    }
}
