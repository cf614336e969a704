package dev.gramian.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.core.DType;
import dev.gramian.core.Shape;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Files NumPy wrote, against the numbers its script stated apart from them. */
final class ReadGoldenTest {
    static Stream<String> stated() {
        return Golden.STATED.keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("stated")
    void readsWhatNumpyWrote(String name) {
        Golden.Stated want = Golden.STATED.get(name);
        HostTensor t = TensorFiles.load(Golden.HERE + "/" + name);
        try {
            assertEquals(want.dtype(), t.dtype());
            assertEquals(want.shape(), t.layout().shape());
            double[] got = Golden.values(t);
            assertArrayEquals(want.values(), got);
            for (int i = 0; i < got.length; i++) {
                if (t.dtype().isFloat()) { // the sign of zero, too
                    assertEquals(Double.doubleToLongBits(want.values()[i]), Double.doubleToLongBits(got[i]));
                }
            }
        } finally {
            t.data().onFree().run();
        }
    }

    @Test
    void listsNpy() {
        TensorEntry e = TensorFiles.list(Golden.file("fortran_be.npy")).get(0);
        assertEquals(
                new TensorEntry("", ">f8", DType.F64, Shape.of(2, 3, 4), true, ByteOrder.BIG_ENDIAN, 128, 192, null),
                e);
    }

    @Test
    void listsNpz() {
        List<TensorEntry> stored = TensorFiles.list(Golden.file("stored.npz"));
        assertEquals(List.of("w", "scalar", "mask", "big", "turned", "größe"),
                stored.stream().map(TensorEntry::name).toList());
        assertTrue(stored.get(0).offset() > 0);
        assertEquals(96, stored.get(0).bytes());
        assertEquals(-1, TensorFiles.list(Golden.file("deflated.npz")).get(0).offset());
    }

    @Test
    void listsMembersThatAreNoTensors() {
        TensorFile f = TensorFiles.open(Golden.file("plain_names.npz"));
        assertEquals(List.of("x", "notes.txt", "short"),
                f.entries().stream().map(TensorEntry::name).toList());
        assertNull(f.entries().get(0).problem());
        assertNotNull(f.entries().get(1).problem());
        assertEquals("<i2", f.entries().get(2).type());
        assertEquals(Shape.of(3), f.entries().get(2).shape());
        assertEquals("x", f.entry("x").name());
        assertEquals("x", f.entry("x.npy").name());
    }

    @Test
    void listsSafetensors() {
        TensorFile f = TensorFiles.open(Golden.file("all.safetensors"));
        assertEquals(Map.of("format", "pt", "größe", "schön\t\"\\"), f.metadata());
        assertEquals(List.of("i64", "f64", "a \"quoted\"\n", "cube", "nothing", "i32", "bf16", "f16", "u8", "bool"),
                f.entries().stream().map(TensorEntry::name).toList());
        TensorFile other = TensorFiles.open(Golden.file("other.safetensors"));
        assertEquals("F8_E4M3", other.entry("f8").type());
        assertNull(other.entry("f8").dtype());
        assertEquals("F3_X", other.entry("future").type());
    }
}
