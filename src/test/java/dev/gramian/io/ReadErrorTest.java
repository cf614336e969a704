package dev.gramian.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gramian.core.FormatException;
import dev.gramian.core.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The text of every error of reading. */
final class ReadErrorTest {
    private static final String READABLE = "f8, f4, f2, i8, i4, u1, b1 or V2 (bfloat16)";

    @TempDir
    Path dir;

    private String fails(String tensorPath) {
        String m = assertThrows(FormatException.class, () -> TensorFiles.load(tensorPath)).getMessage();
        return m.replace(dir + "/", "");
    }

    private String fails(String name, byte[] bytes) throws IOException {
        Files.write(dir.resolve(name), bytes);
        return fails(dir.resolve(name).toString());
    }

    private String npy(String header, int data) throws IOException {
        return fails("x.npy", npyBytes(1, header, data));
    }

    private static byte[] npyBytes(int version, String header, int data) {
        byte[] text = header.getBytes(version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
        ByteBuffer b = ByteBuffer.allocate((version == 1 ? 10 : 12) + text.length + data)
                .order(ByteOrder.LITTLE_ENDIAN);
        b.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
        if (version == 1) {
            b.putShort((short) text.length);
        } else {
            b.putInt(text.length);
        }
        return b.put(text).array();
    }

    private static String header(String descr, String shape) {
        return "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }\n";
    }

    private String safetensors(String header, int data) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return fails("x.safetensors", ByteBuffer.allocate(8 + text.length + data)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .array());
    }

    @Test
    void files() throws IOException {
        Files.createDirectory(dir.resolve("d.npy"));
        assertEquals("read: no such file; no.npy; expected a readable file", fails(dir + "/no.npy"));
        assertEquals("read: is a directory; d.npy; expected a file", fails(dir + "/d.npy"));
        assertEquals("read: unknown kind of file; x.bin; expected a name that ends with .npy, .npz or .safetensors",
                fails(dir + "/x.bin"));
        assertEquals("read: permission denied; x; expected a readable file",
                new Place("x").failed(new AccessDeniedException("x")).getMessage());
        assertEquals("read: file is empty; x.npy; expected an npy header", fails("x.npy", new byte[0]));
        assertEquals("read: file is empty; x.npz; expected a zip file", fails("x.npz", new byte[0]));
        assertEquals("read: file is empty; x.safetensors; expected a safetensors header",
                fails("x.safetensors", new byte[0]));
        if (Files.exists(Path.of("/dev/zero"))) {
            Files.createSymbolicLink(dir.resolve("zero.npy"), Path.of("/dev/zero"));
            assertEquals(
                    "read: not a regular file; zero.npy; expected a file on disk: pipes and devices cannot be mapped",
                    fails(dir + "/zero.npy"));
            Files.delete(dir.resolve("zero.npy"));
        }
    }

    @Test
    void paths() throws IOException {
        assertEquals(
                "read: no file is named; ''; expected FILE.npy, FILE.npz:NAME or FILE.safetensors:NAME", fails(""));
        assertEquals("read: not a file name; 'a\\u0000b.npy'; expected a path of this system", fails("a\0b.npy"));
        assertEquals("read: the tensor of an npy file has no name, but 'w' is given; a.npy; expected the file alone",
                fails("a.npy:w"));
        assertEquals("read: no name after the colon; a.npz; expected FILE:NAME", fails("a.npz:"));
        Path many = dir.resolve("many.safetensors");
        Files.copy(Golden.file("other.safetensors"), many);
        assertEquals("read: which tensor? The file holds 5; many.safetensors; expected FILE:NAME with one of "
                + "z, f8, i16, a, future", fails(many.toString()));
        assertEquals("read: no tensor named 'b'; many.safetensors; expected one of z, f8, i16, a, future",
                fails(many + ":b"));
        assertEquals("read: element type F8_E4M3 is not supported; many.safetensors:f8; expected F64, F32, F16, BF16, "
                + "I64, I32, U8 or BOOL; convert it where it was written", fails(many + ":f8"));
        assertEquals("read: file holds no tensors; x.safetensors; expected at least one", safetensors("{}", 0));
        StringBuilder twelve = new StringBuilder("{");
        for (int i = 0; i < 12; i++) {
            twelve.append(i == 0 ? "" : ",")
                    .append("\"t").append(i).append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
        }
        assertEquals("read: which tensor? The file holds 12; x.safetensors; expected FILE:NAME with one of "
                + "t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, ... (12 in all)", safetensors(twelve + "}", 0));
    }

    @Test
    void tensorPaths() throws IOException {
        assertEquals(new TensorPath(Path.of("a.npz"), "x:y"), TensorPath.parse("a.npz:x:y"));
        assertEquals(new TensorPath(Path.of("d:1/a.safetensors"), "b/c"), TensorPath.parse("d:1/a.safetensors:b/c"));
        assertEquals(new TensorPath(Path.of("A.NPY"), null), TensorPath.parse("A.NPY"));
        Path odd = Files.copy(Golden.file("lone.safetensors"), dir.resolve("a.npz:b.safetensors"));
        assertEquals(new TensorPath(odd, null), TensorPath.parse(odd.toString()));
        assertEquals(new TensorPath(odd, "x"), TensorPath.parse(odd + ":x"));
        HostTensor lone = TensorFiles.load(odd.toString());
        assertEquals(Shape.of(3, 4), lone.layout().shape());
        lone.data().onFree().run();
    }

    @Test
    void npyStructure() throws IOException {
        assertEquals("read: not an npy file: begins with 50 4b 03 04 00 00; x.npy, at byte 0; expected "
                + "93 4e 55 4d 50 59 (\\x93NUMPY)", fails("x.npy", new byte[] {'P', 'K', 3, 4, 0, 0, 0, 0}));
        byte[] whole = npyBytes(1, header("'<f4'", "(2, 3)"), 24);
        assertEquals("read: header is cut off; x.npy, at byte 4; expected magic and version, 8 bytes",
                fails("x.npy", Arrays.copyOf(whole, 4)));
        assertEquals("read: header is cut off; x.npy, at byte 9; expected the header's length, 2 bytes",
                fails("x.npy", Arrays.copyOf(whole, 9)));
        assertEquals("read: header is cut off; x.npy, at byte 30; expected 60 bytes of header from byte 10 on",
                fails("x.npy", Arrays.copyOf(whole, 30)));
        assertEquals("read: data is cut off: 23 bytes are there; x.npy, at byte 70; expected 24 bytes for <f4 [2, 3]",
                fails("x.npy", Arrays.copyOf(whole, 93)));
        whole[6] = 4;
        assertEquals("read: npy version 4.0 is unknown; x.npy, at byte 6; expected 1.0, 2.0 or 3.0",
                fails("x.npy", whole));
        byte[] huge = npyBytes(2, " ".repeat((1 << 20) + 1), 0);
        assertEquals("read: header of 1048577 bytes is too long; x.npy, at byte 8; expected at most 1048576 bytes",
                fails("x.npy", huge));
        byte[] lies = Arrays.copyOf(npyBytes(2, "", 0), 12);
        Arrays.fill(lies, 8, 12, (byte) 0xFF);
        assertEquals("read: header is cut off; x.npy, at byte 12; expected 4294967295 bytes of header from byte 12 on",
                fails("x.npy", lies));
    }

    @Test
    void npyHeaderText() throws IOException {
        assertEquals("read: header has '['; x.npy, at byte 10; expected a dict '{...}'", npy("[]", 0));
        assertEquals("read: header ends too early; x.npy, at byte 11; expected a key in quotes", npy("{", 0));
        assertEquals("read: header has 'd'; x.npy, at byte 11; expected a key in quotes", npy("{descr: 1}", 0));
        assertEquals("read: header has '}'; x.npy, at byte 14; expected ':'", npy("{'a'}", 0));
        assertEquals("read: header has byte 00; x.npy, at byte 16; expected a value", npy("{'a': \0}", 0));
        assertEquals("read: header has 'b'; x.npy, at byte 18; expected ','", npy("{'a': 1 b}", 0));
        assertEquals("read: header has 'x'; x.npy, at byte 13; expected nothing after the dict", npy("{} x", 0));
        assertEquals("read: header ends too early; x.npy, at byte 15; expected a closing quote", npy("{'abc", 0));
        assertEquals("read: header has '\\'; x.npy, at byte 13; expected a string without escapes or line ends",
                npy("{'a\\n': 1}", 0));
        assertEquals("read: header has 'T'; x.npy, at byte 16; expected True, False or None", npy("{'a': Trueish}", 0));
        assertEquals("read: number without digits; x.npy, at byte 16; expected an integer", npy("{'a': -}", 0));
        assertEquals("read: number of 50 digits; x.npy, at byte 16; expected an integer",
                npy("{'a': " + "1".repeat(50) + "}", 0));
        assertEquals(
                "read: key 'a' occurs twice; x.npy, at byte 19; expected each key once", npy("{'a': 1, 'a': 2}", 0));
        assertEquals("read: header is nested too deeply; x.npy, at byte 48; expected at most 32 levels",
                npy("{'a': " + "(".repeat(100_0), 0));
        assertEquals("read: text is not UTF-8; x.npy, at byte 14; expected UTF-8 text",
                fails("x.npy", withByte(npyBytes(3, "{'a': 1}", 0), 14, 0xFF)));
        assertEquals("read: no key 'shape' in the header; x.npy, at byte 10; expected the keys descr, fortran_order "
                + "and shape", npy("{'descr': '<f4', 'fortran_order': False}", 0));
        assertEquals("read: unknown key 'x' in the header; x.npy, at byte 10; expected the keys descr, fortran_order "
                + "and shape", npy("{'x': 1}", 0));
        assertEquals("read: fortran_order is 1; x.npy, at byte 10; expected True or False",
                npy("{'descr': '<f4', 'fortran_order': 1, 'shape': ()}", 4));
        assertEquals("read: descr is 4; x.npy, at byte 10; expected an element type such as '<f4'",
                npy(header("4", "()"), 4));
    }

    private static byte[] withByte(byte[] b, int at, int value) {
        b[at] = (byte) value;
        return b;
    }

    @Test
    void npyShapes() throws IOException {
        String tuple = "; x.npy, at byte 10; expected a tuple of sizes such as (2, 3) or (4,)";
        assertEquals("read: shape is 3" + tuple, npy(header("'<f4'", "(3)"), 12));
        assertEquals("read: shape is a list of 1" + tuple, npy(header("'<f4'", "[3]"), 12));
        assertEquals("read: size of axis 1 is True; x.npy, at byte 10; expected an integer",
                npy(header("'<f4'", "(3, True)"), 12));
        assertEquals("read: size of axis 0 is negative: -3; x.npy, at byte 10; expected sizes of 0 or more",
                npy(header("'<f4'", "(-3,)"), 12));
        assertEquals("read: size of axis 0 is too large: 9223372036854775808; x.npy, at byte 10; expected at most 2^59 "
                + "elements", npy(header("'<f4'", "(9223372036854775808,)"), 12));
        assertEquals("read: shape [4294967296, 4294967296] has too many elements; x.npy, at byte 10; expected at most "
                + "2^59 elements", npy(header("'<f4'", "(4294967296, 4294967296)"), 12));
    }

    @Test
    void npyTypes() throws IOException {
        String end = "; x.npy; expected " + READABLE + "; ";
        String[][] cases = {
            {"'<i2'", "type int16 ('<i2') is not supported", "convert with arr.astype('int32')"},
            {"'|i1'", "type int8 ('|i1') is not supported", "convert with arr.astype('int32')"},
            {"'<u2'", "type uint16 ('<u2') is not supported", "convert with arr.astype('int32')"},
            {"'>u4'", "type uint32 ('>u4') is not supported", "convert with arr.astype('int64')"},
            {"'<u8'", "type uint64 ('<u8') is not supported", "convert with arr.astype('int64')"},
            {"'<f16'", "type longdouble ('<f16') is not supported", "convert with arr.astype('float64')"},
            {"'<c8'", "type complex ('<c8') is not supported",
                "save arr.real and arr.imag, or convert with arr.real.astype('float32')"},
            {"'|S3'", "type text ('|S3') is not supported", "convert numbers in text with arr.astype('float32')"},
            {"'<U2'", "type text ('<U2') is not supported", "convert numbers in text with arr.astype('float32')"},
            {"'<M8[ns]'", "type date or time ('<M8[ns]') is not supported", "convert with arr.astype('int64')"},
            {"'|V3'", "type of opaque bytes ('|V3') is not supported",
                "convert with arr.astype('float32') where it was written"},
            {"'|O'", "type Python object ('|O') is never loaded: it would run code from the file",
                "convert with arr.astype('float32')"},
            {"'<q9'", "type '<q9' is unknown", "convert with arr.astype('float32')"},
        };
        for (String[] c : cases) {
            assertEquals("read: element " + c[1] + end + c[2], npy(header(c[0], "(2,)"), 64));
        }
        assertEquals("read: structured element type with 2 fields; x.npy; expected one number per element; save one "
                + "field with np.save(f, arr['name'])", npy(header("[('a', '<f4'), ('b', '<i4', (2,))]", "(2,)"), 64));
        assertEquals("read: sub-array element type; x.npy; expected one number per element; save arr.view of the base "
                + "type", npy(header("('<f4', (2,))", "(2,)"), 64));
    }

    @Test
    void npyOddButValid() throws IOException {
        for (String descr : new String[] {"'=f4'", "'|f4'", "'f4'"}) {
            Files.write(dir.resolve("x.npy"),
                    npyBytes(3, "\n {\"shape\":(2L,),'fortran_order':True,'descr':" + descr + "}",
                            8));
            HostTensor t = TensorFiles.load(dir + "/x.npy");
            assertEquals(Shape.of(2), t.layout().shape());
            t.data().onFree().run();
        }
        byte[] bools = npyBytes(1, header("'|b1'", "(11,)"), 11);
        bools[bools.length - 1] = 7; // NumPy takes any byte but 0 for true
        bools[bools.length - 11] = (byte) 255;
        Files.write(dir.resolve("x.npy"), bools);
        HostTensor t = TensorFiles.load(dir + "/x.npy");
        assertArrayEquals(
                new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, t.data().bytes().toArray(ValueLayout.JAVA_BYTE));
        t.data().onFree().run();
    }

    private byte[] zip(String... names) throws IOException {
        ByteArrayOutputStream b = new ByteArrayOutputStream();
        try (ZipOutputStream z = new ZipOutputStream(b)) {
            for (String n : names) {
                z.putNextEntry(new ZipEntry(n));
                z.write(npyBytes(1, header("'<f4'", "(200,)"), 800));
            }
        }
        return b.toByteArray();
    }

    private static int find(byte[] b, int signature) {
        ByteBuffer buffer = ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i + 4 <= b.length; i++) {
            if (buffer.getInt(i) == signature) {
                return i;
            }
        }
        throw new AssertionError();
    }

    @Test
    void npzStructure() throws IOException {
        byte[] whole = zip("a.npy");
        int central = find(whole, 0x02014b50);
        int end = find(whole, 0x06054b50);
        assertEquals("read: not a zip file: 3 bytes; x.npz; expected a zip file", fails("x.npz", new byte[3]));
        assertEquals("read: not a zip file, or cut off: no end record; x.npz; expected a zip file",
                fails("x.npz", Arrays.copyOf(whole, whole.length - 1)));
        assertEquals("read: zip directory lies outside the file; x.npz, at byte " + end
                + "; expected an offset and a length in the file",
                fails(
                        "x.npz", withByte(whole.clone(), end + 18, 9)));
        assertEquals("read: zip directory is too short for 9 members; x.npz, at byte " + end
                + "; expected 46 bytes a member or more", fails("x.npz", withByte(whole.clone(), end + 10, 9)));
        assertEquals("read: no directory entry for member 0; x.npz, at byte " + central + "; expected 50 4b 01 02",
                fails("x.npz", withByte(whole.clone(), central, 0)));
        assertEquals("read: no local header; x.npz:a.npy, at byte 0; expected 50 4b 03 04",
                fails("x.npz", withByte(whole.clone(), 0, 0)));
        assertEquals("read: local header names another member; x.npz:a.npy, at byte 30; expected the name in the "
                + "directory", fails("x.npz", withByte(whole.clone(), 30, 'b')));
        assertEquals("read: name of a member is not UTF-8; x.npz, at byte " + (central + 46) + "; expected UTF-8 text",
                fails("x.npz", withByte(whole.clone(), central + 46, 0xFF)));
        assertEquals("read: two members are named 'a', with and without .npy; x.npz, at byte ",
                fails("x.npz", zip("a.npy", "a")).replaceAll("byte .*", "byte "));
        byte[] twice = zip("a.npy", "b.npy");
        int second = find(twice, 0x02014b50) + 46 + 5;
        assertEquals("read: two members are named 'a.npy'; x.npz, at byte " + second + "; expected each name once",
                fails("x.npz", withByte(twice, second + 46, 'a')));
    }

    @Test
    void npzMembers() throws IOException {
        byte[] whole = zip("a.npy");
        int central = find(whole, 0x02014b50);
        ByteBuffer b = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
        CRC32 crc = new CRC32();
        crc.update(npyBytes(1, header("'<f4'", "(200,)"), 800));
        String sum = String.format("%08x", crc.getValue());
        b.putInt(central + 16, 0x12345678);
        assertEquals("read: checksum is " + sum + "; x.npz:a; expected 12345678, as the directory says: the file is "
                + "damaged", fails("x.npz", whole));
        b.putInt(central + 16, (int) crc.getValue());
        int size = b.getInt(central + 24);
        int packed = b.getInt(central + 20);
        b.putInt(central + 24, size + 1);
        assertEquals("read: member inflates to only " + size + " bytes; x.npz:a; expected " + (size + 1)
                + " bytes, as the directory says", fails("x.npz", whole));
        b.putInt(central + 24, 1 << 30);
        assertEquals("read: member of " + packed + " packed bytes claims 1073741824; x.npz:a, at byte 35; expected at "
                + "most 1032 times as many, the best deflate can do", fails("x.npz", whole));
        b.putInt(central + 24, size);
        b.putShort(central + 10, (short) 12);
        assertEquals("read: member is packed by zip method 12; x.npz:a; expected 0 (stored) or 8 (deflated)",
                fails("x.npz", whole));
        b.putShort(central + 10, (short) 0);
        assertEquals("read: stored member of " + packed + " bytes claims " + size + "; x.npz:a.npy, at byte " + central
                + "; expected equal sizes", fails("x.npz", whole));
        b.putShort(central + 10, (short) 8);
        b.putShort(central + 8, (short) (b.getShort(central + 8) | 1));
        assertEquals("read: member is encrypted; x.npz:a; expected a plain member", fails("x.npz", whole));
        b.putShort(central + 8, (short) (b.getShort(central + 8) & ~1));
        whole[40] ^= 0x5F;
        assertTrue(fails("x.npz", whole).startsWith("read: "));
        byte[] overlap = zip("a.npy", "b.npy");
        int first = find(overlap, 0x02014b50);
        // the first member claims bytes up to the second's, its local header included
        ByteBuffer o = ByteBuffer.wrap(overlap).order(ByteOrder.LITTLE_ENDIAN);
        int second = find(Arrays.copyOfRange(overlap, 4, first), 0x04034b50) + 4;
        o.putInt(first + 20, second);
        assertEquals("read: member overlaps 'a.npy'; x.npz:b.npy, at byte " + (second + 35)
                + "; expected members one after the other", fails("x.npz", overlap));
    }

    @Test
    void safetensorsStructure() throws IOException {
        assertEquals("read: header is cut off; x.safetensors, at byte 5; expected the header's length, 8 bytes",
                fails("x.safetensors", new byte[5]));
        byte[] lies = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(100_000_001).array();
        assertEquals(
                "read: header of 100000001 bytes is too long; x.safetensors, at byte 0; expected at most 100000000 "
                        + "bytes",
                fails("x.safetensors", lies));
        lies[3] = 0;
        assertTrue(
                fails("x.safetensors", lies)
                        .startsWith("read: header is cut off; x.safetensors, at byte 16; expected "));
        assertEquals("read: header does not begin with '{'; x.safetensors, at byte 8; expected a JSON object",
                safetensors("[]", 0));
        assertEquals("read: header has byte 00; x.safetensors, at byte 9; expected JSON text", safetensors("{\0", 0));
        byte[] bad = ByteBuffer.allocate(11).order(ByteOrder.LITTLE_ENDIAN).putLong(3).array();
        bad[8] = '{';
        bad[9] = (byte) 0xC0;
        assertEquals("read: header is not UTF-8; x.safetensors, at byte 9; expected UTF-8 text",
                fails("x.safetensors", bad));
        assertTrue(safetensors("{\"a\"", 0).matches(
                "read: header is not JSON: .*; x.safetensors, at byte \\d+; expected a JSON object, each key once"));
        String dup = "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                + "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
        assertTrue(safetensors(dup, 0).startsWith("read: header is not JSON: Duplicate "), safetensors(dup, 0));
        assertTrue(safetensors("{} x", 0).contains("; expected "));
        assertEquals("read: text after the header's object; x.safetensors, at byte 10; expected spaces at most",
                safetensors("{} 1", 0));
        assertEquals("read: __metadata__ is not an object; x.safetensors, at byte 24; expected an object of texts",
                safetensors("{\"__metadata__\":1}", 0));
        assertEquals(
                "read: __metadata__ value of 'a' is not text; x.safetensors, at byte 29; expected an object of texts",
                safetensors("{\"__metadata__\":{\"a\":1}}", 0));
    }

    private String entry(String body, int data) throws IOException {
        return safetensors("{\"a\":" + body + "}", data).replaceAll(", at byte \\d+", "");
    }

    private String entry(String dtype, String shape, String offsets, int data) throws IOException {
        return entry("{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}", data);
    }

    @Test
    void safetensorsEntries() throws IOException {
        String at = "; x.safetensors:a; expected ";
        assertEquals("read: entry is not an object" + at + "an object of dtype, shape and data_offsets", entry("1", 0));
        assertEquals("read: no dtype" + at + "dtype, shape and data_offsets", entry("{}", 0));
        assertEquals("read: no data_offsets" + at + "dtype, shape and data_offsets",
                entry("{\"dtype\":\"U8\",\"shape\":[]}", 0));
        assertEquals("read: dtype is not text" + at + "a name such as \"F32\"", entry("{\"dtype\":1}", 0));
        assertEquals("read: shape is not a list" + at + "a list of integers", entry("U8", "1", "[0,1]", 1));
        assertEquals("read: shape holds something else" + at + "a list of integers", entry("U8", "[1.0]", "[0,1]", 1));
        assertEquals("read: shape holds a number beyond 64 bits" + at + "a list of integers",
                entry("U8", "[99999999999999999999]", "[0,1]", 1));
        assertEquals("read: shape holds a negative number: -1" + at + "integers of 0 or more",
                entry("U8", "[-1]", "[0,1]", 1));
        assertEquals("read: shape [4294967296, 4294967296] has too many elements" + at + "at most 2^59 elements",
                entry("U8", "[4294967296,4294967296]", "[0,1]", 1));
        assertEquals("read: data_offsets has 1 numbers" + at + "begin and end", entry("U8", "[1]", "[1]", 1));
        assertEquals("read: data begins at 1 and ends at 0" + at + "begin <= end", entry("U8", "[1]", "[1,0]", 1));
        assertEquals("read: data ends at 4 of 3" + at + "data inside the file; it may be cut off",
                entry("F32", "[]", "[0,4]", 3));
        assertEquals("read: data_offsets give 8 bytes" + at + "12 bytes for F32 [3]", entry("F32", "[3]", "[0,8]", 8));
        assertEquals("read: hole of 1 bytes before the data; x.safetensors:a; expected data from byte 61 on",
                entry("U8", "[1]", "[1,2]", 2));
        assertEquals("read: 2 bytes after the last tensor; x.safetensors; expected the end of the file",
                entry("U8", "[1]", "[0,1]", 3));
        assertEquals("read: data overlaps another tensor's; x.safetensors:b; expected data from byte 117 on",
                safetensors("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                        + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6)
                        .replaceAll(", at byte \\d+", ""));
    }

    @Test
    void namesWithLineEndsStayOnOneLine() throws IOException {
        assertEquals(
                "read: entry is not an object; x.safetensors:a\\u000ab\\u001b; expected an object of dtype, shape and "
                        + "data_offsets",
                safetensors("{\"a\\nb\\u001b\":1}", 0).replaceAll(", at byte \\d+", ""));
    }

    @Test
    void tenGigabytesOpenAtOnce() throws IOException {
        Path big = dir.resolve("big.npy");
        byte[] header = NpyHeader.bytes(dev.gramian.core.DType.F32, Shape.of(2_500_000, 1000));
        try (RandomAccessFile f = new RandomAccessFile(big.toFile(), "rw")) {
            f.write(header);
            try {
                f.setLength(header.length + 10_000_000_000L);
            } catch (IOException e) {
                abort("no sparse file of 10 GB here: " + e.getMessage());
            }
            f.seek(header.length + 9_999_999_996L);
            f.write(new byte[] {0, 0, (byte) 0x80, 0x3F});
        }
        try {
            long start = System.nanoTime();
            HostTensor t = TensorFiles.load(big.toString());
            float last = t.data().bytes().get(ValueLayout.JAVA_FLOAT_UNALIGNED, t.data().bytes().byteSize() - 4);
            t.data().onFree().run();
            double ms = (System.nanoTime() - start) / 1e6;
            assertEquals(1f, last);
            assertTrue(ms < 500, "opening 10 GB took " + ms + " ms");
        } finally {
            Files.delete(big);
        }
    }
}
