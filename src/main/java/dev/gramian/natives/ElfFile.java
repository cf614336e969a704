package dev.gramian.natives;

import dev.gramian.core.NativeException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A 64-bit little-endian ELF shared library: what it needs, what it is called, and a copy of it that needs other names.
 *
 * <p>Reading it also finds what the system's loader does not ask: it maps segments without looking whether the file is long
 * enough, and touching a page beyond the end kills the process. Whatever is wrong is a {@link NativeException}.
 */
public final class ElfFile {
    public static final int X86_64 = 62;
    public static final int AARCH64 = 183;

    private static final int MAGIC = 0x464C457F;
    private static final int SHARED = 3;
    private static final int SEGMENT_BYTES = 56;
    private static final int LOAD = 1;
    private static final int DYNAMIC = 2;

    /** Tags of the dynamic section. */
    private static final int NEEDED = 1;
    private static final int STRTAB = 5;
    private static final int STRSZ = 10;
    private static final int SONAME = 14;
    private static final int RPATH = 15;
    private static final int RUNPATH = 29;
    private static final int VERDEF = 0x6ffffffc;
    private static final int VERDEFNUM = 0x6ffffffd;
    private static final int VERNEED = 0x6ffffffe;
    private static final int VERNEEDNUM = 0x6fffffff;

    private enum Kind {
        LIBRARY,
        SELF,
        PATH,
        LIBRARY_OF_VERSIONS,
        VERSION,
        OWN_VERSION;

        /** Whether it names another library or a version in it. */
        boolean foreign() {
            return this == LIBRARY || this == LIBRARY_OF_VERSIONS || this == VERSION;
        }
    }

    /** A name in the string table at {@code at}, and where the hash of that version stands, or -1. */
    private record Name(Kind kind, long at, String text, long hashAt) {}

    private final String file;
    private final MemorySegment image;
    private final List<long[]> segments = new ArrayList<>(); // file offset, address, bytes in the file
    private final List<Name> names = new ArrayList<>();
    private long strings;
    private long stringBytes;

    private ElfFile(String file, MemorySegment image) {
        this.file = file;
        this.image = image;
        readSegments();
        readNames();
    }

    /** The library with that content; {@code file} names it in errors. */
    public static ElfFile of(String file, byte[] content) {
        return new ElfFile(file, MemorySegment.ofArray(content));
    }

    /** The library in a file. */
    public static ElfFile read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new NativeException(file + " is not a file");
        }
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            return new ElfFile(file.toString(), in.map(FileChannel.MapMode.READ_ONLY, 0, in.size(), Arena.ofAuto()));
        } catch (IOException e) {
            throw new NativeException(file + " cannot be read; " + e, e);
        }
    }

    /** {@link #X86_64}, {@link #AARCH64} or the number of another processor. */
    public int machine() {
        return u16(18);
    }

    /** The name by which other libraries ask for this one, or null. */
    public String soname() {
        return texts(Kind.SELF).stream().findFirst().orElse(null);
    }

    /** Libraries the loader brings in with this one. */
    public List<String> needed() {
        return texts(Kind.LIBRARY);
    }

    /** Symbol versions this library defines. */
    public List<String> versions() {
        return texts(Kind.OWN_VERSION);
    }

    /**
     * A copy that needs the libraries and symbol versions on the right where this one needs those on the left. Names keep
     * their length, so that only bytes change and nothing moves: the loader compares names and the versions' hashes.
     */
    public byte[] renamed(Map<String, String> newNames) {
        byte[] copy = image.toArray(ValueLayout.JAVA_BYTE);
        MemorySegment out = MemorySegment.ofArray(copy);
        for (Map.Entry<String, String> e : newNames.entrySet()) {
            byte[] to = e.getValue().getBytes(StandardCharsets.ISO_8859_1);
            if (to.length != e.getKey().length()) {
                throw error("a name must keep its length; " + e.getKey() + " -> " + e.getValue());
            }
            for (Name n : names) {
                if (n.kind.foreign() && n.text.equals(e.getKey())) {
                    MemorySegment.copy(MemorySegment.ofArray(to), 0, out, n.at, to.length);
                    if (n.hashAt >= 0) {
                        out.set(INT, n.hashAt, hash(e.getValue()));
                    }
                }
            }
        }
        // strings may share their tails: whatever was not to be renamed must read as before
        ElfFile changed = of(file, copy);
        for (int i = 0; i < names.size(); i++) {
            Name n = names.get(i);
            String expected = n.kind.foreign() ? newNames.getOrDefault(n.text, n.text) : n.text;
            if (!changed.names.get(i).text.equals(expected)) {
                throw error("two names share their bytes and cannot be changed apart; " + n.text);
            }
        }
        return copy;
    }

    /** The System V ABI's hash of a symbol or version name. */
    static int hash(String name) {
        int h = 0;
        for (byte b : name.getBytes(StandardCharsets.ISO_8859_1)) {
            h = (h << 4) + (b & 0xff);
            int high = h & 0xf0000000;
            h = (h ^ high >>> 24) & ~high;
        }
        return h;
    }

    private List<String> texts(Kind kind) {
        return names.stream().filter(n -> n.kind == kind).map(Name::text).toList();
    }

    // ---- the file's structure ---------------------------------------------------------------------------------------

    private void readSegments() {
        if (image.byteSize() < 64 || u32(0) != MAGIC || u8(4) != 2 || u8(5) != 1) {
            throw error("not a 64-bit shared library");
        }
        if (u16(16) != SHARED) {
            throw error("not a shared library but ELF of type " + u16(16));
        }
        long table = i64(32);
        int entry = u16(54);
        int entries = u16(56);
        if (entry < SEGMENT_BYTES || entries == 0) {
            throw error("has no segments");
        }
        for (int i = 0; i < entries; i++) {
            long at = table + (long) i * entry;
            check(at, SEGMENT_BYTES);
            if (u32(at) == LOAD) {
                long offset = i64(at + 8);
                long bytes = i64(at + 32);
                check(offset, bytes);
                segments.add(new long[] {offset, i64(at + 16), bytes});
            }
        }
    }

    /** Every name the dynamic section leads to. */
    private void readNames() {
        long dynamic = dynamicSection();
        stringBytes = tag(dynamic, STRSZ);
        strings = offset(tag(dynamic, STRTAB), stringBytes);
        for (long at = dynamic; i64(at) != 0; at += 16) {
            Kind kind = switch ((int) i64(at)) {
                case NEEDED -> Kind.LIBRARY;
                case SONAME -> Kind.SELF;
                case RPATH, RUNPATH -> Kind.PATH;
                default -> null;
            };
            if (kind != null) {
                names.add(name(kind, i64(at + 8), -1));
            }
        }
        readVersions(true, tag(dynamic, VERNEED), tag(dynamic, VERNEEDNUM));
        readVersions(false, tag(dynamic, VERDEF), tag(dynamic, VERDEFNUM));
    }

    private long dynamicSection() {
        long table = i64(32);
        int entry = u16(54);
        for (int i = 0; i < u16(56); i++) {
            long at = table + (long) i * entry;
            if (u32(at) == DYNAMIC) {
                return i64(at + 8);
            }
        }
        throw error("has no dynamic section");
    }

    private long tag(long dynamic, int wanted) {
        for (long at = dynamic; i64(at) != 0; at += 16) {
            if (i64(at) == wanted) {
                return i64(at + 8);
            }
        }
        if (wanted == STRTAB || wanted == STRSZ) {
            throw error("has no string table");
        }
        return 0;
    }

    /** Both kinds are lists of entries that each have a list of names; {@code next} is 0 at the end of either. */
    private void readVersions(boolean need, long address, long count) {
        if (address == 0) {
            return;
        }
        long at = offset(address, 16);
        for (long i = 0; i < count; i++) {
            if (need) {
                names.add(name(Kind.LIBRARY_OF_VERSIONS, u32(at + 4) & 0xffffffffL, -1));
            }
            int versions = u16(at + (need ? 2 : 6));
            long aux = at + (u32(at + (need ? 8 : 12)) & 0xffffffffL);
            for (int j = 0; j < versions; j++) {
                long text = u32(aux + (need ? 8 : 0)) & 0xffffffffL;
                names.add(name(need ? Kind.VERSION : Kind.OWN_VERSION, text, need ? aux : -1));
                long next = u32(aux + (need ? 12 : 4)) & 0xffffffffL;
                if (next == 0) {
                    break;
                }
                aux += next;
            }
            long next = u32(at + (need ? 12 : 16)) & 0xffffffffL;
            if (next == 0) {
                break;
            }
            at += next;
        }
    }

    private Name name(Kind kind, long offset, long hashAt) {
        if (offset < 0 || offset >= stringBytes) {
            throw error("a name lies outside the string table of " + stringBytes + " bytes, at " + offset);
        }
        long end = offset;
        while (u8(strings + end) != 0) {
            if (++end == stringBytes) {
                throw error("a name has no end");
            }
        }
        byte[] text = image.asSlice(strings + offset, end - offset).toArray(ValueLayout.JAVA_BYTE);
        return new Name(kind, strings + offset, new String(text, StandardCharsets.ISO_8859_1), hashAt);
    }

    /** Where the bytes of an address are in the file. */
    private long offset(long address, long bytes) {
        for (long[] s : segments) {
            if (address >= s[1] && bytes >= 0 && address - s[1] <= s[2] - bytes) {
                return s[0] + (address - s[1]);
            }
        }
        throw error("address 0x" + Long.toHexString(address) + " is in no segment of the file");
    }

    // ---- checked reads ----------------------------------------------------------------------------------------------

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private void check(long at, long bytes) {
        if (at < 0 || bytes < 0 || at > image.byteSize() - bytes) {
            throw error(at >= 0 && bytes >= 0 && at + bytes > 0
                    ? "cut short: " + image.byteSize() + " bytes of " + (at + bytes)
                    : "damaged");
        }
    }

    private int u8(long at) {
        check(at, 1);
        return image.get(ValueLayout.JAVA_BYTE, at) & 0xff;
    }

    private int u16(long at) {
        check(at, 2);
        return image.get(SHORT, at) & 0xffff;
    }

    private int u32(long at) {
        check(at, 4);
        return image.get(INT, at);
    }

    private long i64(long at) {
        check(at, 8);
        return image.get(LONG, at);
    }

    private NativeException error(String fact) {
        return new NativeException(file + ": " + fact);
    }
}
